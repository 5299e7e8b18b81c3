#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "a4c/sinks.h"
#include "postgres_queue.h"

namespace a4c::postgres {
namespace {

const Runtime& TheRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}

Op Create(const std::string& id) {
  return Put{.ref = {"thing", {"", id}}, .body = "{}", .expect = Expect::Absent()};
}
Op Overwrite(const std::string& id) {
  return Put{.ref = {"thing", {"", id}}, .body = "{}"};
}

// Notes the groups that it is given, as "0 1" (places in their call), and holds them until told.
class HeldWriter final : public GroupWriter {
 public:
  void Flush(const Group& group, const std::stop_token& stop) override {
    std::string note;
    for (const ItemPtr& item : group)
      note += (note.empty() ? "" : " ") + std::to_string(item->index);
    {
      const Waiter::Lock lock(*waiter_);
      notes_.push_back(note);
      largest_ = std::max(largest_, group.size());
      waiter_->NotifyAll();
      while (held_ && !stop.stop_requested()) {
        waiter_->Wait(TheRuntime().clock.MonotonicMs() + 10);
      }
    }
    for (const ItemPtr& item : group) item->Finish({.outcome = BatchOutcome::kApplied}, 7);
  }

  void Hold(bool held) {
    const Waiter::Lock lock(*waiter_);
    held_ = held;
    waiter_->NotifyAll();
  }
  std::vector<std::string> AwaitGroups(size_t count) {
    const Waiter::Lock lock(*waiter_);
    const int64_t deadline_ms = TheRuntime().clock.MonotonicMs() + 60'000;
    while (notes_.size() < count && TheRuntime().clock.MonotonicMs() < deadline_ms) {
      waiter_->Wait(deadline_ms);
    }
    return notes_;
  }
  // True once a group of that many items was flushed.
  bool AwaitGroupOf(size_t items) {
    const Waiter::Lock lock(*waiter_);
    const int64_t deadline_ms = TheRuntime().clock.MonotonicMs() + 60'000;
    while (largest_ < items && TheRuntime().clock.MonotonicMs() < deadline_ms) {
      waiter_->Wait(deadline_ms);
    }
    return largest_ >= items;
  }

 private:
  const std::unique_ptr<Waiter> waiter_ = TheRuntime().threads.NewWaiter();
  bool held_ = false;
  size_t largest_ = 0;
  std::vector<std::string> notes_;
};

class PostgresQueue : public testing::Test {
 protected:
  void Open() { queue_ = NewWriteQueue(writer_, options_, TheRuntime()); }

  std::shared_ptr<Submission> Submit(std::vector<WriteBatch> batches, int64_t timeout_ms = 60'000) {
    const Call call = Call::Within(TheRuntime().clock, timeout_ms);
    auto catalog = std::make_shared<Catalog>();
    catalog->kinds["thing"] = Kind{.name = "thing"};
    auto submission =
        std::make_shared<Submission>(catalog, batches, TheRuntime(), call.deadline_ms);
    queue_->Submit(call, *submission, ItemsOf(submission));
    return submission;
  }
  // Submits on a thread of its own.
  std::unique_ptr<Thread> Start(std::vector<WriteBatch> batches) {
    return TheRuntime().threads.Start("submit", [this, batches](const std::stop_token&) {
      EXPECT_EQ(Submit(batches)->pending, 0u);
    });
  }

  HeldWriter writer_;
  Options options_;
  std::unique_ptr<WriteQueue> queue_;
};

TEST_F(PostgresQueue, BatchesOfACallShareAGroup) {
  options_.flushers = 1;
  Open();
  const auto submission = Submit({{{Create("a")}}, {{Create("b")}}});
  EXPECT_EQ(submission->pending, 0u);
  EXPECT_EQ(submission->store_time_ms, 7);
  EXPECT_EQ(writer_.AwaitGroups(1), (std::vector<std::string>{"0 1"}));
}

TEST_F(PostgresQueue, AGroupHoldsOneBatchPerRecordAndACallKeepsItsOrder) {
  options_.flushers = 4;
  Open();
  Submit({{{Overwrite("a")}}, {{Overwrite("a")}}, {{Overwrite("b")}}});
  EXPECT_EQ(writer_.AwaitGroups(2), (std::vector<std::string>{"0", "1 2"}));
}

TEST_F(PostgresQueue, CreatesAndOthersGoInGroupsOfTheirOwn) {
  options_.flushers = 1;
  Open();
  Submit({{{Create("a")}}, {{Overwrite("b")}}, {{Create("c")}}});
  EXPECT_EQ(writer_.AwaitGroups(3), (std::vector<std::string>{"0", "1", "2"}));
}

TEST_F(PostgresQueue, NoRecordIsInTwoGroupsAtOnce) {
  options_.flushers = 2;
  Open();
  writer_.Hold(true);
  const auto first = Start({{{Overwrite("a")}}});
  writer_.AwaitGroups(1);
  const auto second = Start({{{Overwrite("a")}}, {{Overwrite("b")}}});
  const auto third = Start({{{Overwrite("c")}}});
  EXPECT_EQ(writer_.AwaitGroups(2).size(), 2u);
  writer_.Hold(false);
  EXPECT_EQ(writer_.AwaitGroups(3), (std::vector<std::string>{"0", "0", "0 1"}))
      << "c passes while a is busy, and b stays behind its a";
}

TEST_F(PostgresQueue, WhatComesWhileACommitIsInFlightSharesTheNext) {
  options_.flushers = 1;
  Open();
  std::vector<std::unique_ptr<Thread>> callers;
  for (int i = 0; i < 4; ++i) {
    callers.push_back(TheRuntime().threads.Start("caller", [this, i](const std::stop_token& stop) {
      while (!stop.stop_requested()) Submit({{{Create("x" + std::to_string(i))}}});
    }));
  }
  EXPECT_TRUE(writer_.AwaitGroupOf(3));
}

TEST_F(PostgresQueue, WhatDoesNotFitIsRefusedAtOnce) {
  options_.flushers = 1;
  options_.queue_batches_max = 2;
  Open();
  writer_.Hold(true);
  const auto first = Start({{{Create("a")}}});
  writer_.AwaitGroups(1);
  const auto waiting = TheRuntime().threads.Start("waits", [this](const std::stop_token&) {
    while (Submit({{{Create("b")}}, {{Create("c")}}})->results[0].outcome !=
           BatchOutcome::kApplied) {
    }
  });
  std::optional<Error> refusal;
  const int64_t deadline_ms = TheRuntime().clock.MonotonicMs() + 60'000;
  while (!refusal && TheRuntime().clock.MonotonicMs() < deadline_ms) {
    const auto probe = Submit({{{Create("probe")}}}, 20);
    if (probe->results[0].error->code() == Code::kExhausted) refusal = probe->results[0].error;
  }
  writer_.Hold(false);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_TRUE(refusal->retryable());
}

TEST_F(PostgresQueue, ACallerWhoseTimeIsUpLeavesWithoutWhatWaitsAndWithoutKnowingTheRest) {
  options_.flushers = 1;
  Open();
  writer_.Hold(true);
  const auto submission = Submit({{{Overwrite("a")}}, {{Overwrite("a")}}}, 50);
  {
    const Waiter::Lock lock(*submission->waiter);
    EXPECT_EQ(submission->pending, 1u);
    EXPECT_EQ(submission->results[0].outcome, BatchOutcome::kUnknown);
    EXPECT_EQ(submission->results[1].outcome, BatchOutcome::kNotApplied);
    EXPECT_EQ(submission->results[1].error->code(), Code::kTimeout);
  }
  writer_.Hold(false);
}

TEST_F(PostgresQueue, GroupsStayWithinTheirBounds) {
  options_.flushers = 1;
  options_.group_batches_max = 2;
  Open();
  Submit({{{Create("a")}}, {{Create("b")}}, {{Create("c")}}});
  EXPECT_EQ(writer_.AwaitGroups(2), (std::vector<std::string>{"0 1", "2"}));
}

TEST_F(PostgresQueue, ABatchThatIsWrongNeverReachesTheWriter) {
  options_.flushers = 1;
  Open();
  const auto submission = Submit({{{Create("")}}, {{Create("a")}}});
  EXPECT_EQ(submission->results[0].outcome, BatchOutcome::kInvalid);
  EXPECT_EQ(submission->results[1].outcome, BatchOutcome::kApplied);
  EXPECT_EQ(writer_.AwaitGroups(1), (std::vector<std::string>{"1"}));
}

}  // namespace
}  // namespace a4c::postgres
