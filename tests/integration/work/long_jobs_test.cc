// Jobs that may take long get some of the workers, and leave the others to what does not.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

// Each worker that has a job sets the next one to work before it is done with its own: so all of
// them are at work at once, on one thread.
class LongJobsTest : public ::testing::Test {
 protected:
  void Workers(int count, int long_jobs_max = 0) {
    WorkerOptions options;
    options.work.workers = count;
    options.work.long_jobs_max = long_jobs_max;
    instance_ = std::make_unique<Instance>(fake_.runtime(), *store_, *hosts_, options);
    workers_ = instance_->worker.NewWorkLoops([this](JobRun& run, JobLog&) {
      at_work_.push_back(run.job().type);
      next_ += 1;
      if (next_ < workers_.size()) Step(next_);
      return Outcome::Succeeded(Json::Object{});
    });
  }
  void Submit(const std::string& type) {
    static int number = 0;
    const std::string name = "j-" + std::to_string(++number);
    JobDraft draft;
    draft.type = type;
    draft.payload = type == "image.build" ? Json::Object{{"tag", name}, {"context", "AAAA"}}
                                          : Json(CreatePayload(name));
    ASSERT_TRUE(testing::Submit(fake_.runtime(), *instance_, draft));
    fake_.clock().Advance(1'000);
  }
  void SubmitLong(int count) {
    for (int i = 0; i < count; ++i) Submit("image.build");
  }
  // What all workers are at work on at once.
  std::vector<std::string> AllAtOnce() {
    at_work_.clear();
    next_ = 0;
    Step(0);
    return at_work_;
  }
  void Step(size_t worker) {
    const Result<int64_t> step = workers_[worker]->Step(fake_.Within(1'000));
    EXPECT_TRUE(step) << step.error().ToString();
  }
  static int64_t LongOf(const std::vector<std::string>& types) {
    return std::ranges::count(types, "image.build");
  }

  a4c::testing::FakeRuntime fake_;
  const std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(fake_.runtime());
  const std::unique_ptr<a4c::HostProvider> hosts_ = NewMemoryHostProvider(fake_.runtime(), {});
  std::unique_ptr<Instance> instance_;
  std::vector<std::unique_ptr<a4c::Loop>> workers_;
  std::vector<std::string> at_work_;
  size_t next_ = 0;
};

TEST_F(LongJobsTest, LeaveOneWorkerToTheOthers) {
  Workers(4);
  SubmitLong(9);
  Submit("workspace.create");
  Submit("workspace.create");
  const std::vector<std::string> first = AllAtOnce();
  EXPECT_EQ(first.size(), 4u);
  EXPECT_EQ(LongOf(first), 3);
  const std::vector<std::string> second = AllAtOnce();
  EXPECT_EQ(LongOf(second), 3) << "those that have ended hold no place";
  EXPECT_EQ(second.size(), 4u);
  const std::vector<std::string> third = AllAtOnce();
  EXPECT_EQ(third.size(), 3u) << "the fourth finds nothing that it may do";
  EXPECT_EQ(LongOf(third), 3);
}

TEST_F(LongJobsTest, AreAsManyAsTheConfigSays) {
  Workers(4, 2);
  SubmitLong(4);
  EXPECT_EQ(LongOf(AllAtOnce()), 2);
}

TEST_F(LongJobsTest, AreDoneByTheOnlyWorkerToo) {
  Workers(1);
  SubmitLong(1);
  EXPECT_EQ(LongOf(AllAtOnce()), 1);
}

TEST_F(LongJobsTest, MayBeAllIfTheConfigSaysSo) {
  Workers(3, 9);
  SubmitLong(3);
  EXPECT_EQ(LongOf(AllAtOnce()), 3);
}

// Neither waits for as long as there are others.
TEST_F(LongJobsTest, TakeTurnsWithTheOthersByTheirAge) {
  Workers(1);
  Submit("workspace.create");
  Submit("image.build");
  Submit("workspace.create");
  Submit("image.build");
  std::vector<std::string> order;
  for (int i = 0; i < 4; ++i) order.push_back(AllAtOnce().at(0));
  EXPECT_EQ(order, (std::vector<std::string>{"workspace.create", "image.build", "workspace.create",
                                             "image.build"}));
}

// What an older instance has queued stands among the others, and is done all the same.
TEST_F(LongJobsTest, OfAnOlderVersionAreDoneToo) {
  Workers(1);
  Submit("image.build");
  const auto page = instance_->database.Scan(
      fake_.Within(1'000), {.kind = JobKind().name, .index = "by_due", .limit = 1});
  ASSERT_TRUE(page && page->records.size() == 1);
  a4c::Record record = page->records[0];
  Json body = *a4c::ParseJson(record.body);
  body.Set("queue_priority", 4);
  const a4c::WriteBatch batch{{a4c::Put{.ref = record.ref, .body = body.ToString()}}};
  ASSERT_TRUE(store_->Apply(fake_.Within(1'000), std::span(&batch, 1)));
  EXPECT_EQ(LongOf(AllAtOnce()), 1);
}

}  // namespace
}  // namespace a4cd::testing
