#include "apps/a4cd/work/outcome.h"

#include <gtest/gtest.h>

#include "apps/a4cd/work/job_log.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;

TEST(Outcome, WhatCanPassIsTriedAgainAndTheRestFails) {
  for (const Code code : {Code::kExhausted, Code::kUnavailable, Code::kTimeout, Code::kCanceled,
                          Code::kUnknownOutcome, Code::kConflict}) {
    EXPECT_EQ(OutcomeOf(Error(code, "m")).what, Outcome::What::kTryLater) << CodeName(code);
  }
  for (const Code code :
       {Code::kInvalid, Code::kNotFound, Code::kDenied, Code::kUnsupported, Code::kInternal}) {
    EXPECT_EQ(OutcomeOf(Error(code, "m")).what, Outcome::What::kFailed) << CodeName(code);
  }
  EXPECT_EQ(OutcomeOf(Error(Code::kInvalid, "what", "do this")).message, "what (do this)");
}

TEST(Outcome, TheHighestEpochThatAServerHasSeenIsRead) {
  const auto seen = [](const a4c::Fence& fence, const a4c::Fence& highest) {
    return HighestEpochIn(a4c::Admit("ws-1", fence, highest).error());
  };
  EXPECT_EQ(seen({2, "claim-1"}, {47, "claim-2"}), 47);
  EXPECT_EQ(seen({5, "claim-1"}, {5, "claim-2"}), 5);
  EXPECT_EQ(HighestEpochIn(Error(Code::kConflict,
                                 "a4c-host: unit ws-1: epoch 2 is below the highest, 4 (409)")),
            4);
  EXPECT_EQ(HighestEpochIn(Error(Code::kConflict, "the unit ws-1 is another's")), std::nullopt);
  EXPECT_EQ(HighestEpochIn(Error(Code::kUnavailable, "epoch 2 is below the highest, 4")),
            std::nullopt);
}

TEST(Outcome, WaitsDoubleUpToTheirBoundWithHalfOfThemDrawn) {
  for (const uint64_t random : {uint64_t{0}, uint64_t{1} << 40, UINT64_MAX}) {
    for (int64_t attempt = 0; attempt < 100; ++attempt) {
      const int64_t whole = attempt <= 1 ? 1'000 : attempt > 6 ? 60'000 : 1'000LL << (attempt - 1);
      const int64_t wait = RetryWaitMs(attempt, 1'000, 60'000, random);
      EXPECT_LE(wait, whole);
      EXPECT_GE(wait, whole / 2);
    }
  }
  EXPECT_NE(RetryWaitMs(1, 1'000, 60'000, 0), RetryWaitMs(1, 1'000, 60'000, 77));
}

TEST(Outcome, AWaitForRoomThatCannotComeDoublesUpToItsBoundAndNotPastTheDeadline) {
  EXPECT_EQ(RoomWaitMs(0, 5'000, 300'000, INT64_MAX), 5'000);
  EXPECT_EQ(RoomWaitMs(4'000, 5'000, 300'000, INT64_MAX), 8'000);
  EXPECT_EQ(RoomWaitMs(200'000, 5'000, 300'000, INT64_MAX), 300'000);
  EXPECT_EQ(RoomWaitMs(INT64_MAX, 5'000, 300'000, INT64_MAX), 300'000);
  EXPECT_EQ(RoomWaitMs(300'000, 600'000, 300'000, INT64_MAX), 600'000);
  EXPECT_EQ(RoomWaitMs(200'000, 5'000, 300'000, 60'000), 55'000) << "one more before the deadline";
  EXPECT_EQ(RoomWaitMs(200'000, 5'000, 300'000, 7'000), 5'000);
}

TEST(Outcome, AnAttemptThatDoesNotCountIsGivenBack) {
  Draft draft;
  draft.job.state = JobState::kRunning;
  draft.job.attempts = 1;
  draft.job.attempts_max = 1;
  const Outcome outcome{.what = Outcome::What::kTryLater,
                        .reason = "no_capacity",
                        .message = "full",
                        .result = {},
                        .counts = false,
                        .wait_ms = 500};
  ASSERT_TRUE(EndAttempt(outcome, 10'000, 9'999, draft));
  EXPECT_EQ(draft.job.state, JobState::kPending);
  EXPECT_EQ(draft.job.attempts, 0);
  EXPECT_EQ(draft.job.due_at, 10'500);
}

TEST(JobLog, NoCharacterIsCut) {
  EXPECT_EQ(WholeCharacters("abc", 2), 2u);
  EXPECT_EQ(WholeCharacters("abc", 9), 3u);
  EXPECT_EQ(WholeCharacters("a\xC3\xA4", 2), 1u);
  EXPECT_EQ(WholeCharacters("a\xC3\xA4", 3), 3u);
  EXPECT_EQ(WholeCharacters("a\xF0\x9F\x98\x80z", 4), 1u);
  EXPECT_EQ(WholeCharacters("a\xF0\x9F\x98\x80z", 5), 5u);
  EXPECT_EQ(WholeCharacters("\x80\x80\x80\x80\x80", 4), 4u);
}

}  // namespace
}  // namespace a4cd
