#include <algorithm>
#include <utility>

#include "plugin/guard.h"
#include "plugin/guarded.h"

namespace a4c::plugin {
namespace {

class GuardedSubscription final : public Subscription {
 public:
  GuardedSubscription(std::unique_ptr<Subscription> inner, PluginRecord& plugin)
      : plugin_(plugin),
        inner_(std::move(inner)),
        poll_(plugin.Site("Poll")),
        ack_(plugin.Site("Ack")) {}
  ~GuardedSubscription() override { DestroyGuarded(plugin_, inner_); }

  Result<std::vector<Delivery>> Poll(const Call& call, int max) override {
    return Guarded(poll_, call, [&] {
      auto deliveries = inner_->Poll(call, max);
      if (deliveries && deliveries->size() > static_cast<size_t>(std::max(max, 0))) {
        deliveries = Malformed(poll_, "a maximum of " + std::to_string(max),
                               Counted(deliveries->size(), "message"));
      }
      return deliveries;
    });
  }

  Result<void> Ack(const Call& call, std::span<const Delivery> deliveries) override {
    return Guarded(ack_, call, [&] { return inner_->Ack(call, deliveries); });
  }

 private:
  PluginRecord& plugin_;
  std::unique_ptr<Subscription> inner_;
  const CallSite& poll_;
  const CallSite& ack_;
};

class GuardedBus final : public Bus {
 public:
  GuardedBus(std::unique_ptr<Bus> inner, PluginRecord& plugin)
      : plugin_(plugin),
        inner_(std::move(inner)),
        publish_(plugin.Site("Publish")),
        flush_(plugin.Site("Flush")),
        subscribe_(plugin.Site("Subscribe")) {}
  ~GuardedBus() override { DestroyGuarded(plugin_, inner_); }

  Result<std::vector<PublishOutcome>> Publish(const Call& call,
                                              std::span<const Message> messages) override {
    return Guarded(publish_, call, [&] {
      auto outcomes = inner_->Publish(call, messages);
      if (outcomes && outcomes->size() != messages.size()) {
        outcomes = Malformed(publish_, Counted(messages.size(), "message"),
                             Counted(outcomes->size(), "outcome"));
      }
      return outcomes;
    });
  }

  Result<int64_t> Flush(const Call& call) override {
    return Guarded(flush_, call, [&] { return inner_->Flush(call); });
  }

  Result<std::unique_ptr<Subscription>> Subscribe(const Call& call, const std::string& topic,
                                                  const std::string& group,
                                                  StartAt start_at) override {
    return Guarded(subscribe_, call, [&]() -> Result<std::unique_ptr<Subscription>> {
      A4C_TRY(auto bare, inner_->Subscribe(call, topic, group, start_at));
      if (bare == nullptr) return Malformed(subscribe_, "a group of " + topic, "no subscription");
      return std::unique_ptr<Subscription>(new GuardedSubscription(std::move(bare), plugin_));
    });
  }

 private:
  PluginRecord& plugin_;
  std::unique_ptr<Bus> inner_;
  const CallSite& publish_;
  const CallSite& flush_;
  const CallSite& subscribe_;
};

}  // namespace

std::unique_ptr<Bus> Guard(std::unique_ptr<Bus> bus, PluginRecord& plugin) {
  return std::make_unique<GuardedBus>(std::move(bus), plugin);
}

}  // namespace a4c::plugin
