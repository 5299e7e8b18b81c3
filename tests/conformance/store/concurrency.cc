#include <algorithm>
#include <array>
#include <atomic>

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreConcurrency : public StoreSuite {
 protected:
  // One store each where instances share their records, else the one store for all.
  void OnInstances(int count, const std::function<void(Store&, int)>& body) {
    OnThreads(count, [&](int i) {
      if (Absent("shared_instances")) {
        body(store(), i);
        return;
      }
      const std::unique_ptr<Store> own = Make<Store>();
      const Result<void> ensured = own->Ensure(Within(), {&kind_data(), 1});
      EXPECT_TRUE(ensured.has_value()) << ensured.error().ToString();
      body(*own, i);
    });
  }
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
      } else {
        EXPECT_TRUE(told.starts_with("conflict 0:rev=")) << told;
      }
    }
  });
  EXPECT_EQ(Read("a")->rev, 1 + kThreads * kEach);
}

// Each moves one from a to b or back, in batches that name both in either order.
TEST_F(StoreConcurrency, BatchesOverTheSameRecordsNeitherMixNorHang) {
  constexpr int64_t kTotal = 1000;
  Create("a", "{}", {{"count", kTotal / 2}});
  Create("b", "{}", {{"count", kTotal / 2}});
  OnInstances(8, [&](Store& store, int thread) {
    for (int i = 0; i < 15; ++i) {
      const std::string owner = std::to_string(thread) + "-" + std::to_string(i);
      const bool forth = (thread + i) % 2 == 0;
      std::vector<Op> ops = {Add{.ref = Ref("a"), .field = "count", .delta = forth ? -1 : 1},
                             Add{.ref = Ref("b"), .field = "count", .delta = forth ? 1 : -1},
                             Put{.ref = Ref(owner), .body = "{}", .expect = Expect::Absent()}};
      if (thread % 2 == 1) std::reverse(ops.begin(), ops.end());
      EXPECT_TRUE(ApplyTo(store, {std::move(ops)}).starts_with("applied ")) << owner;
      const std::vector<RecordRef> both = {Ref("a"), Ref("b")};
      EXPECT_TRUE(store.Get(Within(), both).has_value());
    }
  });
  const int64_t a = std::get<int64_t>(Read("a")->quiet.at("count"));
  const int64_t b = std::get<int64_t>(Read("b")->quiet.at("count"));
  EXPECT_EQ(a + b, kTotal);
}

TEST_F(StoreConcurrency, OneGetSeesABatchWholeOrNotAtAll) {
  Create("a", R"({"n":0})");
  Create("b", R"({"n":0})");
  std::atomic<bool> done = false;
  OnThreads(2, [&](int thread) {
    if (thread == 0) {
      for (int i = 1; i <= 60; ++i) {
        const std::string body = R"({"n":)" + std::to_string(i) + "}";
        EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = body}, Put{.ref = Ref("b"), .body = body}}),
                  "applied " + std::to_string(i + 1) + " " + std::to_string(i + 1));
      }
      done = true;
      return;
    }
    const std::vector<RecordRef> both = {Ref("a"), Ref("b")};
    while (!done) {
      const Result<GetAnswer> answer = store().Get(Within(), both);
      ASSERT_TRUE(answer.has_value());
      EXPECT_EQ(answer->records.at(0)->body, answer->records.at(1)->body);
    }
  });
}

}  // namespace
}  // namespace a4c::conformance
