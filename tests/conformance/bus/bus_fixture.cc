#include "tests/conformance/bus/bus_fixture.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace a4c::conformance {
namespace {

constexpr int64_t kPatienceMs = 60'000;

void OrThrow(const char* what, const Error& error) {
  throw std::runtime_error(std::string(what) + ": " + error.ToString());
}

// Appends what one poll brings.
void PollInto(std::vector<Delivery>& all, Subscription& subscription, int64_t timeout_ms) {
  auto more = subscription.Poll(Within(timeout_ms), 1000);
  if (!more && more.error().code() == Code::kUnavailable) return;
  if (!more) OrThrow("polling", more.error());
  std::ranges::move(*more, std::back_inserter(all));
}

}  // namespace

std::vector<Message> Numbered(const std::string& topic, const std::string& key, int n, int from) {
  std::vector<Message> messages;
  for (int i = from; i < from + n; ++i) messages.push_back({topic, key, std::to_string(i)});
  return messages;
}

std::vector<Message> ManyKeys(const std::string& topic, int n, const std::string& prefix) {
  std::vector<Message> messages;
  for (int i = 0; i < n; ++i) {
    const std::string key = prefix + std::to_string(i);
    messages.push_back({topic, key, key});
  }
  return messages;
}

std::vector<std::string> Payloads(std::span<const Delivery> deliveries) {
  std::vector<std::string> payloads;
  for (const Delivery& delivery : deliveries) payloads.push_back(delivery.message.payload);
  return payloads;
}

std::unique_ptr<Subscription> Join(Bus& bus, const std::string& topic, const std::string& group,
                                   StartAt start_at) {
  auto subscription = bus.Subscribe(Within(), topic, group, start_at);
  if (!subscription) OrThrow("subscribing", subscription.error());
  return *std::move(subscription);
}

void PublishAll(Bus& bus, std::span<const Message> messages) {
  std::vector<Message> left(messages.begin(), messages.end());
  const Call patience = Within(kPatienceMs);
  while (!left.empty() && !patience.Expired()) {
    const auto outcomes = bus.Publish(Within(), left);
    if (!outcomes) OrThrow("publishing", outcomes.error());
    if (outcomes->size() != left.size()) throw std::runtime_error("not one outcome per message");
    std::vector<Message> full;
    for (size_t i = 0; i < left.size(); ++i) {
      if ((*outcomes)[i] == PublishOutcome::kFull) full.push_back(std::move(left[i]));
    }
    left = std::move(full);
    const auto queued = bus.Flush(Within());
    if (!queued) OrThrow("flushing", queued.error());
  }
  if (!left.empty()) throw std::runtime_error("the queue stayed full");
}

std::vector<Delivery> TakeUntil(Subscription& subscription,
                                const std::function<bool(const std::vector<Delivery>&)>& enough) {
  std::vector<Delivery> all;
  const Call patience = Within(kPatienceMs);
  while (!enough(all) && !patience.Expired()) PollInto(all, subscription, 1'000);
  return all;
}

std::vector<Delivery> Take(Subscription& subscription, size_t n) {
  return TakeUntil(subscription, [n](const auto& all) { return all.size() >= n; });
}

std::vector<Delivery> Rest(Subscription& subscription) {
  std::vector<Delivery> all;
  const Call patience = Within(2'000);
  while (!patience.Expired()) PollInto(all, subscription, patience.RemainingMs());
  return all;
}

void Ack(Subscription& subscription, std::span<const Delivery> deliveries) {
  const auto acked = subscription.Ack(Within(), deliveries);
  if (!acked) OrThrow("acknowledging", acked.error());
}

}  // namespace a4c::conformance
