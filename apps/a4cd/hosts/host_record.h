// The record of a server: what operators said of it, how it is reached if it was enrolled through
// the API, and its figures as some instance read them last. Plain data, no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/host_enrolment.h"
#include "a4c/host_provider.h"
#include "a4c/json.h"
#include "a4c/record.h"
#include "a4c/result.h"
#include "apps/a4cd/placement/placement.h"

namespace a4cd {

// The counters of a host record.
inline constexpr std::string_view kDiskCommitted = "disk_committed_bytes";
inline constexpr std::string_view kMemoryCommitted = "memory_committed_bytes";
inline constexpr std::string_view kCpuCommitted = "cpu_committed_millis";

struct HostFigures {
  a4c::Host host = {};      // age_ms: at the store's time that was given
  int64_t other_bytes = 0;  // of the disk, used by what is not ours
  int64_t asked_ms = 0;     // how long ago it was asked, at the same time
  int64_t silent_ms = 0;    // since when it is not reachable; 0: it is
  bool is_apart = false;    // it is slow or silent: asked apart from the others
};

// Whether a server can be worked with, as its record says: who follows changes of the record learns
// of it.
struct HostState {
  std::string name = {};    // one of those below; empty: nobody has asked it yet
  int64_t since = 0;        // ms since the epoch
  std::string pinned = {};  // in quarantine: the fingerprint that it should show
  std::string shown = {};   // and the one that it shows

  bool IsSameAs(const HostState& other) const {
    return name == other.name && pinned == other.pinned && shown == other.shown;
  }
};
inline constexpr const char* kReachable = "reachable";
inline constexpr const char* kUnreachable = "unreachable";
inline constexpr const char* kQuarantined = "quarantined";  // another key answers at its address

// What these figures say.
HostState StateOf(const a4c::Host& host, int64_t now_ms);

struct HostRecord {
  std::string id = {};
  int64_t rev = 0;  // 0: there is no record yet
  bool cordoned = false;
  bool draining = false;
  bool drains_volumes = false;  // workspaces leave it with what they keep
  std::map<std::string, std::string> labels = {};
  std::optional<a4c::HostSpec> spec = {};  // nothing: it stands in the provider's config
  int64_t pinned_at = 0;                   // when another fingerprint was accepted; 0: never
  HostState state = {};
  int64_t updated_at = 0;  // of what stands here so far; 0: by an older version
  std::string by = {};     // id of the API key that said the last of it
  // Beside the body.
  std::optional<HostFigures> figures = {};
  Amounts committed = {};
  a4c::FieldValues counters =
      {};  // the same as they were found, for a check that they still are so

  bool IsApart() const { return figures && figures->is_apart; }
};

a4c::RecordRef HostRef(const std::string& id);

std::string HostBody(const HostRecord& host);
a4c::Result<HostRecord> HostRecordOf(const a4c::Record& record, int64_t store_time_ms);

// The quiet fields that keep figures which are read at this time of the store.
a4c::FieldValues FiguresFields(const HostFigures& figures, int64_t store_time_ms);

// As placement sees it; one without figures is not reachable.
Server ServerOf(const HostRecord& host);
// As the API shows it.
a4c::Json HostView(const HostRecord& host);

}  // namespace a4cd
