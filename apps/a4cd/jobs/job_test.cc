#include "apps/a4cd/jobs/job.h"

#include <gtest/gtest.h>

#include "apps/a4cd/jobs/kinds.h"

namespace a4cd {
namespace {

Job Pending() {
  Job job;
  job.id = "j";
  job.rev = 1;
  job.type = "command.run";
  job.title = "make test";
  job.reason = reason::kWaiting;
  job.labels = {{"team", "infra"}};
  job.created_at = 1'000;
  job.updated_at = 1'000;
  job.due_at = 1'000;
  job.subject = "workspace:w";
  return job;
}

a4c::FieldValues Indexed(const Job& job) {
  return *a4c::IndexedFields(JobKind(), JobBody(job));
}

TEST(Kinds, AreAllRight) {
  for (const auto& spec : AllCollections()) {
    const auto checked = a4c::CheckKind(spec.kind);
    EXPECT_TRUE(checked) << checked.error().ToString();
  }
}

TEST(TimeText, IsRfc3339ToTheMillisecond) {
  EXPECT_EQ(TimeText(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(TimeText(1'767'323'045'006), "2026-01-02T03:04:05.006Z");
  EXPECT_EQ(TimeText(1'709'251'199'999), "2024-02-29T23:59:59.999Z");
  EXPECT_EQ(TimeText(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(TimeText(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
}

TEST(Job, ComesBackFromItsBody) {
  Job job = Pending();
  job.result = a4c::Json::Object{{"exit_code", 3}};
  const auto back = JobOf("j", 1, JobBody(job));
  ASSERT_TRUE(back);
  EXPECT_EQ(JobBody(*back), JobBody(job));
  EXPECT_EQ(back->labels, job.labels);
  EXPECT_EQ(back->rev, 1);
}

TEST(Job, IsInTheQueueAndHoldsItsSubjectWhileUnfinished) {
  const auto pending = Indexed(Pending());
  EXPECT_EQ(std::get<std::string>(pending.at("subject_key")), "workspace:w");
  EXPECT_EQ(std::get<int64_t>(pending.at("queue_priority")), 14);
  const auto running = Indexed(*Started(Pending(), 2'000, 12'000));
  EXPECT_TRUE(running.contains("subject_key"));
  EXPECT_EQ(std::get<int64_t>(running.at("due_at")), 12'000);
  for (const Job& done : {*Succeeded(Pending(), 3'000, {}), *Failed(Pending(), 3'000, "error", "x"),
                          *Canceled(Pending(), 3'000, "canceled_by_user", "")}) {
    EXPECT_FALSE(Indexed(done).contains("subject_key"));
    EXPECT_FALSE(Indexed(done).contains("queue_priority"));
    EXPECT_TRUE(done.finished());
    EXPECT_EQ(done.finished_at, 3'000);
  }
}

TEST(Job, StandsApartIfItMayTakeLong) {
  Job job = Pending();
  job.type = "workspace.start";
  EXPECT_EQ(QueueOf(job), 4);
  EXPECT_FALSE(IsOfLongJobs(QueueOf(job)));
  job.type = "command.run";
  EXPECT_EQ(QueueOf(job), 14);
  EXPECT_TRUE(IsOfLongJobs(QueueOf(job)));
  job.priority = kPriorityMax;
  EXPECT_EQ(QueueOf(job), 10);
  EXPECT_TRUE(IsOfLongJobs(QueueOf(job)));
  job.priority = 0;
  EXPECT_EQ(QueueOf(job), kQueues - 1);
  job.type = "image.build";
  job.payload = a4c::Json::Object{};
  EXPECT_FALSE(IsOfLongJobs(QueueOf(job))) << "a worker has it only if its context did not come";
}

TEST(Job, ThatHasEndedTakesNoFurtherStep) {
  const Job done = *Succeeded(Pending(), 3'000, {});
  EXPECT_EQ(Canceled(done, 4'000, "x", "").error().code(), a4c::Code::kConflict);
  EXPECT_FALSE(Started(done, 4'000, 5'000));
  EXPECT_FALSE(Succeeded(done, 4'000, {}));
  EXPECT_FALSE(Failed(done, 4'000, "x", ""));
  EXPECT_FALSE(TriedAgainLater(done, 4'000, 5'000, "x", ""));
  EXPECT_FALSE(Retried(done, 4'000));
}

TEST(Job, OnlyWhatFailedOrWasCanceledIsRetried) {
  EXPECT_FALSE(Retried(Pending(), 4'000));
  const auto again =
      Retried(*Failed(*Started(Pending(), 2'000, 9'000), 3'000, "error", "x"), 4'000);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->state, JobState::kPending);
  EXPECT_EQ(again->attempts, 0);
  EXPECT_EQ(again->due_at, 4'000);
  EXPECT_EQ(again->finished_at, 0);
  EXPECT_TRUE(Indexed(*again).contains("subject_key"));
}

TEST(Job, IsTriedAgainUntilItsAttemptsAreUsedUp) {
  Job job = Pending();
  job.attempts_max = 2;
  job = *TriedAgainLater(*Started(job, 2'000, 9'000), 3'000, 5'000, reason::kRetrying, "broke");
  EXPECT_EQ(job.state, JobState::kPending);
  EXPECT_EQ(job.due_at, 5'000);
  job = *TriedAgainLater(*Started(job, 6'000, 9'000), 7'000, 9'000, reason::kRetrying, "broke");
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.message, "broke");
}

TEST(Job, IsNotTriedAgainPastItsDeadline) {
  Job job = Pending();
  job.deadline_at = 4'000;
  job = *TriedAgainLater(*Started(job, 2'000, 9'000), 3'000, 5'000, reason::kRetrying, "broke");
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.reason, reason::kDeadline);
}

TEST(Job, IsShownWithTimesForPeopleAndWithoutTheQueue) {
  const a4c::Json view = JobView(Pending());
  EXPECT_EQ(view["created_at"].Text(), "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(view.Find("queue_priority"), nullptr);
  EXPECT_EQ(view.Find("subject_key"), nullptr);
}

}  // namespace
}  // namespace a4cd
