#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

// The revs that writers were told: each is given once.
class Revs {
 public:
  void Note(const RecordRef& ref, int64_t rev) {
    const std::scoped_lock lock(mutex_);
    EXPECT_TRUE(told_[ref].insert(rev).second)
        << ref.key.id << ": rev " << rev << " was told twice";
  }
  int64_t Highest(const RecordRef& ref) { return told_[ref].empty() ? 0 : *told_[ref].rbegin(); }

 private:
  std::mutex mutex_;
  std::map<RecordRef, std::set<int64_t>> told_;
};

class StoreConcurrency : public StoreSuite {
 protected:
  static std::string ApplyTo(Store& store, const WriteBatch& batch) {
    Result<ApplyAnswer> answer = store.Apply(Within(), {&batch, 1});
    return answer ? Told(answer->results.at(0)) : answer.error().ToString();
  }
};

TEST_F(StoreConcurrency, ACreateRaceHasOneWinner) {
  std::array<std::atomic<int>, 20> winners = {};
  OnInstances(8, [&](Store& store, int) {
    for (size_t i = 0; i < winners.size(); ++i) {
      const std::string told = ApplyTo(
          store,
          {{Put{.ref = Ref("id" + std::to_string(i)), .body = "{}", .expect = Expect::Absent()}}});
      if (told == "applied 1") {
        ++winners[i];
      } else {
        EXPECT_EQ(told, "conflict 0:present=1");
      }
    }
  });
  for (const auto& count : winners) EXPECT_EQ(count, 1);
}

TEST_F(StoreConcurrency, ExpectingRevsLosesNoUpdate) {
  constexpr int kThreads = 6;
  constexpr int kEach = 15;
  Create("a", R"({"n":0})");
  Revs revs;
  OnInstances(kThreads, [&](Store& store, int) {
    const RecordRef ref = Ref("a");
    const Call call = Within(120'000);
    for (int done = 0; done < kEach && !call.Expired();) {
      const Result<GetAnswer> read = store.Get(call, {&ref, 1});
      ASSERT_TRUE(read.has_value()) << read.error().ToString();
      const int64_t rev = read->records.at(0)->rev;
      const std::string told = ApplyTo(store, {{Put{.ref = ref,
                                                    .body = R"({"n":)" + std::to_string(rev) + "}",
                                                    .expect = Expect::Rev(rev)}}});
      if (told == "applied " + std::to_string(rev + 1)) {
        ++done;
        revs.Note(ref, rev + 1);
      } else {
        EXPECT_TRUE(told.starts_with("conflict 0:rev=")) << told;
      }
    }
  });
  EXPECT_EQ(Read("a")->rev, 1 + kThreads * kEach);
}

// What expects nothing is no conflict, also where all find no record, and is told a rev all the
// same.
TEST_F(StoreConcurrency, EachOfManyUpsertsGetsARevOfItsOwn) {
  constexpr int kThreads = 8;
  constexpr int kRecords = 5;
  constexpr int kEach = 4;
  Revs revs;
  OnInstances(kThreads, [&](Store& store, int) {
    for (int i = 0; i < kRecords * kEach; ++i) {
      const RecordRef ref = Ref("up" + std::to_string(i / kEach));
      const BatchResult result = ApplySurely(store, {{Put{.ref = ref, .body = "{}"}}});
      ASSERT_EQ(result.outcome, BatchOutcome::kApplied) << Told(result);
      revs.Note(ref, result.values.at(0));
    }
  });
  for (int i = 0; i < kRecords; ++i) {
    const std::string id = "up" + std::to_string(i);
    EXPECT_EQ(Read(id)->rev, revs.Highest(Ref(id)));
  }
}

// Each moves one from a to b, in batches that name both in either order.
TEST_F(StoreConcurrency, BatchesOverTheSameRecordsNeitherMixNorHang) {
  constexpr int kThreads = 8;
  constexpr int kEach = 15;
  Create("a", "{}", {{"count", int64_t{kThreads * kEach}}});
  Create("b");
  OnInstances(kThreads, [&](Store& store, int thread) {
    for (int i = 0; i < kEach; ++i) {
      const std::string owner = std::to_string(thread) + "-" + std::to_string(i);
      std::vector<Op> ops = {Add{.ref = Ref("a"), .field = "count", .delta = -1},
                             Add{.ref = Ref("b"), .field = "count", .delta = 1},
                             Put{.ref = Ref(owner), .body = "{}", .expect = Expect::Absent()}};
      if (thread % 2 == 1) std::reverse(ops.begin(), ops.end());
      EXPECT_TRUE(ApplyTo(store, {std::move(ops)}).starts_with("applied ")) << owner;
      const std::vector<RecordRef> both = {Ref("a"), Ref("b")};
      EXPECT_TRUE(store.Get(Within(), both).has_value());
    }
  });
  EXPECT_EQ(Quiet("a"), "count=0");
  EXPECT_EQ(Quiet("b"), "count=" + std::to_string(kThreads * kEach));
}

TEST_F(StoreConcurrency, OneGetSeesABatchWholeOrNotAtAll) {
  Create("a", R"({"n":0})");
  Create("b", R"({"n":0})");
  std::atomic<bool> done = false;
  OnInstances(2, [&](Store& store, int thread) {
    if (thread == 0) {
      for (int i = 1; i <= 60; ++i) {
        const std::string body = R"({"n":)" + std::to_string(i) + "}";
        EXPECT_EQ(ApplyTo(store, {{Put{.ref = Ref("a"), .body = body},
                                   Put{.ref = Ref("b"), .body = body}}}),
                  "applied " + std::to_string(i + 1) + " " + std::to_string(i + 1));
      }
      done = true;
      return;
    }
    const std::vector<RecordRef> both = {Ref("a"), Ref("b")};
    while (!done) {
      const Result<GetAnswer> answer = store.Get(Within(), both);
      ASSERT_TRUE(answer.has_value());
      EXPECT_EQ(answer->records.at(0)->body, answer->records.at(1)->body);
    }
  });
}

}  // namespace
}  // namespace a4c::conformance
