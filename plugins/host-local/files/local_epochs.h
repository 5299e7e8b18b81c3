// The highest epoch that each unit of a server is known by, kept when the unit is removed: a file a
// unit, which is also the lock that guards every effect on it, also against other processes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "a4c/host_provider.h"
#include "files/local_files.h"

namespace a4c::local {

// [any thread]
class UnitEpochs {
 public:
  // In `epochs` below a server's directory.
  static Result<UnitEpochs> Open(int root);

  // The unit's file, locked. While another has it `pause` waits; where it says false the lock is
  // not had: nothing.
  Result<std::optional<Fd>> Lock(const std::string& name, const std::function<bool()>& pause) const;
  // Refuses what the highest keeps from acting; otherwise `fence` is the highest from now on, on
  // disk.
  Result<void> Raise(const Fd& locked, const std::string& name, const Fence& fence) const;
  // The highest; nothing if nobody has acted on the unit yet.
  static Result<std::optional<Fence>> HighestIn(const Fd& locked);
  // 0: none.
  int64_t EpochOf(const std::string& name) const;
  // Forgets those that nobody has raised for so long, and whose unit is not `there`: whoever held
  // a lower one has long lost its lease.
  void Prune(int64_t now_ms, int64_t kept_ms,
             const std::function<bool(const std::string&)>& there) const;

 private:
  explicit UnitEpochs(Fd directory) : directory_(std::move(directory)) {}

  Fd directory_;
};

}  // namespace a4c::local
