// The highest epoch of each unit and the claim that has it, on disk, each under a lock of its own.
//
//   <data>/<cluster>/units/<unit>     "00000000000000000042 <claim>\n"; the lock is on this file
//
// It stays when the unit is removed, so that a holder that wakes late is still refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "files.h"

namespace a4c::helper {

struct Fence {
  int64_t epoch = 0;
  std::string claim;  // empty: not told
};

std::string EncodeFence(const Fence& fence);
// kInternal: damaged.
Result<Fence> DecodeFence(std::string_view text);
// kConflict naming the highest.
Result<void> Admit(const std::string& unit, const Fence& fence, const Fence& highest);

// Holds the lock of a unit as long as it lives.
class UnitLock {
 public:
  // Waits while others hold it; kUnavailable after timeout_ms.
  static Result<UnitLock> Take(const std::string& directory, const std::string& unit,
                               int64_t timeout_ms);
  // Nothing if the unit was never seen.
  Result<std::optional<Fence>> Read() const;
  // Refuses what the highest keeps from acting; otherwise it is the highest from now on, on disk
  // when this returns.
  Result<void> Raise(const Fence& fence) const;
  // As if it had been raised just now.
  void Touch() const;
  // Forgets the unit. The lock is of no use afterwards.
  void Forget() const;

 private:
  UnitLock(std::string directory, std::string unit, Fd file)
      : directory_(std::move(directory)), unit_(std::move(unit)), file_(std::move(file)) {}

  std::string directory_;
  std::string unit_;
  Fd file_;
};

}  // namespace a4c::helper
