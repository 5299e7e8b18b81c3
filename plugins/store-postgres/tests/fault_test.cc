// Sessions are cut under load, again and again.
#include <gtest/gtest.h>

#include "a4c/group_commit.h"
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

}  // namespace
}  // namespace a4c::postgres
