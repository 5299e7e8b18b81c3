#include "single_flight.h"

#include <algorithm>

namespace a4c::baremetal {
namespace {

// Those who wait are told of an end at once; of their caller's going they learn by looking.
constexpr int64_t kStopCheckMs = 100;

}  // namespace

std::shared_ptr<SingleFlight::Flight> SingleFlight::Join(const std::string& key, bool& is_ours) {
  Waiter::Lock lock(*waiter_);
  std::shared_ptr<Flight>& flight = flights_[key];
  is_ours = flight == nullptr;
  if (is_ours) flight = std::make_shared<Flight>();
  return flight;
}

Result<ImageInfo> SingleFlight::Fly(const std::string& key, Flight& flight, const Work& work) {
  // Also when the work throws: nobody may wait for ever.
  struct Landing {
    SingleFlight& all;
    const std::string& key;
    Flight& flight;
    ~Landing() {
      Waiter::Lock lock(*all.waiter_);
      flight.ended = true;
      all.flights_.erase(key);
      all.waiter_->NotifyAll();
    }
  };
  const Landing landing{*this, key, flight};
  Result<ImageInfo> result = work();
  const bool gave_up =
      !result && (result.error().code() == Code::kTimeout ||
                  result.error().code() == Code::kCanceled || result.error().unknown_outcome());
  Waiter::Lock lock(*waiter_);
  if (!gave_up) flight.result = result;
  return result;
}

Result<void> SingleFlight::WaitFor(const Call& call, const Flight& flight) {
  Waiter::Lock lock(*waiter_);
  while (!flight.ended) {
    if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
    if (call.Expired()) return Error(Code::kTimeout, "somebody else is still at it");
    waiter_->Wait(std::min(call.deadline_ms, call.clock.MonotonicMs() + kStopCheckMs));
  }
  return {};
}

Result<ImageInfo> SingleFlight::Run(const Call& call, const std::string& key, const Work& work) {
  while (true) {
    bool is_ours = false;
    const std::shared_ptr<Flight> flight = Join(key, is_ours);
    if (is_ours) return Fly(key, *flight, work);
    A4C_CHECK(WaitFor(call, *flight));
    if (flight->result) return *flight->result;
  }
}

}  // namespace a4c::baremetal
