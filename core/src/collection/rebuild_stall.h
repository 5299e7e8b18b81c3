// Whether the generation that a rebuild fills takes nothing, which keeps from searches what the
// live one took: nothing is confirmed before both hold it. Shared by the loops of a process.
//
//   if (next_took) stall.Took(Way::kBulk);
//   else if (live_took && stall.Missed(Way::kBulk, task)) ... EndStalled(...)
//
// Time counts from one miss to the next, and a silence between them for half of the timeout at
// most. What the new generation takes ends it, and so does a copy that gets on, whichever instance
// makes it. While the live one takes nothing either, nothing is kept from anybody, and no time
// counts.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "a4c/clock.h"
#include "a4c/collection.h"
#include "a4c/export.h"
#include "a4c/sync_task.h"

namespace a4c {

// [any thread]
class A4C_API RebuildStall {
 public:
  // A change has to get through by both; each may be the one that fails.
  enum class Way : uint8_t { kBulk, kRefresh };

  RebuildStall(const Runtime& runtime, int64_t timeout_ms);

  void Took(Way way);
  // The live generation did, and the new one did not; true: for so long that it is to be given up.
  bool Missed(Way way, const SyncTask& rebuild);
  void LiveTookNothing();

 private:
  struct Misses {
    int64_t counted_ms = 0;
    std::optional<int64_t> last_at_ms = {};  // nothing: what comes next begins a stretch
  };
  static constexpr size_t kWays = 2;

  Misses& Of(Way way) { return misses_[static_cast<size_t>(way)]; }
  void Follow(const SyncTask& rebuild);

  const Runtime runtime_;
  const int64_t timeout_ms_;
  std::mutex mutex_;  // of all below
  std::array<Misses, kWays> misses_;
  int64_t started_ms_ = 0;  // of the rebuild, and how far it was
  std::string phase_;
  std::string position_;
};

// Ends that rebuild as failed, if it has got no further meanwhile and changes do wait for it
// (another instance may be confirming them). Not one that is being put in place, which may have
// happened, nor one of an index that was gone: what is live instead has nothing worth searching.
Result<void> EndStalled(Database::State& state, const Call& call, const std::string& kind,
                        const SyncTask& rebuild, const Error& why);

}  // namespace a4c
