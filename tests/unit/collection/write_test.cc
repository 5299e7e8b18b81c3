#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

using Outcome = Committed::Outcome;

Commit Keyed(const std::string& id, const std::string& body, const std::string& hash) {
  return {.changes = {{.ref = {"photo", {"s", id}}, .body = body}},
          .idempotency = Idempotency{"s", "key-1", hash, "answer of " + id}};
}

TEST_F(DatabaseTest, AWriteLeavesARecordItsOutboxRowAndAToken) {
  Open();
  const Committed done = Put("a", R"({"title":"pier"})");
  EXPECT_EQ(done.outcome, Outcome::kApplied);
  ASSERT_EQ(done.tokens.size(), 1u);
  EXPECT_EQ(done.tokens[0].rev, 1);
  ASSERT_TRUE(Read("a"));
  const auto rows = Outbox();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].rev, 1);
}

TEST_F(DatabaseTest, TheOutboxRowHasTheRevOfItsRecordHoweverOftenItIsConfirmed) {
  Open();
  Put("a", "{}");
  Sync();
  EXPECT_TRUE(Outbox().empty());
  EXPECT_EQ(Put("a", R"({"size":1})", Expect::Rev(1)).tokens[0].rev, 2);
  Put("a", R"({"size":2})", Expect::Rev(2));
  ASSERT_EQ(Outbox().size(), 1u);
  EXPECT_EQ(Outbox()[0].rev, 3);
}

TEST_F(DatabaseTest, AConflictNamesTheChange) {
  Open();
  Put("a", "{}");
  const auto done =
      database_->Write(Within(), {.changes = {{.ref = Photo("b")}, {.ref = Photo("a")}},
                                  .idempotency = Idempotency{"s", "k", "h", ""}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->outcome, Outcome::kConflict);
  ASSERT_EQ(done->failures.size(), 1u);
  EXPECT_EQ(done->failures[0].op, 1u);
  EXPECT_FALSE(Read("b"));
}

TEST_F(DatabaseTest, TheSameRequestAgainIsAnsweredFromItsRow) {
  Open();
  ASSERT_TRUE(database_->Write(Within(), Keyed("a", "{}", "h1")));
  const auto again = database_->Write(Within(), Keyed("b", "{}", "h1"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->outcome, Outcome::kReplayed);
  EXPECT_EQ(again->answer, "answer of a");
  ASSERT_EQ(again->tokens.size(), 1u);
  EXPECT_EQ(again->tokens[0].ref, Photo("a"));
  EXPECT_FALSE(Read("b"));
}

TEST_F(DatabaseTest, AnotherRequestUnderTheSameKeyIsToldSo) {
  Open();
  ASSERT_TRUE(database_->Write(Within(), Keyed("a", "{}", "h1")));
  const auto other = database_->Write(Within(), Keyed("b", "{}", "h2"));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->outcome, Outcome::kKeyReused);
}

TEST_F(DatabaseTest, AnUnknownOutcomeThatWasAppliedIsFoundByItsKey) {
  Open();
  int calls = 0;
  store_.on_apply = [&](Store& store, const Call& call,
                        std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    auto answer = store.Apply(call, batches);
    if (calls++ == 0) return AllUnknown(batches.size());
    return answer;
  };
  const auto done = database_->Write(Within(), Keyed("a", "{}", "h"));
  ASSERT_TRUE(done) << done.error().ToString();
  EXPECT_EQ(done->outcome, Outcome::kApplied);
  EXPECT_EQ(done->answer, "answer of a");
  EXPECT_EQ(Read("a")->rev, 1);
}

// Its answer names a record that the first one made, and not what this one would have made.
TEST_F(DatabaseTest, WhatAnEarlierRequestDidIsNotTakenForOurOwnAfterAnUnknownOutcome) {
  Open();
  ASSERT_TRUE(database_->Write(Within(), Keyed("a", "{}", "h")));
  int calls = 0;
  store_.on_apply = [&](Store& store, const Call& call,
                        std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    if (calls++ == 0) return AllUnknown(batches.size());
    return store.Apply(call, batches);
  };
  const auto done = database_->Write(Within(), Keyed("b", "{}", "h"));
  ASSERT_TRUE(done) << done.error().ToString();
  EXPECT_EQ(done->outcome, Outcome::kReplayed);
  EXPECT_EQ(done->answer, "answer of a");
  EXPECT_FALSE(Read("b"));
}

// A store that locks record by record: the key was free when it was looked for, and the record had
// been changed, by this very request, when that was looked at.
TEST_F(DatabaseTest, AConflictWithOnesOwnEarlierTryIsAReplay) {
  Open();
  int calls = 0;
  store_.on_apply = [&](Store& store, const Call& call,
                        std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    auto answer = store.Apply(call, batches);
    if (calls++ > 0) return answer;
    answer->results[0] = {.outcome = BatchOutcome::kConflict,
                          .failures = {{.op = 1, .reason = OpFailure::Reason::kRev}}};
    return answer;
  };
  const auto done = database_->Write(Within(), Keyed("a", "{}", "h"));
  ASSERT_TRUE(done) << done.error().ToString();
  EXPECT_EQ(done->outcome, Outcome::kReplayed);
  EXPECT_EQ(done->answer, "answer of a");
}

TEST_F(DatabaseTest, AnUnknownOutcomeThatWasNotAppliedIsSentAgain) {
  Open();
  int calls = 0;
  store_.on_apply = [&](Store& store, const Call& call,
                        std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    if (calls++ == 0) return AllUnknown(batches.size());
    return store.Apply(call, batches);
  };
  const auto done = database_->Write(Within(), {.changes = {{.ref = Photo("a")}}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->outcome, Outcome::kApplied);
  EXPECT_EQ(Read("a")->rev, 1);
}

TEST_F(DatabaseTest, WithoutAKeyAConflictAfterAResendStaysUnknown) {
  Open();
  int calls = 0;
  store_.on_apply = [&](Store& store, const Call& call,
                        std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    auto answer = store.Apply(call, batches);
    if (calls++ == 0) return AllUnknown(batches.size());
    return answer;
  };
  const auto done = database_->Write(Within(), {.changes = {{.ref = Photo("a")}}});
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().unknown_outcome());
}

// A row that is found may be on the primary alone: success waits for a commit of our own.
TEST_F(DatabaseTest, AReplayIsSuccessOnlyAfterItsOwnCommit) {
  Open();
  ASSERT_TRUE(database_->Write(Within(), Keyed("a", "{}", "h")));
  store_.on_apply = [&](Store& store, const Call& call,
                        std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    const auto* put = std::get_if<a4c::Put>(&batches[0].ops[0]);
    if (put != nullptr && !put->body) return AllUnknown(batches.size());
    return store.Apply(call, batches);
  };
  const auto done = database_->Write(Within(5'000), Keyed("a", "{}", "h"));
  EXPECT_FALSE(done) << "the row was found, but no commit of ours has reached a standby";
}

// It was done, so the error of a read is none of the request.
TEST_F(DatabaseTest, AReplayThatCannotReadItsRowIsNotARefusal) {
  Open();
  ASSERT_TRUE(database_->Write(Within(), Keyed("a", "{}", "h")));
  int reads = 0;
  store_.on_get = [&reads](Store& store, const Call& call,
                           std::span<const RecordRef> refs) -> Result<GetAnswer> {
    if (++reads == 1) return Error(Code::kUnavailable, "the primary is away");
    return store.Get(call, refs);
  };
  const auto again = database_->Write(Within(), Keyed("a", "{}", "h"));
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->outcome, Outcome::kReplayed);
  EXPECT_EQ(again->answer, "answer of a");
}

TEST_F(DatabaseTest, StillUnknownAtTheDeadlineSaysSo) {
  Open();
  store_.on_apply = [](Store&, const Call&,
                       std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    return AllUnknown(batches.size());
  };
  const auto done = database_->Write(Within(3'000), Keyed("a", "{}", "h"));
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().unknown_outcome());
  EXPECT_FALSE(done.error().hint().empty());
}

TEST_F(DatabaseTest, AnOutageIsAnsweredAtOnceAndNothingWasDone) {
  Open();
  store_.on_apply = [](Store&, const Call&, std::span<const WriteBatch>) -> Result<ApplyAnswer> {
    return Error(Code::kUnavailable, "connection refused");
  };
  const auto done = database_->Write(Within(), Keyed("a", "{}", "h"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::kUnavailable);
  EXPECT_TRUE(done.error().retryable());
}

TEST_F(DatabaseTest, AChangeThatExpectsAnythingIsRefused) {
  Open();
  EXPECT_FALSE(
      database_->Write(Within(), {.changes = {{.ref = Photo("a"), .expect = Expect::Any()}}}));
}

}  // namespace
}  // namespace a4c::testing
