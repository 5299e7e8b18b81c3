// HostProvider: servers, and the units (containers, process groups) that run on them.
//
// Every effect is idempotent by the unit's unique name and guarded by a fence: a provider keeps,
// beside the unit, the highest epoch that it has acted for and its claim, and refuses a lower epoch
// and the same with another claim (kConflict, the message names the highest). A provider touches
// only what carries its labels. All methods [any thread]; calls for one host may wait for one
// another, never for another host.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "a4c/call.h"
#include "a4c/export.h"
#include "a4c/result.h"

namespace a4c {

struct Host {
  std::string id;
  bool reachable = false;
  std::string reason = {};       // why it is not reachable
  int64_t disk_total_bytes = 0;  // of the file system that holds the units
  int64_t disk_used_bytes = 0;
  int64_t disk_free_bytes = 0;  // to ordinary users: may be less than total - used
  int64_t inodes_total = 0;     // 0: unknown, or the file system has no fixed number
  int64_t inodes_free = 0;
  int64_t memory_total_bytes = 0;
  int64_t cpu_total_millis = 0;  // 1000: one core
  int64_t age_ms = 0;            // how long ago these figures were read
  // Capabilities that this host lacks although the provider has them, with the reason each.
  std::map<std::string, std::string> absent = {};
  // What units are run with, as the host says itself. See CheckHost for bounds.
  std::string arch = {};                             // as Go names it: "amd64"; empty: unknown
  std::map<std::string, std::string> versions = {};  // "docker", "api", "runc", "kernel", ...
  std::vector<std::string> warnings = {};  // for people, each: what is wrong, and what to do
  // Another key answers at its address than the one that is pinned: it is not reachable, and
  // nothing is sent to it until it is enrolled again. Otherwise both are empty.
  std::string pinned_fingerprint = {};
  std::string shown_fingerprint = {};
};

// The right to act on a unit: the epoch of the caller's lease and which claim of it this is. A
// store that was restored can give an epoch out twice; the claims then differ.
struct Fence {
  Fence(int64_t of_epoch, std::string of_claim = {})  // NOLINT: implicit
      : epoch(of_epoch), claim(std::move(of_claim)) {}

  int64_t epoch;
  std::string claim;  // of the form of a unit's name, random; empty: not told, as good as any
};

struct UnitSpec {
  std::string image = {};  // empty: no image, a plain process (capability image_less)
  std::vector<std::string> command = {};  // argv; empty: the image's own
  std::map<std::string, std::string> env = {};
  std::string working_dir = {};  // absolute, in the unit's own files; empty: the image's, or "/"
  int64_t memory_bytes = 0;      // 0: the provider's default limit
  int64_t cpu_millis = 0;
  int64_t disk_bytes = 0;
  int64_t pids = 0;
};

enum class UnitWanted : uint8_t { kRunning, kStopped };

struct Unit {
  std::string host;
  std::string name;  // [a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}, unique per host
  int64_t epoch = 0;
  std::string claim = {};                          // see Fence
  std::map<std::string, std::string> labels = {};  // kept from creation on; see CheckUnit
  UnitSpec spec = {};
  UnitWanted wanted = UnitWanted::kRunning;
};

enum class UnitState : uint8_t {
  kCreated,  // exists, never started
  kRunning,
  kStopped,  // ended or stopped: see exit_code
  kBroken,   // exists but cannot run: see reason
};

struct UnitStatus {
  std::string host;
  std::string name;
  int64_t epoch = 0;
  std::map<std::string, std::string> labels = {};
  UnitState state = UnitState::kCreated;
  std::optional<int> exit_code = {};  // kStopped, if known; 128 + n for signal n
  std::string reason = {};
  int64_t started_at_ms = 0;    // by the host's clock; 0: unknown
  int64_t disk_used_bytes = 0;  // 0: unknown
};

class HostProvider {
 public:
  virtual ~HostProvider() = default;
  // All configured hosts, also those out of reach, with the figures known last.
  virtual Result<std::vector<Host>> Hosts(const Call& call) = 0;
  // Brings the unit to what is wanted: creates, starts, or stops it. Of a unit that exists, spec is
  // not compared; the same call again changes nothing. kNotFound: no such host or image.
  // kExhausted: no room. kUnknownOutcome: call again. A unit whose command cannot be run is no
  // error: it is kBroken, or kStopped with exit code 126 or 127.
  virtual Result<UnitStatus> Ensure(const Call& call, const Unit& unit) = 0;
  // Removes the unit and all that it keeps on the host. Success also if it is not there: then it is
  // confirmed gone.
  virtual Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                              const Fence& fence) = 0;
  // Everything of ours on the host, in all states.
  virtual Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) = 0;

  template <typename T>
  T* As() {
    return static_cast<T*>(Extension(T::kExtension));
  }

 protected:
  virtual void* Extension([[maybe_unused]] std::string_view name) { return nullptr; }
};

// kInvalid names what a provider may not say of a host: an arch longer than 32 bytes or not of a-z,
// 0-9 and "_", more than 16 versions (name 64, version 128 bytes) or 16 warnings (512 bytes), text
// that is empty, not UTF-8 or holds a NUL, one fingerprint without the other or of a server that is
// reachable.
A4C_API Result<void> CheckHost(const Host& host);

// What every provider refuses alike and before it does anything (kInvalid names the field): names
// out of form, text that is not UTF-8 or holds a NUL, negative amounts, too many or too long labels
// (64, 256 and 4096 bytes), arguments or variables (256, 128 KiB in all), and the labels
// a4c.cluster, a4c.unit, a4c.epoch and a4c.labels, which belong to the providers.
A4C_API Result<void> CheckUnitName(std::string_view name);
A4C_API Result<void> CheckUnit(const Unit& unit);
A4C_API Result<void> CheckFence(const Fence& fence);
// kConflict naming the highest, if that one keeps `fence` from acting on the unit.
A4C_API Result<void> Admit(std::string_view unit, const Fence& fence, const Fence& highest);
// The same for what is run, in a unit or by HostExec.
A4C_API Result<void> CheckCommand(const std::vector<std::string>& command,
                                  const std::map<std::string, std::string>& env,
                                  std::string_view working_dir);

}  // namespace a4c
