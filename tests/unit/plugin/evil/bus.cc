#include "a4c/plugin.h"
#include "tests/unit/plugin/evil/mode.h"

namespace {

class EvilSubscription final : public a4c::Subscription {
 public:
  explicit EvilSubscription(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<std::vector<a4c::Delivery>> Poll(const a4c::Call&, int max) override {
    mode_.Act("Poll");
    return std::vector<a4c::Delivery>(
        static_cast<size_t>(max + (mode_.Is("too_many", "Poll") ? 1 : 0)));
  }
  a4c::Result<void> Ack(const a4c::Call&, std::span<const a4c::Delivery>) override {
    mode_.Act("Ack");
    return {};
  }

 private:
  const evil::Mode& mode_;
};

class EvilBus final : public a4c::Bus {
 public:
  EvilBus(const a4c::Config& config, const a4c::Runtime& runtime) : mode_(config, runtime) {}
  a4c::Result<std::vector<a4c::PublishOutcome>> Publish(
      const a4c::Call&, std::span<const a4c::Message> messages) override {
    mode_.Act("Publish");
    return std::vector<a4c::PublishOutcome>(messages.size() -
                                            (mode_.Is("too_few", "Publish") ? 1 : 0));
  }
  a4c::Result<int64_t> Flush(const a4c::Call& call) override {
    mode_.Act("Flush");
    mode_.Hang("Flush", call);
    return 0;
  }
  a4c::Result<std::unique_ptr<a4c::Subscription>> Subscribe(const a4c::Call&, const std::string&,
                                                            const std::string&,
                                                            a4c::StartAt) override {
    mode_.Act("Subscribe");
    if (mode_.Is("null", "Subscribe")) return std::unique_ptr<a4c::Subscription>();
    return std::unique_ptr<a4c::Subscription>(new EvilSubscription(mode_));
  }

 private:
  evil::Mode mode_;
};

a4c::Result<std::unique_ptr<a4c::Bus>> Make(const a4c::Config& config,
                                            const a4c::Runtime& runtime) {
  return std::unique_ptr<a4c::Bus>(new EvilBus(config, runtime));
}

}  // namespace

A4C_PLUGIN(Bus, EVIL_NAME, "a bus for tests of the host", evil::kKeys, a4c::kNothingAbsent, Make);
