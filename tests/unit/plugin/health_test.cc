#include <thread>

#include "tests/unit/plugin/plugin_test.h"

namespace a4c::testing {
namespace {

// A thread in a call that hangs until it is let go.
class Hanging {
 public:
  template <typename MakeCall>
  explicit Hanging(MakeCall make_call)
      : thread_([call = make_call(stop_.get_token())] { EXPECT_TRUE(call()); }) {}
  ~Hanging() { LetGo(); }
  void LetGo() {
    stop_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::stop_source stop_;
  std::thread thread_;
};

// Calls that hang, on fake time. One host's watchdog judges all of its plugins at once: where
// store-good has to stay healthy, a Flush of bus-evil that is overdue shows that it has looked.
class PluginHealthTest : public PluginTest {
 protected:
  void SetUp() override {
    store = MakeStore("hang", "Get");
    bus = *host.MakeBus("bus-evil", Misbehaving("hang", "Flush"));
  }

  std::unique_ptr<Hanging> Get(int64_t timeout_ms) {
    return std::make_unique<Hanging>([&](std::stop_token stop) {
      return [this, call = Within(timeout_ms, std::move(stop))] {
        return store->Get(call, {}).has_value();
      };
    });
  }
  std::unique_ptr<Hanging> Flush(Bus& on, int64_t timeout_ms) {
    return std::make_unique<Hanging>([&](std::stop_token stop) {
      return
          [&on, call = Within(timeout_ms, std::move(stop))] { return on.Flush(call).has_value(); };
    });
  }
  static bool Healthy(const PluginHost& of, std::string_view name) {
    for (const PluginHealth& health : of.Health()) {
      if (health.name == name) return health.healthy;
    }
    ADD_FAILURE() << name << " is not listed";
    return false;
  }
  std::string ReasonOf(std::string_view name) const {
    for (const PluginHealth& health : host.Health()) {
      if (health.name == name) return health.reason;
    }
    return "not listed";
  }

  std::unique_ptr<Store> store;
  std::unique_ptr<Bus> bus;
};

TEST_F(PluginHealthTest, EveryPluginThatWasMadeIsListedOnceAndHealthy) {
  const auto another = MakeStore();
  const auto health = host.Health();
  ASSERT_EQ(health.size(), 2u);
  EXPECT_EQ(health[0].name, "bus-evil");
  EXPECT_EQ(health[1].name, "store-good");
  EXPECT_TRUE(health[0].healthy && health[1].healthy);
}

TEST_F(PluginHealthTest, AnOverdueCallMakesThePluginUnhealthyUntilItEnds) {
  const auto get = Get(1000);
  ASSERT_TRUE(fake.clock().AwaitWaiting(2));  // the Get and the watchdog
  fake.clock().Advance(1000 + 5200);
  EXPECT_TRUE(Eventually([&] { return !Healthy(host, "store-good"); }));
  EXPECT_TRUE(Healthy(host, "bus-evil"));
  EXPECT_EQ(ReasonOf("store-good"), "Get is overdue by 5.2 s");
  EXPECT_EQ(fake.metrics().GaugeOf("a4c_plugin_healthy{plugin=\"store-good\"}"), 0);
  get->LetGo();
  fake.clock().Advance(2000);
  EXPECT_TRUE(Eventually([&] { return Healthy(host, "store-good"); }));
  EXPECT_EQ(ReasonOf("store-good"), "");
  EXPECT_EQ(fake.metrics().GaugeOf("a4c_plugin_healthy{plugin=\"store-good\"}"), 1);
  EXPECT_EQ(fake.log().CountOf("plugin is unhealthy"), 1);
  EXPECT_EQ(fake.log().CountOf("plugin is healthy again"), 1);
}

TEST_F(PluginHealthTest, AHangingCallOfASiteThatWasQuickIsOverdueFromWhenItWasSeen) {
  // Quick calls are not timed, this one among them.
  std::stop_source stopped;
  stopped.request_stop();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(store->Get(Within(1000, stopped.get_token()), {}));
  const auto get = Get(-3'600'000);  // by this deadline, abandon_ms would be long past
  ASSERT_TRUE(fake.clock().AwaitWaiting(2));
  fake.clock().Advance(1000);  // the watchdog sees it
  ASSERT_TRUE(fake.clock().AwaitWaiting(2));
  fake.clock().Advance(4000);
  EXPECT_TRUE(Eventually([&] {
    fake.clock().Advance(100);
    return !Healthy(host, "store-good");
  }));
}

TEST_F(PluginHealthTest, OfSeveralOverdueCallsTheWorstIsTheReason) {
  const auto first = Get(2000);
  const auto worst = Get(1000);
  const auto last = Get(3000);
  ASSERT_TRUE(fake.clock().AwaitWaiting(4));
  fake.clock().Advance(9000);
  EXPECT_TRUE(Eventually([&] { return !Healthy(host, "store-good"); }));
  EXPECT_EQ(ReasonOf("store-good"), "Get is overdue by 8.0 s");
}

TEST_F(PluginHealthTest, ACallWithinItsDeadlineIsHealthyHoweverLong) {
  const auto get = Get(3'600'000);
  const auto flush = Flush(*bus, 3'000'000);
  ASSERT_TRUE(fake.clock().AwaitWaiting(3));
  fake.clock().Advance(3'006'000);
  EXPECT_TRUE(Eventually([&] { return !Healthy(host, "bus-evil"); }));
  EXPECT_TRUE(Healthy(host, "store-good"));
}

TEST_F(PluginHealthTest, ADeadlineThatHadPassedBeforeTheCallIsNotHeldAgainstThePlugin) {
  const auto get = Get(-3'600'000);  // by this deadline, abandon_ms would be long past
  const auto flush = Flush(*bus, -3'600'000);
  ASSERT_TRUE(fake.clock().AwaitWaiting(3));
  fake.clock().Advance(5100);
  EXPECT_TRUE(Eventually([&] { return !Healthy(host, "bus-evil"); }));
  EXPECT_EQ(ReasonOf("bus-evil"), "Flush is overdue by 5.1 s");
}

TEST_F(PluginHealthTest, CallsOfAnotherHostAreNotOurs) {
  PluginHost other(fake.runtime(), EvilOptions());
  const auto idle = other.MakeStore("store-good", {});
  const auto others_bus = *other.MakeBus("bus-evil", Misbehaving("hang", "Flush"));
  const auto get = Get(1000);
  const auto flush = Flush(*others_bus, 1000);
  ASSERT_TRUE(fake.clock().AwaitWaiting(4));
  fake.clock().Advance(10'000);
  EXPECT_TRUE(Eventually([&] { return !Healthy(host, "store-good"); }));
  EXPECT_TRUE(Eventually([&] { return !Healthy(other, "bus-evil"); }));
  EXPECT_TRUE(Healthy(other, "store-good"));
  EXPECT_TRUE(Healthy(host, "bus-evil"));
}

TEST_F(PluginHealthTest, ACallOnAnotherClockIsNeverOverdue) {
  const FakeRuntime elsewhere;
  const Hanging get([&](std::stop_token stop) {
    return [this, call = Call{elsewhere.runtime().clock, 0, std::move(stop), {}}] {
      return store->Get(call, {}).has_value();
    };
  });
  const auto flush = Flush(*bus, 1000);
  ASSERT_TRUE(fake.clock().AwaitWaiting(3));
  fake.clock().Advance(59'000);
  EXPECT_TRUE(Eventually([&] { return !Healthy(host, "bus-evil"); }));
  EXPECT_TRUE(Healthy(host, "store-good"));
}

// In a child process: the host ends it.
TEST(PluginAbandonTest, PastTheSecondBoundTheProcessExitsNamingPluginAndCall) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        FakeRuntime fake;
        PluginHost host(fake.runtime(), EvilOptions());
        const auto store = host.MakeStore("store-good", Misbehaving("hang", "Apply"));
        std::thread caller([&] { (void)(*store)->Apply(fake.Within(1000), {}); });
        if (!fake.clock().AwaitWaiting(2)) _exit(1);
        fake.clock().Advance(61'000);
        caller.join();
      },
      ::testing::ExitedWithCode(70), "a4c: store-good: call Apply is overdue by 60.0 s");
}

}  // namespace
}  // namespace a4c::testing
