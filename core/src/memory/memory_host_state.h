// What the in-memory host provider and its extensions share: the pretended servers and their units.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "a4c/host_activity.h"
#include "a4c/host_cleanup.h"
#include "a4c/host_description.h"
#include "a4c/host_enrolment.h"
#include "a4c/host_extensions.h"
#include "a4c/host_images.h"
#include "a4c/host_look.h"
#include "a4c/host_streams.h"
#include "a4c/host_update.h"
#include "a4c/host_volumes.h"
#include "a4c/memory.h"
#include "memory/memory_host_process.h"

namespace a4c::memory {

struct MemoryUnit {
  Unit unit;
  UnitState state = UnitState::kCreated;
  std::optional<int> exit_code = {};
  std::string reason = {};
  FakeRun run = {};
  FakeFiles files = {};
  size_t output_taken = 0;
  int64_t started_mono_ms = 0;
  int64_t started_at_ms = 0;
  std::string log = {};
  int64_t log_start = 0;  // how many bytes were dropped before log
  // When a piece was written, and how many bytes before it, oldest first.
  std::vector<std::pair<int64_t, int64_t>> log_times = {};
};

// What the server knows of the store, and whether we have presented it.
struct MemoryTokens {
  Result<void> Adopt(const std::string& token);
  Result<void> Present(const std::string& of_current, const std::string& of_next);
  Result<void> Allow() const;

  std::string current = {};  // empty: none is asked for
  std::string next = {};
  bool presented = false;
};

struct MemoryServer {
  // A claim that is not told leaves the one that is known.
  void Raise(const std::string& unit, const Fence& fence) {
    Fence& highest = fences.try_emplace(unit, fence).first->second;
    if (fence.epoch > highest.epoch || highest.claim.empty()) highest = fence;
  }

  MemoryHostOptions::Server options;
  std::map<std::string, MemoryUnit> units = {};
  std::map<std::string, Fence> fences = {};            // the highest; kept when a unit is removed
  std::map<std::string, ImageInfo> images = {};        // by each of their names
  std::map<std::string, int64_t> image_since_ms = {};  // by id: when it came, or got a name
  std::optional<HostSpec> spec = {};  // of one that was added; the others stand in the config
  std::string foreign_key = {};       // what it shows, if that is not what is pinned
  MemoryTokens tokens = {};
};

MemoryServer NewServer(const MemoryHostOptions::Server& options);

// Of one that shows another key.
std::string WhyForeign(const MemoryServer& server);

// By a tag or its id; nothing if the server lacks it.
std::optional<ImageInfo> FindImage(const MemoryServer& server, const std::string& reference);

// The image is there by this name from now on.
void Keep(MemoryServer& server, const std::string& name, ImageInfo image, int64_t now_mono_ms);

// What its units were promised.
int64_t DiskUsed(const MemoryServer& server);

// There before any build, on every server.
inline constexpr const char* kFirstImage = "busybox:local";

struct MemoryHosts {
  MemoryHosts(const Runtime& given, const MemoryHostOptions& options);

  // All under waiter. These refuse a call that has no time left or whose caller has gone, and Find
  // also what is meant for a server that shows another key.
  Result<MemoryServer*> FindAny(const Call& call, const std::string& host);
  Result<MemoryServer*> Find(const Call& call, const std::string& host);
  Result<MemoryUnit*> FindUnit(MemoryServer& server, const std::string& name);

  const Runtime runtime;
  const std::unique_ptr<Waiter> waiter;
  std::map<std::string, MemoryServer> servers;  // under waiter
};

// The unit's image is there, if need be pulled. kNotFound: it cannot be. [under waiter]
Result<void> Supply(MemoryHosts& hosts, MemoryServer& server, const Unit& unit);

// What it says of itself.
Host FiguresOf(const MemoryServer& server);

// Lets happen to a unit what has happened by now: there is no thread that would.
void Settle(MemoryUnit& unit, int64_t now_mono_ms);

std::unique_ptr<HostLogs> NewMemoryLogs(MemoryHosts& hosts);
std::unique_ptr<HostLogTimes> NewMemoryLogTimes(MemoryHosts& hosts);
std::unique_ptr<HostExec> NewMemoryExec(MemoryHosts& hosts);
std::unique_ptr<HostImages> NewMemoryImages(MemoryHosts& hosts);
std::unique_ptr<HostImageSupply> NewMemoryImageSupply(MemoryHosts& hosts);
std::unique_ptr<HostCleanup> NewMemoryCleanup(MemoryHosts& hosts);
std::unique_ptr<HostEnrolment> NewMemoryEnrolment(MemoryHosts& hosts);
std::unique_ptr<HostIncarnation> NewMemoryIncarnation(MemoryHosts& hosts);
std::unique_ptr<HostStreams> NewMemoryStreams(MemoryHosts& hosts);
std::unique_ptr<HostActivity> NewMemoryActivity(MemoryHosts& hosts);
std::unique_ptr<HostVolumes> NewMemoryVolumes(MemoryHosts& hosts);
std::unique_ptr<HostDescription> NewMemoryDescription(MemoryHosts& hosts);
std::unique_ptr<HostUpdate> NewMemoryUpdate(MemoryHosts& hosts, HostProvider& provider);
std::unique_ptr<HostLook> NewMemoryLook(MemoryHosts& hosts);

}  // namespace a4c::memory
