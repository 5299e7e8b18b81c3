#include "collection/rebuild_stall.h"

#include <algorithm>

#include "a4c/sinks.h"
#include "collection/sync_task.h"

namespace a4c {
namespace {

bool MayEnd(const SyncTask& rebuild) {
  return rebuild.state == SyncTask::State::kRunning && !rebuild.index_was_lost &&
         (rebuild.phase == "copying" || rebuild.phase == "proving");
}

bool IsAsFar(const SyncTask& rebuild, const SyncTask& before) {
  return rebuild.started_ms == before.started_ms && rebuild.phase == before.phase &&
         rebuild.position == before.position;
}

}  // namespace

RebuildStall::RebuildStall(const Runtime& runtime, int64_t timeout_ms)
    : runtime_(runtime), timeout_ms_(timeout_ms) {}

void RebuildStall::Took(Way way) {
  const std::lock_guard lock(mutex_);
  Of(way) = {};
}

bool RebuildStall::Missed(Way way, const SyncTask& rebuild) {
  const std::lock_guard lock(mutex_);
  Follow(rebuild);
  const int64_t now_ms = runtime_.clock.MonotonicMs();
  Misses& misses = Of(way);
  const int64_t since_ms = now_ms - misses.last_at_ms.value_or(now_ms);
  misses.counted_ms += std::min(since_ms, timeout_ms_ / 2);
  misses.last_at_ms = now_ms;
  return misses.counted_ms >= timeout_ms_;
}

void RebuildStall::LiveTookNothing() {
  const std::lock_guard lock(mutex_);
  for (Misses& misses : misses_) misses.last_at_ms.reset();
}

// [mutex_ held] A copy that gets on is taken; whether it can be refreshed is another matter.
void RebuildStall::Follow(const SyncTask& rebuild) {
  if (rebuild.started_ms != started_ms_) misses_ = {};
  if (rebuild.phase != phase_ || rebuild.position != position_) Of(Way::kBulk) = {};
  started_ms_ = rebuild.started_ms;
  phase_ = rebuild.phase;
  position_ = rebuild.position;
}

Result<void> EndStalled(Database::State& state, const Call& call, const std::string& kind,
                        const SyncTask& rebuild, const Error& why) {
  if (!MayEnd(rebuild)) return {};
  A4C_TRY(const int64_t lag_ms, ReadLagMs(state, call, state.collections.at(kind).kind));
  if (lag_ms < state.options.rebuild_stall_ms) return {};
  A4C_TRY(const auto stored, ReadTask(state, call, kind, SyncWork::kRebuild));
  if (!stored || !MayEnd(stored->task) || !IsAsFar(stored->task, rebuild)) return {};
  SyncTask task = stored->task;
  task.state = SyncTask::State::kFailed;
  task.ended_ms = state.store_time.NowMs();
  task.message = "the new index took nothing for " +
                 std::to_string(state.options.rebuild_stall_ms / 1'000) +
                 " s, while the live one did: " + why.message();
  const auto ended = WriteTask(state, call, kind, stored, task, "");
  if (!ended && ended.error().code() == Code::kConflict) return {};  // looked at again
  if (!ended) return ended.error();
  state.runtime.log.Write(LogLevel::kWarning, "collection",
                          "a rebuild is given up, which kept changes from searches",
                          {{"kind", kind}, {"error", task.message}});
  return {};
}

}  // namespace a4c
