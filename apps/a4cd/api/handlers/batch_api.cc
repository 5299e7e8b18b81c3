// POST /v1/jobs:batch: one job per line in, one result per line out, in the same order. Lines are
// read as they come and committed in groups. What is wrong with one line is no matter to the
// others. A line of two bytes has an answer of hundreds: lines and answer have bounds of their own.
#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/a4cd/api/audit.h"
#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/cursor.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Committed;
using a4c::Error;
using a4c::Json;
using a4c::Result;

// The answer that stands under a group's key if its lines went one by one.
constexpr const char* kApart = "[]";
// Of one line; a line may have as many as it has members.
constexpr size_t kLineFaultsMax = 20;

struct Line {
  int64_t number = 0;
  std::string text;
  bool is_too_long = false;  // text is empty
  JobDraft draft = {};
};

Json LineResult(int64_t number, int status) {
  return Json::Object{{"line", number}, {"status", status}};
}

Json LineProblem(int64_t number, const Problem& problem) {
  Json result = LineResult(number, problem.status);
  result.AppendMember("problem", ProblemJson(problem));
  return result;
}

Json LineCreated(int64_t number, const PreparedWrite& write) {
  Json result = LineResult(number, 201);
  result.AppendMember("id", write.id);
  result.AppendMember("rev", write.rev);
  return result;
}

// Reads lines off the body, each and all bounded. Of one that is too long nothing is kept.
class LineReader {
 public:
  LineReader(std::istream* input, const ApiSettings& settings)
      : input_(input),
        line_bytes_max_(settings.body_bytes_max),
        bytes_max_(settings.batch_bytes_max),
        left_(bytes_max_),
        lines_max_(settings.batch_lines_max),
        lines_left_(lines_max_) {}

  // The next line that is not empty; nullopt at the end; kExhausted past a bound of all.
  Result<std::optional<Line>> Next() {
    Line line;
    while (input_ != nullptr && input_->good()) {
      const int byte = input_->get();
      if (byte == std::char_traits<char>::eof()) break;
      if (--left_ < 0) return Error(Code::kExhausted, "the batch is too large");
      if (byte != '\n') {
        Keep(static_cast<char>(byte), line);
        continue;
      }
      ++number_;
      if (Take(line)) return Counted(std::move(line));
    }
    ++number_;
    if (Take(line)) return Counted(std::move(line));
    return std::optional<Line>();
  }
  // After the end: whether it was that of the body, and not of the client's patience.
  bool IsWhole(int64_t content_length) const {
    if (content_length >= 0) return bytes_max_ - left_ == content_length;
    return input_ == nullptr || !input_->bad();
  }

 private:
  void Keep(char byte, Line& line) const {
    if (line.is_too_long) return;
    line.text += byte;
    if (std::ssize(line.text) <= line_bytes_max_) return;
    line.is_too_long = true;
    line.text = {};
  }
  bool Take(Line& line) const {
    if (line.text.ends_with('\r')) line.text.pop_back();
    line.number = number_;
    return line.is_too_long || !line.text.empty();
  }
  Result<std::optional<Line>> Counted(Line line) {
    if (--lines_left_ >= 0) return std::optional<Line>(std::move(line));
    return Error(Code::kExhausted, "a batch has at most " + std::to_string(lines_max_) + " lines");
  }

  std::istream* input_;
  const int64_t line_bytes_max_;
  const int64_t bytes_max_;
  int64_t left_;
  const int64_t lines_max_;
  int64_t lines_left_;
  int64_t number_ = 0;
};

class Batch {
 public:
  Batch(ApiContext& api, Request& request) : api_(api), request_(request) {}

  Response Run() {
    if (const Result<std::string> key = IdempotencyKey(request_); !key) {
      return ErrorResponse(key.error());
    }
    TakeLines();
    Response response;
    response.content_type = "application/x-ndjson";
    response.body = std::move(results_);
    return response;
  }

 private:
  void TakeLines() {
    LineReader reader(request_.input, api_.settings);
    std::vector<Line> group;
    while (true) {
      Result<std::optional<Line>> line = reader.Next();
      if (line && *line && std::ssize(results_) > api_.settings.batch_bytes_max) {
        line = Error(Code::kExhausted, "the answer to the lines above is as large as it may be");
      }
      if (!line) {
        Flush(group);
        Emit(TooLarge(line.error().message()));
        return;
      }
      if (!*line) {
        request_.body_unread = !reader.IsWhole(request_.content_length);
        // A group that is not whole would be another one when the batch is sent again.
        request_.body_unread ? Emit(BrokeOff()) : Flush(group);
        return;
      }
      group.push_back(std::move(**line));
      if (static_cast<int>(group.size()) == api_.settings.batch_group) Flush(group);
    }
  }

  static Json TooLarge(std::string detail) {
    return LineProblem(0, {.status = 413,
                           .type = "body-too-large",
                           .detail = std::move(detail),
                           .hint = "the lines above were taken; send the rest in another batch"});
  }
  Json BrokeOff() const {
    const bool is_late = request_.input != nullptr && request_.input->bad();
    return LineProblem(
        0, {.status = is_late ? 408 : 400,
            .type = is_late ? "timeout" : "invalid",
            .detail = std::string("the batch ended before it was whole") +
                      (is_late ? ": it came too slowly, or in chunks that are none" : ""),
            .hint = "the lines above were taken, and no other. Send it again: with "
                    "the same Idempotency-Key they are not taken twice"});
  }
  void Emit(const Json& result) { results_ += result.ToString() + "\n"; }

  // The group's results, in the order of its lines.
  void Flush(std::vector<Line>& group) {
    std::vector<Json> results(group.size());
    std::vector<size_t> good;
    // A group is as long in coming as the client likes: each has a deadline of its own.
    request_.deadline_ms = api_.runtime.clock.MonotonicMs() + api_.settings.request_timeout_ms;
    for (size_t i = 0; i < group.size(); ++i) {
      std::optional<Json> wrong = Check(group[i]);
      if (wrong) {
        results[i] = *std::move(wrong);
      } else {
        good.push_back(i);
      }
    }
    if (!good.empty() && !CommitTogether(group, good, results)) {
      for (const size_t i : good) results[i] = CommitAlone(group[i]);
    }
    for (const Json& result : results) Emit(result);
    group.clear();
  }

  std::optional<Json> Check(Line& line) const {
    if (line.is_too_long) return TooLong(line.number);
    const Result<Json> body = ParseBody(api_, line.text);
    if (!body) return LineProblem(line.number, ProblemOf(body.error()));
    Faults faults;
    line.draft = ReadJobDraft(*body, faults);
    const std::string_view scope = ExtraScopeOf(line.draft.type);
    if (faults.empty() && !request_.principal.Allows(scope)) {
      return LineProblem(line.number, ForbiddenProblem(scope));
    }
    if (faults.empty()) return std::nullopt;
    faults.resize(std::min(faults.size(), kLineFaultsMax));
    return LineProblem(line.number, {.status = 400,
                                     .type = "invalid",
                                     .detail = "the line is wrong",
                                     .hint = {},
                                     .errors = std::move(faults)});
  }

  a4c::Idempotency IdentityOf(const std::vector<Line>& group,
                              const std::vector<size_t>& good) const {
    std::string text;
    for (const size_t i : good) text += group[i].text + '\n';
    return Identity("group" + std::to_string(group[good[0]].number), text);
  }

  // Key and hash of a part of this batch, so that the same batch sent again is answered the same.
  a4c::Idempotency Identity(const std::string& part, const std::string& text) const {
    const std::string& key = request_.Header("Idempotency-Key");
    const std::string prefix = key.empty() ? "a4cd:" + request_.own_id : "batch:" + key;
    return {request_.principal.tenant, prefix + "/" + part,
            HashHex(request_.principal.key_id + '\n' + text), ""};
  }

  // One commit for all; false if it has to be tried line by line.
  bool CommitTogether(const std::vector<Line>& group, const std::vector<size_t>& good,
                      std::vector<Json>& results) {
    a4c::Commit commit;
    Json answer(Json::Array{});
    for (const size_t i : good) {
      Result<PreparedWrite> write =
          api_.jobs.PrepareCreate(api_.CallFor(request_), request_.principal, group[i].draft);
      if (!write && !write.error().retryable()) return Separate(group, good, results);
      if (!write) return Told(write.error(), group, good, results);
      Audit(*write, commit);
      for (a4c::Change& change : write->commit.changes) commit.changes.push_back(std::move(change));
      answer.Append(LineCreated(group[i].number, *write));
    }
    commit.idempotency = IdentityOf(group, good);
    commit.idempotency->answer = answer.ToString();
    Result<Committed> done = api_.database.Write(api_.CallFor(request_), commit);
    if (done && done->outcome == Committed::Outcome::kApplied) {
      done->answer = commit.idempotency->answer;
    }
    const bool is_refused = done ? done->outcome == Committed::Outcome::kConflict ||
                                       done->outcome == Committed::Outcome::kOutOfBounds
                                 : done.error().code() == Code::kInvalid;
    return is_refused ? Separate(group, good, results) : Told(done, group, good, results);
  }

  // Settles under the group's own key that its lines go one by one, so that the same batch sent
  // again does not create together what was created apart. True: it was settled otherwise before,
  // or cannot be now.
  bool Separate(const std::vector<Line>& group, const std::vector<size_t>& good,
                std::vector<Json>& results) {
    a4c::Commit commit;
    commit.idempotency = IdentityOf(group, good);
    commit.idempotency->answer = kApart;
    const Result<Committed> done = api_.database.Write(api_.CallFor(request_), commit);
    if (done && done->outcome == Committed::Outcome::kApplied) return false;
    return Told(done, group, good, results);
  }

  // What was said of the whole group; false if that was to go line by line.
  static bool Told(const Result<Committed>& done, const std::vector<Line>& group,
                   const std::vector<size_t>& good, std::vector<Json>& results) {
    Json answer(Json::Array{});
    if (done && done->outcome != Committed::Outcome::kKeyReused) {
      if (Result<Json> told = a4c::ParseJson(done->answer)) answer = *std::move(told);
      if (answer.Items().size() != good.size()) return false;
    }
    for (size_t n = 0; n < good.size(); ++n) {
      const bool has_answer = !answer.Items().empty();
      results[good[n]] = has_answer ? answer.Items()[n] : Refusal(group[good[n]].number, done);
    }
    return true;
  }

  static Json Refusal(int64_t number, const Result<Committed>& done) {
    return done ? KeyReused(number) : LineProblem(number, ProblemOf(done.error()));
  }

  Json CommitAlone(const Line& line) {
    Result<PreparedWrite> write =
        api_.jobs.PrepareCreate(api_.CallFor(request_), request_.principal, line.draft);
    if (!write) return RefuseAlone(line, write.error());
    write->commit.idempotency = Identity("line" + std::to_string(line.number), line.text);
    write->commit.idempotency->answer = LineCreated(line.number, *write).ToString();
    Audit(*write, write->commit);
    const Result<Committed> done = api_.database.Write(api_.CallFor(request_), write->commit);
    if (done && done->outcome == Committed::Outcome::kApplied) {
      return LineCreated(line.number, *write);
    }
    const bool is_refused = done && (done->outcome == Committed::Outcome::kConflict ||
                                     done->outcome == Committed::Outcome::kOutOfBounds);
    if (is_refused) return RefuseAlone(line, ConflictError(*done));
    return ToldAlone(line, done, done ? ConflictError(*done) : done.error());
  }

  // A refusal that rests on the state that was read, or found by the commit: that may be so because
  // this very line was done before. Only the key can tell.
  Json RefuseAlone(const Line& line, const Error& why) {
    const Problem problem = ProblemOf(why);
    Json result = LineProblem(line.number, problem);
    if (why.code() != Code::kConflict && why.code() != Code::kNotFound) return result;
    a4c::Commit commit;
    AddAudit(api_, request_, {.outcome = std::string(problem.type), .ref = {}}, commit);
    commit.idempotency = Identity("line" + std::to_string(line.number), line.text);
    commit.idempotency->answer = result.ToString();
    return ToldAlone(line, api_.database.Write(api_.CallFor(request_), commit), why);
  }

  static Json ToldAlone(const Line& line, const Result<Committed>& done, const Error& why) {
    if (!done) return LineProblem(line.number, ProblemOf(done.error()));
    if (done->outcome == Committed::Outcome::kKeyReused) return KeyReused(line.number);
    if (done->outcome == Committed::Outcome::kReplayed) {
      if (Result<Json> told = a4c::ParseJson(done->answer)) return *std::move(told);
    }
    return LineProblem(line.number, ProblemOf(why));
  }

  // A row for each job that is made.
  void Audit(const PreparedWrite& write, a4c::Commit& commit) {
    AddAudit(api_, request_,
             {.outcome = "applied", .ref = write.commit.changes.at(0).ref, .rev = write.rev},
             commit);
  }

  Json TooLong(int64_t number) const {
    return LineProblem(number, {.status = 413,
                                .type = "body-too-large",
                                .detail = "a line has at most " +
                                          std::to_string(api_.settings.body_bytes_max) + " bytes",
                                .hint = "stream what is large: a4c image build, a4c workspace cp"});
  }

  static Json KeyReused(int64_t number) {
    return LineProblem(number, {.status = 422,
                                .type = "idempotency-key-reused",
                                .detail = "this Idempotency-Key was sent with another batch"});
  }

  ApiContext& api_;
  Request& request_;
  std::string results_;
};

}  // namespace

Response CreateJobs(ApiContext& api, Request& request) {
  return Batch(api, request).Run();
}

}  // namespace a4cd
