#include <algorithm>

#include "collection/database.h"
#include "collection/outbox.h"

namespace a4c {
namespace {

constexpr int64_t kFirstPauseMs = 10;
constexpr int64_t kLongestPauseMs = 100;

enum class Seen : uint8_t { kSearchable, kNotYet, kLost };

// The outbox row is read before the record: gone then means confirmed, for every rev up to then.
Seen SeenOf(const Token& token, const std::optional<Record>& row,
            const std::optional<Record>& record) {
  if (!record || record->rev < token.rev) return Seen::kLost;
  if (!row || outbox::LongOf(*row, "confirmed") >= token.rev) return Seen::kSearchable;
  return Seen::kNotYet;
}

struct Freshness {
  std::vector<Token> waiting;
  std::vector<Token> lost;
};

Result<Freshness> Look(Database::State& state, const Call& call, std::span<const Token> tokens) {
  std::vector<RecordRef> rows;
  std::vector<RecordRef> records;
  for (const Token& token : tokens) {
    rows.push_back(outbox::RefOf(token.ref));
    records.push_back(token.ref);
  }
  A4C_TRY(GetAnswer found_rows, state.store->Get(call, rows));
  A4C_TRY(GetAnswer found_records, state.store->Get(call, records));
  Freshness freshness;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Seen seen = SeenOf(tokens[i], found_rows.records[i], found_records.records[i]);
    if (seen == Seen::kNotYet) freshness.waiting.push_back(tokens[i]);
    if (seen == Seen::kLost) freshness.lost.push_back(tokens[i]);
  }
  return freshness;
}

// Waits until every token's write is searchable or lost, up to max_wait.
Result<Freshness> Await(Database::State& state, const Call& call, std::span<const Token> tokens) {
  Freshness all;
  all.waiting.assign(tokens.begin(), tokens.end());
  const int64_t until = state.runtime.clock.MonotonicMs() + state.options.max_wait_ms;
  for (int64_t pause_ms = kFirstPauseMs; !all.waiting.empty();
       pause_ms = std::min(pause_ms * 2, kLongestPauseMs)) {
    A4C_TRY(Freshness now, Look(state, call, all.waiting));
    all.lost.insert(all.lost.end(), now.lost.begin(), now.lost.end());
    all.waiting = std::move(now.waiting);
    const int64_t left = until - state.runtime.clock.MonotonicMs();
    if (all.waiting.empty() || left <= 0 || !state.Pause(call, std::min(pause_ms, left))) break;
  }
  return all;
}

// Waits until all that was written before in what is searched is searchable, up to max_wait; dead
// letters left out.
Result<bool> AwaitAll(Database::State& state, const Call& call, const SearchRequest& request) {
  const int64_t begun_ms = state.runtime.clock.MonotonicMs();
  for (int64_t pause_ms = kFirstPauseMs;; pause_ms = std::min(pause_ms * 2, kLongestPauseMs)) {
    A4C_TRY(const std::optional<int64_t> oldest_ms,
            ReadOldestMs(state, call.InAllScopes(), request.kind, request.scope));
    const int64_t passed_ms = state.runtime.clock.MonotonicMs() - begun_ms;
    if (!oldest_ms || *oldest_ms < passed_ms) return true;
    const int64_t left_ms = state.options.max_wait_ms - passed_ms;
    if (left_ms <= 0 || !state.Pause(call, std::min(pause_ms, left_ms))) return false;
  }
}

Result<void> CheckTokens(const Database::State& state, std::span<const Token> tokens) {
  if (static_cast<int>(tokens.size()) > state.options.tokens_max) {
    return Error(Code::kInvalid,
                 "more than " + std::to_string(state.options.tokens_max) + " tokens");
  }
  for (const Token& token : tokens) {
    if (!state.IsSearchable(token.ref.kind)) {
      return Error(Code::kInvalid,
                   "the token names \"" + token.ref.kind + "\", which is not searched");
    }
  }
  return {};
}

Result<void> CheckTouch(const Call& call, const std::optional<std::string>& scope) {
  const bool may = scope ? call.MayTouch(*scope) : call.scopes == nullptr;
  if (may) return {};
  return Error(Code::kDenied, "the caller may not search in " +
                                  (scope ? "the scope \"" + *scope + "\"" : "all scopes"));
}

// What the index has against us is no fault of the caller, and the records themselves are there.
Error ForOperators(Database::State& state, const Error& error) {
  state.Heard(error);
  if (error.code() == Code::kDenied) {
    return Error(Code::kUnavailable,
                 "the search index refused our own credentials: " + error.message(),
                 "check the credentials and privileges of the search plugin");
  }
  if (error.code() == Code::kNotFound) {
    return Error(Code::kUnavailable, "the search index is missing: " + error.message(),
                 state.backends.index->As<Rebuild>() != nullptr
                     ? "was it dropped? it is rebuilt from the store"
                     : "was it dropped? it is made again at the next start");
  }
  return error;
}

}  // namespace

Result<Found> Database::Search(const Call& call, const FindRequest& request) {
  if (state_->backends.index == nullptr) {
    return Error(Code::kUnsupported, "there is no search index", "configure a search plugin");
  }
  A4C_CHECK(state_->Searchable(request.request.kind.name));
  A4C_CHECK(CheckTokens(*state_, request.tokens));
  A4C_CHECK(CheckTouch(call, request.request.scope));
  A4C_TRY(Freshness freshness, Await(*state_, call, request.tokens));
  Found found;
  found.fresh = freshness.waiting.empty() && freshness.lost.empty();
  found.lost = std::move(freshness.lost);
  if (request.require_fresh && request.tokens.empty()) {
    A4C_TRY(found.fresh, AwaitAll(*state_, call, request.request));
  }
  A4C_TRY(found.lag_ms, LagMs(call, request.request.kind.name));
  if (request.require_fresh && !found.fresh) {
    return Error(Code::kUnavailable, "the index does not show all yet that was written before",
                 "try again, or leave out require_fresh; the index is " +
                     std::to_string(found.lag_ms) + " ms behind");
  }
  const Result<void> ensured = state_->EnsureIndex(call);
  if (!ensured) return ForOperators(*state_, ensured.error());
  Result<SearchAnswer> answer = state_->backends.index->Search(call, request.request);
  if (!answer) return ForOperators(*state_, answer.error());
  found.answer = *std::move(answer);
  if (!request.highlight) return found;
  for (const Hit& hit : found.answer.hits) {
    found.highlights.push_back(HighlightsOf(request.request.query, request.request.kind, hit.body));
  }
  return found;
}

}  // namespace a4c
