#include "apps/a4cd/upkeep/clock_watch.h"

#include <cstdlib>
#include <span>
#include <string>

#include "a4c/sinks.h"
#include "apps/a4cd/jobs/kinds.h"

namespace a4cd {

using a4c::Call;
using a4c::LogLevel;
using a4c::Result;
using a4c::Waiter;

class ClockWatch::WatchLoop final : public a4c::Loop {
 public:
  explicit WatchLoop(ClockWatch& watch) : watch_(watch) {}
  const std::string& name() const override { return name_; }
  Result<int64_t> Step(const Call& call) override {
    A4C_CHECK(watch_.Look(call));
    return watch_.options_.period_ms;
  }

 private:
  const std::string name_ = "clock";
  ClockWatch& watch_;
};

ClockWatch::ClockWatch(a4c::Database& database, const a4c::Runtime& runtime,
                       const ClockWatchOptions& options)
    : database_(database),
      runtime_(runtime),
      options_(options),
      waiter_(runtime.threads.NewWaiter()) {}

std::unique_ptr<a4c::Loop> ClockWatch::NewLoop() {
  return std::make_unique<WatchLoop>(*this);
}

std::optional<int64_t> ClockWatch::AheadMs() const {
  const Waiter::Lock lock(*waiter_);
  return ahead_ms_;
}

// By a record that need not be there. The store said its time in the middle, give or take half of
// the round trip.
Result<void> ClockWatch::Look(const Call& call) {
  const a4c::RecordRef ref{TenantKind().name, {"", "probe"}};
  const int64_t sent_ms = runtime_.clock.MonotonicMs();
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  const int64_t now_ms = runtime_.clock.NowMs();
  const int64_t round_trip_ms = runtime_.clock.MonotonicMs() - sent_ms;
  if (round_trip_ms > options_.round_trip_max_ms) return {};
  Tell(now_ms - round_trip_ms / 2 - answer.store_time_ms);
  return {};
}

void ClockWatch::Tell(int64_t ahead_ms) {
  runtime_.metrics.Gauge("a4c_clock_ahead_seconds", {}, static_cast<double>(ahead_ms) / 1000);
  const int64_t apart_ms = std::abs(ahead_ms);
  bool passes = false;
  {
    const Waiter::Lock lock(*waiter_);
    ahead_ms_ = ahead_ms;
    passes = !is_apart_ && apart_ms > options_.apart_max_ms;
    if (apart_ms <= options_.apart_max_ms / 2) is_apart_ = false;
    if (passes) is_apart_ = true;
  }
  if (!passes) return;
  runtime_.log.Write(LogLevel::kWarning, "clock",
                     "the clock of this machine is not the store's: set both by NTP",
                     {{"ahead_ms", std::to_string(ahead_ms)}});
}

}  // namespace a4cd
