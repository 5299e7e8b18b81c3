#include "apps/a4cd/hosts/host_tokens.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "a4c/json.h"
#include "a4c/sinks.h"
#include "apps/a4cd/jobs/kinds.h"

namespace a4cd {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Expect;
using a4c::Json;
using a4c::Record;
using a4c::RecordRef;
using a4c::Result;
using a4c::Waiter;

struct HostTokens::Pair {
  std::string host = {};
  std::string current = {};
  std::string next = {};
  int64_t rotated_at = 0;  // of the store
  int64_t rev = 0;         // 0: there is none yet
  int64_t age_ms = 0;
  bool is_adopting = false;  // the server is yet to be given it, whatever it knows
};

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr int kPage = 500;
constexpr int kTriesMax = 3;
constexpr size_t kTokenSize = 32;
// How long what an operator has said stands while the server has not heard of it. A store that is
// restored later than that adopts nothing by itself.
constexpr int64_t kAdoptingMaxMs = 3'600'000;

Error Denied(const std::string& host, const Error& error) {
  return Error(Code::kDenied, "the server " + host + " refuses this store: " + error.message(),
               "if the store was restored and is the one to go on with: a4c host enrol " + host);
}

}  // namespace

RecordRef HostTokenRef(const std::string& host) {
  return {HostTokenKind().name, {.scope = "", .id = host}};
}

class HostTokens::TokenLoop final : public a4c::Loop {
 public:
  explicit TokenLoop(HostTokens& tokens) : tokens_(tokens) {}
  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(std::vector<Pair> pairs, AllPairs(call));
    std::set<std::string> hosts;
    for (const Pair& pair : pairs) hosts.insert(pair.host);
    tokens_.KeepNoted(hosts);
    // Servers that are silent may take all the time of a step: the next one goes on behind them.
    std::ranges::stable_partition(pairs, [this](const Pair& pair) { return pair.host > last_; });
    for (const Pair& pair : pairs) {
      if (call.Expired() || call.Stopping()) break;
      last_ = pair.host;
      A4C_CHECK(StepOf(call, pair));
    }
    return tokens_.options_.look_period_ms;
  }

  static Result<Pair> PairOf(const Record& record, int64_t store_time_ms) {
    A4C_TRY(const Json body, a4c::ParseJson(record.body));
    Pair pair{.host = record.ref.key.id,
              .current = std::string(body["current"].Text()),
              .next = std::string(body["next"].Text()),
              .rotated_at = body["rotated_at"].Int(),
              .rev = record.rev};
    pair.age_ms = std::max<int64_t>(0, store_time_ms - pair.rotated_at);
    pair.is_adopting = store_time_ms < body["adopt_until"].Int();
    return pair;
  }

  static std::string BodyOf(const Pair& pair, int64_t store_time_ms) {
    Json body(Json::Object{
        {"current", pair.current}, {"next", pair.next}, {"rotated_at", store_time_ms}});
    if (pair.is_adopting) body.AppendMember("adopt_until", store_time_ms + kAdoptingMaxMs);
    return body.ToString();
  }

 private:
  Result<std::vector<Pair>> AllPairs(const Call& call) const {
    std::vector<Pair> pairs;
    a4c::ScanRequest scan{.kind = HostTokenKind().name, .scope = "", .limit = kPage};
    do {
      A4C_TRY(const a4c::ScanAnswer page, tokens_.database_.Scan(call, scan));
      for (const Record& record : page.records) {
        A4C_TRY(Pair pair, PairOf(record, page.store_time_ms));
        pairs.push_back(std::move(pair));
      }
      scan.after = page.next;
    } while (!scan.after.empty());
    return pairs;
  }

  // A server that is out of reach, or denies it, is asked again the next time.
  Result<void> StepOf(const Call& call, const Pair& pair) {
    if (!tokens_.HasPresented(pair) && !tokens_.Present(call, pair.host)) return {};
    const bool is_due = pair.age_ms >= tokens_.options_.rotate_period_ms;
    return is_due ? tokens_.Rotate(call, pair) : Result<void>();
  }

  const std::string name_ = "host-tokens";
  HostTokens& tokens_;
  std::string last_;  // server that was asked
};

HostTokens::HostTokens(a4c::Database& database, a4c::HostProvider& hosts,
                       const a4c::Runtime& runtime, const HostTokenOptions& options,
                       Enrolments* enrolments)
    : database_(database),
      provider_(hosts.As<a4c::HostIncarnation>()),
      runtime_(runtime),
      options_(options),
      enrolments_(enrolments),
      waiter_(runtime.threads.NewWaiter()) {}

Result<void> HostTokens::Adopt(const Call& call, const std::string& host) {
  if (provider_ == nullptr) {
    return Error(Code::kUnsupported, "this host provider keeps no token of the store");
  }
  A4C_TRY(std::optional<Pair> pair, Read(call, host));
  // One that is being adopted already, by this store, is given the same.
  if (!pair || !pair->is_adopting) {
    const Pair anew = NewPair(host, pair ? pair->rev : 0);
    A4C_TRY(const bool is_written, Write(call, anew));
    if (!is_written) return Error(Code::kConflict, "the server is being enrolled by somebody else");
    A4C_TRY(pair, Read(call, host));
    const Waiter::Lock lock(*waiter_);
    presented_.erase(host);  // what was told it before is not this
  }
  if (pair && pair->is_adopting) A4C_CHECK(Settle(call, *pair));
  return Present(call, host);
}

Result<void> HostTokens::AdoptWith(const Call& call, const std::string& host, a4c::Commit& commit) {
  if (provider_ == nullptr) return {};
  const RecordRef ref = HostTokenRef(host);
  A4C_TRY(const a4c::GetAnswer found, database_.Get(call, std::span(&ref, 1)));
  const std::optional<Record>& before = found.records.at(0);
  const Pair pair = NewPair(host, before ? before->rev : 0);
  commit.changes.push_back({.ref = ref,
                            .body = TokenLoop::BodyOf(pair, found.store_time_ms),
                            .expect = before ? Expect::Rev(before->rev) : Expect::Absent()});
  return {};
}

HostTokens::Pair HostTokens::NewPair(const std::string& host, int64_t rev) {
  return {.host = host, .current = NewToken(), .next = NewToken(), .rev = rev, .is_adopting = true};
}

// In the store it stands; the same once more changes nothing, so whoever finds it goes on. One who
// is slow may give the server a token that others have settled, and rotated away, meanwhile. So
// only who gave it last ends with a write, after which everybody presents the pair before it is
// rotated.
Result<void> HostTokens::Settle(const Call& call, Pair pair) {
  for (int i = 0; i < kTriesMax; ++i) {
    A4C_CHECK(Give(call, pair));
    Pair settled = pair;
    settled.is_adopting = false;
    A4C_TRY(const bool is_written, Write(call, settled));
    if (is_written) return {};
    A4C_TRY(const std::optional<Pair> now, Read(call, pair.host));
    if (!now || now->current.empty()) return {};  // the server was removed
    pair = *now;
  }
  return Error(Code::kUnavailable, "the token of the server " + pair.host + " keeps changing");
}

Result<void> HostTokens::Give(const Call& call, const Pair& pair) {
  Result<void> adopted = provider_->Adopt(call, pair.host, pair.current);
  if (adopted || adopted.error().code() != Code::kUnsupported) return adopted;
  // A server that cannot keep one leaves no record behind.
  A4C_CHECK(database_.Write(call, {.changes = {{.ref = HostTokenRef(pair.host),
                                                .body = "{}",
                                                .tombstone = true,
                                                .expect = Expect::Rev(pair.rev)}}}));
  return adopted;
}

Result<void> HostTokens::Forget(const Call& call, const std::string& host, a4c::Commit& commit) {
  A4C_TRY(const std::optional<Pair> pair, Read(call, host));
  if (!pair || pair->current.empty()) return {};
  commit.changes.push_back({.ref = HostTokenRef(host),
                            .body = "{}",
                            .tombstone = true,
                            .expect = Expect::Rev(pair->rev)});
  return {};
}

Result<void> HostTokens::Introduce(const Call& call, const std::string& host) {
  if (provider_ == nullptr) return {};
  {
    Waiter::Lock lock(*waiter_);
    if (presented_.contains(host)) return {};
  }
  return Present(call, host);
}

// A provider that was told of the server anew has presented nothing to it.
Result<void> HostTokens::IntroduceAnew(const Call& call, const std::string& host) {
  if (enrolments_ != nullptr) A4C_CHECK(enrolments_->Renew(call, host));
  if (provider_ == nullptr) return {};
  {
    Waiter::Lock lock(*waiter_);
    presented_.erase(host);
  }
  return Present(call, host);
}

Result<void> HostTokens::Present(const Call& call, const std::string& host) {
  Result<void> presented;
  int64_t rev = 0;
  // Another instance may rotate between the read and the presentation.
  for (int i = 0; i < kTriesMax; ++i) {
    A4C_TRY(const std::optional<Pair> pair, Read(call, host));
    if (!pair || pair->current.empty() || HasPresented(*pair)) return {};
    if (pair->is_adopting) {
      const Result<void> settled = Settle(WithinHostTimeout(call), *pair);
      if (!settled && settled.error().code() == Code::kUnsupported) return {};
      if (!settled) return settled.error();
      continue;
    }
    if (!presented && pair->rev == rev) break;
    presented = PresentPair(call, *pair);
    if (presented || presented.error().code() != Code::kDenied) break;
    rev = pair->rev;
  }
  Note(host, presented);
  if (!presented && presented.error().code() == Code::kDenied) {
    return Denied(host, presented.error());
  }
  return presented;
}

Result<std::optional<HostTokens::Pair>> HostTokens::Read(const Call& call,
                                                         const std::string& host) {
  const RecordRef ref = HostTokenRef(host);
  if (!a4c::CheckKey(ref.key)) return std::optional<Pair>();
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  const std::optional<Record>& record = answer.records.at(0);
  if (!record) return std::optional<Pair>();
  // Of a server that was removed.
  if (record->tombstone) return std::optional(Pair{.host = host, .rev = record->rev});
  A4C_TRY(Pair pair, TokenLoop::PairOf(*record, answer.store_time_ms));
  return std::optional(std::move(pair));
}

// False: somebody else has written it meanwhile.
Result<bool> HostTokens::Write(const Call& call, const Pair& pair) {
  const RecordRef ref = HostTokenRef(pair.host);
  A4C_TRY(const a4c::GetAnswer now, database_.Get(call, std::span(&ref, 1)));
  A4C_TRY(const a4c::Committed committed,
          database_.Write(call, {.changes = {{.ref = ref,
                                              .body = TokenLoop::BodyOf(pair, now.store_time_ms),
                                              .expect = pair.rev == 0 ? Expect::Absent()
                                                                      : Expect::Rev(pair.rev)}}}));
  return committed.outcome == a4c::Committed::Outcome::kApplied;
}

Call HostTokens::WithinHostTimeout(const Call& call) const {
  Call bounded = call;
  bounded.deadline_ms =
      std::min(call.deadline_ms, call.clock.MonotonicMs() + options_.host_timeout_ms);
  return bounded;
}

Result<void> HostTokens::PresentPair(const Call& call, const Pair& pair) {
  Result<void> presented =
      provider_->Present(WithinHostTimeout(call), pair.host, pair.current, pair.next);
  Waiter::Lock lock(*waiter_);
  if (presented) presented_[pair.host] = pair.rev;
  if (!presented && presented.error().code() == Code::kDenied) presented_.erase(pair.host);
  return presented;
}

// Both halves of the old pair are known to the server until the new one is presented.
Result<void> HostTokens::Rotate(const Call& call, const Pair& pair) {
  Pair rotated = pair;
  rotated.current = pair.next;
  rotated.next = NewToken();
  A4C_TRY(const bool is_written, Write(call, rotated));
  if (is_written) (void)Present(call, pair.host);
  return {};
}

bool HostTokens::HasPresented(const Pair& pair) const {
  Waiter::Lock lock(*waiter_);
  const auto found = presented_.find(pair.host);
  return found != presented_.end() && found->second == pair.rev;
}

void HostTokens::Note(const std::string& host, const Result<void>& presented) {
  const bool is_denied = !presented && presented.error().code() == Code::kDenied;
  runtime_.metrics.Gauge("a4c_host_denied", {{"host", host}}, is_denied ? 1 : 0);
  {
    Waiter::Lock lock(*waiter_);
    noted_.insert(host);
    if (!is_denied) denied_.erase(host);
    if (!is_denied || !denied_.insert(host).second) return;
  }
  runtime_.log.Write(a4c::LogLevel::kError, "hosts", "a server refuses this store",
                     {{"host", host}, {"error", Denied(host, presented.error()).ToString()}});
}

// Of what has no token any more nothing is noted: else the alert about a server would outlive it.
void HostTokens::KeepNoted(const std::set<std::string>& hosts) {
  std::set<std::string> gone;
  {
    const Waiter::Lock lock(*waiter_);
    const auto is_gone = [&](const std::string& host) { return !hosts.contains(host); };
    std::ranges::copy_if(noted_, std::inserter(gone, gone.end()), is_gone);
    std::erase_if(noted_, is_gone);
    std::erase_if(denied_, is_gone);
  }
  for (const std::string& host : gone) {
    runtime_.metrics.Gauge("a4c_host_denied", {{"host", host}}, kNone);
  }
}

std::string HostTokens::NewToken() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz012345";
  std::string token;
  while (token.size() < kTokenSize) {
    for (uint64_t bits = runtime_.random.Next(), i = 0; i < 12; ++i, bits >>= 5) {
      token += kLetters[bits & 31u];
    }
  }
  token.resize(kTokenSize);
  return token;
}

std::unique_ptr<a4c::Loop> HostTokens::NewLoop() {
  if (provider_ == nullptr) return nullptr;
  return std::make_unique<TokenLoop>(*this);
}

}  // namespace a4cd
