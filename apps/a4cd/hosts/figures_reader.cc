#include "apps/a4cd/hosts/figures_reader.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "a4c/sinks.h"
#include "apps/at_once/at_once.h"

namespace a4cd {

using a4c::Call;
using a4c::Host;
using a4c::Result;
using a4c::Waiter;

namespace {

constexpr size_t kCommitMax = 100;  // answers in one commit

Host NotYetSeen(const std::string& id) {
  return {.id = id, .reason = "it has not answered yet"};
}

HostFigures KnownOf(const HostRecord& record) {
  return record.figures.value_or(HostFigures{.host = NotYetSeen(record.id)});
}

// Whichever instance saw another key there: none asks until somebody has enrolled it again. One of
// the provider's config is asked, since nothing else would tell that it was put right there.
bool IsHeld(const HostQuestion& question) {
  return question.record != nullptr && question.record->spec &&
         question.record->state.name == kQuarantined;
}

}  // namespace

// What the asking threads hand in. Whoever finds nobody writing writes, until nothing is left: so
// one that hangs keeps the figures of no other from being written down.
class FiguresReader::Answers {
 public:
  Answers(FiguresReader& reader, const Call& call)
      : reader_(reader), call_(call), waiter_(reader.runtime_.threads.NewWaiter()) {}

  void Add(Answer answer) {
    {
      const Waiter::Lock lock(*waiter_);
      pending_.push_back(std::move(answer));
      if (is_writing_) return;
      is_writing_ = true;
    }
    for (std::vector<Answer> batch = Take(); !batch.empty(); batch = Take()) {
      const Result<void> written = reader_.Write(call_, batch);
      if (written) continue;
      const Waiter::Lock lock(*waiter_);
      written_ = written;
    }
  }
  // Once all threads have ended.
  const Result<void>& written() const { return written_; }

 private:
  std::vector<Answer> Take() {
    const Waiter::Lock lock(*waiter_);
    const size_t count = std::min(pending_.size(), kCommitMax);
    const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<Answer> batch(std::make_move_iterator(pending_.begin()),
                              std::make_move_iterator(end));
    pending_.erase(pending_.begin(), end);
    is_writing_ = !batch.empty();
    return batch;
  }

  FiguresReader& reader_;
  const Call& call_;
  const std::unique_ptr<Waiter> waiter_;
  // Under waiter_:
  std::vector<Answer> pending_;
  bool is_writing_ = false;
  Result<void> written_;
};

// With figures only if they come with the names.
Result<std::vector<Host>> FiguresReader::Hosts(const Call& call) {
  if (look_ == nullptr) return hosts_.Hosts(call);
  A4C_TRY(const std::vector<std::string> names, look_->Names(call));
  std::vector<Host> hosts;
  for (const std::string& name : names) hosts.push_back(NotYetSeen(name));
  return hosts;
}

Result<bool> FiguresReader::Knows(const Call& call, const std::string& id) {
  A4C_TRY(const std::vector<Host> hosts, Hosts(call));
  return std::ranges::find(hosts, id, &Host::id) != hosts.end();
}

Result<std::vector<HostQuestion>> FiguresReader::Questions(const Call& call,
                                                           std::span<const HostRecord> records) {
  const int64_t as_of_ms = runtime_.clock.MonotonicMs();
  std::map<std::string_view, const HostRecord*> rest;
  for (const HostRecord& record : records) rest.emplace(record.id, &record);
  A4C_TRY(const std::vector<Host> hosts, Hosts(call));
  std::vector<HostQuestion> questions;
  for (const Host& host : hosts) {
    HostQuestion& question = questions.emplace_back(HostQuestion{{.host = host}, as_of_ms});
    const auto found = rest.extract(host.id);
    if (found.empty()) continue;
    question.record = found.mapped();
    if (look_ != nullptr) question.known = KnownOf(*question.record);
  }
  for (const auto& [id, record] : rest) {
    questions.push_back({KnownOf(*record), as_of_ms, record, false});
  }
  return questions;
}

Result<void> FiguresReader::Read(const Call& call, std::span<const HostQuestion> questions,
                                 int threads) {
  Answers answers(*this, call);
  a4c_at_once::AtOnce(runtime_, threads, questions.size(), [&](size_t i) {
    Answer answer = Ask(call, questions[i]);
    // Who had no time to answer was not asked.
    if (call.Expired() || call.Stopping()) return false;
    answers.Add(std::move(answer));
    return true;
  });
  return answers.written();
}

FiguresReader::Answer FiguresReader::Ask(const Call& call, const HostQuestion& question) {
  const int64_t begun_ms = call.clock.MonotonicMs();
  Call bounded = call;
  bounded.deadline_ms = std::min(call.deadline_ms, begun_ms + question.timeout_ms);
  Answer answer = Look(bounded, question);
  HostFigures& figures = answer.figures;
  if (figures.host.reachable) CountOthers(bounded, figures);
  const bool is_slow = call.clock.MonotonicMs() - begun_ms > patience_ms_;
  if (!figures.host.reachable && !question.is_last_word && bounded.Expired()) {
    answer = {question.known, question.as_of_ms};
  }
  answer.pinned_at = question.record == nullptr ? 0 : question.record->pinned_at;
  figures.is_apart = is_slow || !figures.host.reachable || bounded.Expired();
  return answer;
}

// Of one that does not answer the record may know more than the provider of this process.
FiguresReader::Answer FiguresReader::Look(const Call& call, const HostQuestion& question) {
  Answer known{question.known, question.as_of_ms};
  Host& host = known.figures.host;
  if (IsHeld(question)) {
    host.reachable = false;
    host.pinned_fingerprint = question.record->state.pinned;
    host.shown_fingerprint = question.record->state.shown;
    return known;
  }
  if (question.is_provided && look_ == nullptr) return known;
  host.reachable = false;
  host.reason = "the host provider does not know it: is it still in its config?";
  if (!question.is_provided) return known;
  Result<Host> seen = look_->Look(call, question.id());
  if (seen && seen->reachable) return {{.host = *std::move(seen)}, runtime_.clock.MonotonicMs()};
  host.reason = seen ? seen->reason : seen.error().message();
  if (!seen) return known;
  host.pinned_fingerprint = seen->pinned_fingerprint;
  host.shown_fingerprint = seen->shown_fingerprint;
  return known;
}

// What a server uses beside our units. Figures and list are not of one moment, so it is no less
// than zero and may be a little off until the next refresh.
void FiguresReader::CountOthers(const Call& call, HostFigures& figures) {
  Host& host = figures.host;
  figures.other_bytes = host.disk_used_bytes;
  const Result<std::vector<a4c::UnitStatus>> units = hosts_.List(call, host.id);
  if (!units) {
    runtime_.log.Write(a4c::LogLevel::kWarning, "hosts", "a server did not list its units",
                       {{"host", host.id}, {"error", units.error().ToString()}});
    host.reachable = false;
    host.reason = units.error().message();
    return;
  }
  for (const a4c::UnitStatus& unit : *units) figures.other_bytes -= unit.disk_used_bytes;
  figures.other_bytes = std::max<int64_t>(0, figures.other_bytes);
}

Result<void> FiguresReader::Add(const a4c::Record& record, int64_t store_time_ms,
                                const Answer& answer, a4c::Commit& commit) {
  A4C_TRY(HostRecord host, HostRecordOf(record, store_time_ms));
  HostFigures figures = answer.figures;
  const HostState state = StateOf(figures.host, store_time_ms);
  // Enrolled again since it was asked: what it showed then says nothing any more.
  if (state.name == kQuarantined && answer.pinned_at != host.pinned_at) return {};
  figures.host.age_ms += runtime_.clock.MonotonicMs() - answer.as_of_ms;
  figures.asked_ms = 0;
  figures.silent_ms = 0;
  if (!figures.host.reachable && host.figures && !host.figures->host.reachable) {
    figures.silent_ms = host.figures->silent_ms;
  }
  a4c::Put put{.ref = record.ref, .quiet = FiguresFields(figures, store_time_ms)};
  if (!state.IsSameAs(host.state)) {
    host.state = state;
    host.updated_at = database_.NowMs();
    put.body = HostBody(host);
    put.expect = a4c::Expect::Rev(record.rev);
  }
  commit.also.emplace_back(std::move(put));
  return {};
}

Result<void> FiguresReader::Write(const Call& call, std::span<const Answer> answers) {
  std::vector<a4c::RecordRef> refs;
  for (const Answer& answer : answers) refs.push_back(HostRef(answer.figures.host.id));
  A4C_TRY(const a4c::GetAnswer found, database_.Get(call, refs));
  a4c::Commit commit;
  for (size_t i = 0; i < answers.size(); ++i) {
    const std::optional<a4c::Record>& record = found.records.at(i);
    if (!record || record->tombstone) continue;
    A4C_CHECK(Add(*record, found.store_time_ms, answers[i], commit));
  }
  if (commit.also.empty()) return {};
  const a4c::Result<a4c::Committed> done = database_.Write(call, commit);
  const bool is_refused = !done && done.error().code() == a4c::Code::kInvalid;
  if (!done && (!is_refused || answers.size() == 1)) return done.error();
  if (done && (done->outcome == a4c::Committed::Outcome::kApplied || answers.size() == 1)) {
    return {};
  }
  // One of the records has gone or changed meanwhile, or is refused: the others are written all the
  // same.
  Result<void> written;
  for (const Answer& answer : answers) {
    Result<void> one = Write(call, std::span(&answer, 1));
    if (!one) written = std::move(one);
  }
  return written;
}

}  // namespace a4cd
