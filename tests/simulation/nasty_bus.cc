#include "a4c/json.h"
#include "tests/simulation/nasty.h"

namespace a4c::simulation {
namespace {

class NastySubscription final : public Subscription, private NastyCalls {
 public:
  NastySubscription(Cluster& cluster, Process& process, std::shared_ptr<Bus> bus,
                    std::unique_ptr<Subscription> inner)
      : NastyCalls(cluster, process),
        generation_(cluster.bus_generation()),
        bus_(std::move(bus)),
        inner_(std::move(inner)) {}

  // A member that dies leaves its group too: the broker notices.
  ~NastySubscription() override {
    const Simulation::Still still;
    inner_.reset();
  }

  Result<std::vector<Delivery>> Poll(const Call& call, int max) override {
    Before("poll");
    if (Fails("poll") || Gone()) return Unavailable();
    A4C_TRY(std::vector<Delivery> polled, inner_->Poll(call, max));
    if (!polled.empty() && Chance(cluster_.faults.hint_twice)) polled.push_back(polled.front());
    After();
    if (Gone()) return Unavailable();
    return polled;
  }

  Result<void> Ack(const Call& call, std::span<const Delivery> deliveries) override {
    Before("ack");
    if (Fails("ack") || Gone()) return Unavailable();
    if (!cluster_.lossy()) {
      for (const Delivery& delivery : deliveries) CheckAck(delivery);
    }
    {
      const Simulation::Still still;
      A4C_CHECK(inner_->Ack(call, deliveries));
    }
    After();
    return {};
  }

 private:
  bool Gone() const { return generation_ != cluster_.bus_generation(); }

  // A hint is acknowledged when what it announced is searchable, or its row knows better.
  void CheckAck(const Delivery& delivery) {
    const auto hint = ParseJson(delivery.message.payload);
    if (!hint) return;
    const RecordRef row{std::string(kPhotoOutbox), {(*hint)["scope"].Text(), (*hint)["id"].Text()}};
    const auto found = cluster_.Get(std::span(&row, 1));
    if (!found || !found->records[0]) return;
    const Record& record = *found->records[0];
    const int64_t rev = (*hint)["rev"].Int();
    const auto quiet = [&record](const char* name) {
      const auto value = record.quiet.find(name);
      return value == record.quiet.end() ? int64_t{0} : std::get<int64_t>(value->second);
    };
    if (record.rev > rev || quiet("confirmed") >= rev || quiet("rejections") > 0) return;
    if (cluster_.failovers() > 0 || cluster_.JudgedRev(row) >= rev) return;
    simulation().Fail("the hint of rev " + std::to_string(rev) + " of " + row.key.id +
                      " was acknowledged before it was confirmed");
  }

  const int generation_;
  const std::shared_ptr<Bus> bus_;  // outlives inner_
  std::unique_ptr<Subscription> inner_;
};

class NastyBus final : public Bus, private NastyCalls {
 public:
  using NastyCalls::NastyCalls;

  Result<std::vector<PublishOutcome>> Publish(const Call& call,
                                              std::span<const Message> messages) override {
    Before("publish");
    if (Fails("publish")) return Unavailable();
    std::vector<PublishOutcome> outcomes(messages.size(), PublishOutcome::kAccepted);
    for (size_t i = 0; i < messages.size(); ++i) {
      if (Chance(cluster_.faults.error)) {
        outcomes[i] = PublishOutcome::kFull;
      } else if (Chance(cluster_.faults.hint_lost)) {
        simulation().Note("publish: lost");
      } else {
        if (Chance(cluster_.faults.hint_twice)) Send(call, messages[i]);
        Send(call, messages[i]);
      }
    }
    After();
    return outcomes;
  }

  Result<int64_t> Flush(const Call&) override { return int64_t{0}; }

  Result<std::unique_ptr<Subscription>> Subscribe(const Call& call, const std::string& topic,
                                                  const std::string& group,
                                                  StartAt start_at) override {
    Before("subscribe");
    if (Fails("subscribe")) return Unavailable();
    std::unique_ptr<Subscription> subscription;
    {
      const Simulation::Still still;
      A4C_TRY(auto inner, cluster_.bus()->Subscribe(call, topic, group, start_at));
      subscription =
          std::make_unique<NastySubscription>(cluster_, process_, cluster_.bus(), std::move(inner));
    }
    After();
    return subscription;
  }

 private:
  void Send(const Call& call, const Message& message) {
    if (Chance(cluster_.faults.late)) {
      cluster_.Later(LateMs(), [cluster = &cluster_, message] {
        const Simulation::Still still;
        (void)cluster->bus()->Publish(cluster->call(), std::span(&message, 1));
      });
      return;
    }
    const Simulation::Still still;
    (void)cluster_.bus()->Publish(call, std::span(&message, 1));
  }
};

}  // namespace

std::unique_ptr<Bus> NewNastyBus(Cluster& cluster, Process& process) {
  return std::make_unique<NastyBus>(cluster, process);
}

}  // namespace a4c::simulation
