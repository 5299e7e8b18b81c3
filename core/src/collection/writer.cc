#include "collection/writer.h"

#include <algorithm>

#include "a4c/json.h"
#include "collection/outbox.h"

namespace a4c {
namespace {

constexpr int64_t kFirstPauseMs = 10;
constexpr int64_t kLongestPauseMs = 500;

RecordRef IdempotencyRef(const Idempotency& idempotency) {
  return {std::string(kIdempotencyKind), {idempotency.scope, idempotency.key}};
}

Put IdempotencyPut(const Idempotency& idempotency, std::span<const Token> tokens, int64_t now_ms) {
  Json body;
  body.Set("request", idempotency.request_hash).Set("answer", idempotency.answer);
  Json texts(Json::Array{});
  for (const Token& token : tokens) {
    Json entry;
    entry.Set("scope", token.ref.key.scope).Set("token", TokenText(token));
    texts.Append(std::move(entry));
  }
  body.Set("tokens", std::move(texts));
  return Put{.ref = IdempotencyRef(idempotency),
             .body = body.ToString(),
             .quiet = {{"created", now_ms}},
             .expect = Expect::Absent()};
}

int64_t RevMade(const Change& change) {
  return change.expect.what == Expect::What::kRev ? change.expect.rev + 1 : 1;
}

// One commit on its way: sends the batch until its fate is known.
class Writing {
 public:
  Writing(Database::State& state, const Call& call, const Commit& commit, PlannedBatch planned)
      : state_(state), call_(call), commit_(commit), planned_(std::move(planned)) {}

  Result<Committed> Run() {
    for (int64_t pause_ms = kFirstPauseMs;; pause_ms = std::min(pause_ms * 2, kLongestPauseMs)) {
      BatchResult result = Send(planned_.batch);
      if (result.outcome == BatchOutcome::kApplied) return Applied(Committed::Outcome::kApplied);
      if (IsDenied(result)) {
        key_found_ = key_found_ || IsReplay(result);
        auto replayed = Replay();
        if (replayed && *replayed) return **std::move(replayed);
        if (replayed && !key_found_) return Refused(std::move(result));
      } else if (Undecided(result)) {
        unknown_ = true;
      } else if (!MayBeDone() || result.outcome != BatchOutcome::kNotApplied) {
        return Refused(std::move(result));
      }
      if (!state_.Pause(call_, pause_ms)) return StillUnknown();
    }
  }

 private:
  BatchResult Send(const WriteBatch& batch) {
    Result<ApplyAnswer> answer = state_.store->Apply(call_, std::span(&batch, 1));
    if (answer) {
      state_.store_time.Heard(answer->store_time_ms);
      return std::move(answer->results[0]);
    }
    BatchResult result;
    result.outcome =
        answer.error().unknown_outcome() ? BatchOutcome::kUnknown : BatchOutcome::kNotApplied;
    result.error = answer.error();
    return result;
  }

  static bool Undecided(const BatchResult& result) {
    return result.outcome == BatchOutcome::kUnknown;
  }

  // Only the key can tell whether it is this very request that is in the way. A store that locks
  // one record after another may have looked for the row before an earlier try was committed, and
  // at the rest after that.
  bool IsDenied(const BatchResult& result) const {
    return commit_.idempotency && (result.outcome == BatchOutcome::kConflict ||
                                   result.outcome == BatchOutcome::kOutOfBounds);
  }

  // The idempotency row is op 0 and judged first: if it is there, the rest does not matter.
  bool IsReplay(const BatchResult& result) const {
    return commit_.idempotency && result.outcome == BatchOutcome::kConflict &&
           !result.failures.empty() && result.failures[0].op == 0;
  }

  // Someone has used the key: we, before an outcome became unknown, or an earlier request. The row
  // is success only after a commit of our own has touched it: the commit that wrote it may not have
  // reached a standby yet, and ours waits for that. Nothing, if the row is gone again or in motion.
  // An error says nothing about the request itself, which is done or was: it is tried again.
  Result<std::optional<Committed>> Replay() {
    const RecordRef ref = IdempotencyRef(*commit_.idempotency);
    A4C_TRY(GetAnswer found, state_.store->Get(call_, std::span(&ref, 1)));
    if (!found.records[0]) return std::optional<Committed>();
    key_found_ = true;
    const Record& row = *found.records[0];
    A4C_TRY(Json body, ParseJson(row.body));
    if (body["request"].Text() != commit_.idempotency->request_hash) {
      return std::optional(Committed{.outcome = Committed::Outcome::kKeyReused});
    }
    const WriteBatch touch{{Put{.ref = ref,
                                .quiet = {{"touched", state_.store_time.NowMs()}},
                                .expect = Expect::Rev(row.rev)}}};
    if (Send(touch).outcome != BatchOutcome::kApplied) return std::optional<Committed>();
    return std::optional(Replayed(body));
  }

  // An answer names what was made: with another one it is an earlier request that was done.
  Committed Replayed(const Json& body) const {
    const bool is_ours = unknown_ && body["answer"].Text() == commit_.idempotency->answer;
    Committed done{
        .outcome = is_ours ? Committed::Outcome::kApplied : Committed::Outcome::kReplayed,
        .store_time_ms = state_.store_time.NowMs(),
        .answer = body["answer"].Text()};
    for (const Json& entry : body["tokens"].Items()) {
      if (auto token = ParseToken(entry["token"].Text(), entry["scope"].Text())) {
        done.tokens.push_back(*std::move(token));
      }
    }
    return done;
  }

  Committed Applied(Committed::Outcome outcome) {
    PublishHints(state_, call_, planned_.tokens);
    return Committed{.outcome = outcome,
                     .store_time_ms = state_.store_time.NowMs(),
                     .tokens = planned_.tokens,
                     .answer = commit_.idempotency ? commit_.idempotency->answer : ""};
  }

  // With an idempotency row a conflict of other ops is what it says, also after a resend: the row
  // is not there. Without one, what conflicts may be our own.
  Result<Committed> Refused(BatchResult result) {
    if (result.outcome == BatchOutcome::kNotApplied) return *result.error;
    if (result.outcome == BatchOutcome::kInvalid) return Invalid(result);
    if (unknown_ && !commit_.idempotency) return StillUnknown();
    Committed refused{.outcome = result.outcome == BatchOutcome::kConflict
                                     ? Committed::Outcome::kConflict
                                     : Committed::Outcome::kOutOfBounds,
                      .store_time_ms = state_.store_time.NowMs(),
                      .failures = std::move(result.failures)};
    for (OpFailure& failure : refused.failures) failure.op -= planned_.first_change;
    return refused;
  }

  static Error Invalid(const BatchResult& result) {
    if (result.failures.empty()) return Error(Code::kInvalid, "the batch is invalid");
    const OpFailure& first = result.failures[0];
    return Error(Code::kInvalid,
                 first.field.empty() ? first.message : first.field + ": " + first.message);
  }

  bool MayBeDone() const { return unknown_ || key_found_; }

  Error StillUnknown() const {
    if (!MayBeDone()) return Error(Code::kTimeout, "the deadline passed before the write was done");
    return Error(Code::kUnknownOutcome, "it is not known whether the write was done",
                 "send it again with the same idempotency key, or read and decide anew");
  }

  Database::State& state_;
  const Call& call_;
  const Commit& commit_;
  PlannedBatch planned_;
  bool unknown_ = false;    // an answer of ours was lost
  bool key_found_ = false;  // the key has been used, by us or by an earlier request
};

}  // namespace

Result<PlannedBatch> PlanBatch(const Database::State& state, const Commit& commit) {
  PlannedBatch planned;
  const int64_t now_ms = state.store_time.NowMs();
  std::vector<Op> announcements;
  for (const Change& change : commit.changes) {
    if (change.expect.what == Expect::What::kAny) {
      return Error(Code::kInvalid, "a change expects absent or a rev");
    }
    const int64_t rev = RevMade(change);
    planned.tokens.push_back({change.ref, rev});
    if (state.IsSearchable(change.ref.kind)) {
      announcements.emplace_back(outbox::Announce(change.ref, rev, state.runtime.random.Next(),
                                                  now_ms, state.FirstDueMs()));
      if (change.tombstone) announcements.emplace_back(outbox::Mark(change.ref, now_ms));
    }
  }
  std::vector<Op>& ops = planned.batch.ops;
  if (commit.idempotency) {
    ops.emplace_back(IdempotencyPut(*commit.idempotency, planned.tokens, now_ms));
    planned.first_change = 1;
  }
  for (const Change& change : commit.changes) {
    ops.emplace_back(Put{.ref = change.ref,
                         .body = change.body,
                         .tombstone = change.tombstone,
                         .quiet = change.quiet,
                         .expect = change.expect});
  }
  ops.insert(ops.end(), commit.also.begin(), commit.also.end());
  ops.insert(ops.end(), announcements.begin(), announcements.end());
  return planned;
}

Result<Committed> Database::Write(const Call& call, const Commit& commit) {
  A4C_TRY(PlannedBatch planned, PlanBatch(*state_, commit));
  return Writing(*state_, call, commit, std::move(planned)).Run();
}

}  // namespace a4c
