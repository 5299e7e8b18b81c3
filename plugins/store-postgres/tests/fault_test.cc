// Sessions are cut under load, again and again.
#include <gtest/gtest.h>

#include "a4c/group_commit.h"
#include "tests/support/cutting_proxy.h"
#include "tests/test_load.h"

namespace a4c::postgres {
namespace {

constexpr int kWriters = 6;
constexpr int kCuts = 25;
constexpr int kWritesPerCut = 20;

class PostgresFaults : public ServerTest {
 protected:
  // Those still connecting are left alone: Poco 1.11 would leak their connection (poco#4231).
  int CutSessions() {
    return std::stoi(
        Sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query <> '' AND "
            "query NOT LIKE '%set_config%' AND application_name = '" +
            name_ + "'"));
  }

  // Cuts all sessions, each time after some more writes were acknowledged.
  void CutUnderLoad(Store& store) {
    Load load(store, kWriters);
    int cut = 0;
    for (int cuts = 1; cuts <= kCuts; ++cuts) {
      ASSERT_TRUE(load.AwaitAcknowledged(cuts * kWritesPerCut));
      cut += CutSessions();
    }
    load.StopAndCheck();
    EXPECT_GE(cut, kCuts);
  }
};

TEST_F(PostgresFaults, NothingAcknowledgedIsLostAndNothingUnknownIsCalledAFailure) {
  Open(Load::Kinds());
  CutUnderLoad(*store_);
}

TEST_F(PostgresFaults, TheSameHoldsForBatchesThatShareACommit) {
  Open(Load::Kinds());
  const std::unique_ptr<Store> grouped = NewGroupCommit(*store_, TheRuntime());
  CutUnderLoad(*grouped);
}

// Its host is gone without a word. Behind it in the list is the one to go on with, here the same
// server by another way.
TEST_F(PostgresFaults, AServerThatFallsSilentCostsWritesOneCommitTimeoutAndNotOneASession) {
  testing::CuttingProxy proxy(TheRuntime().threads, PQhost(sql_.get()),
                              std::stoi(PQport(sql_.get())));
  const std::string host = PQhost(sql_.get());
  const std::string servers = " host=127.0.0.1," + host + " port=" + std::to_string(proxy.port()) +
                              "," + PQport(sql_.get());
  constexpr int kSessions = 8;
  Open(Load::Kinds(), {{"dsn", ConfigValue::Scalar(dsn_ + servers)},
                       {"sessions_max", ConfigValue::Scalar(std::to_string(kSessions))},
                       {"commit_timeout", ConfigValue::Scalar("1s")}});
  Load load(*store_, kSessions);
  ASSERT_TRUE(load.AwaitAcknowledged(300));
  load.StopAndCheck();
  const std::string idle =
      Sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + name_ + "'");
  ASSERT_GE(std::stoi(idle), kSessions / 2);
  proxy.StallAfter(0);
  const int64_t silent_ms = TheRuntime().clock.MonotonicMs();
  const std::vector<Op> write = {Put{.ref = {"thing", {"", "a"}}, .body = "{}"}};
  while (Apply(write).outcome != BatchOutcome::kApplied) {
    ASSERT_LT(TheRuntime().clock.MonotonicMs() - silent_ms, 60'000);
    Load::Pause(20);
  }
  // The commit_timeout, and the connect_timeout of the one that is silent.
  EXPECT_LT(TheRuntime().clock.MonotonicMs() - silent_ms, 6000);
}

}  // namespace
}  // namespace a4c::postgres
