#include "apps/a4c/session.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace a4c_cli {

using a4c::Error;
using a4c::Json;
using a4c::Result;

constexpr size_t kColumns = 80;  // of a terminal that does not say

// To standard error. What servers and containers say goes in here, too.
static void Say(const char* label, const std::string& text, const char* end = "\n") {
  std::fprintf(stderr, "%s%s%s", label, HarmlessText(text).c_str(), end);
}

Format Session::format() const {
  if (format_name == "wide") return Format::kWide;
  if (format_name == "json") return Format::kJson;
  if (format_name == "yaml") return Format::kYaml;
  if (format_name == "ndjson") return Format::kNdjson;
  if (format_name == "name") return Format::kName;
  return Format::kTable;
}

// How complete and how old it is: what the worst page says.
static void AddAges(const Json& page, Json& whole) {
  for (const char* age : {"stale_ms", "lag_ms"}) {
    whole.Set(age, std::max(whole[age].Int(), page[age].Int()));
  }
  if (!page["fresh"].Bool(true)) whole.Set("fresh", false);
  whole.Set("next", page["next"]);
}

Result<Reply> Session::TryPages(const std::string& path,
                                const std::vector<std::pair<std::string, std::string>>& query,
                                bool all) {
  Json whole(Json::Object{});
  Json items(Json::Array{});
  std::vector<std::pair<std::string, std::string>> of_page = query;
  std::string& cursor = of_page.emplace_back("cursor", "").second;
  do {
    A4C_TRY(Reply page, Try({.path = WithQuery(path, of_page)}));
    if (!page.ok()) return page;
    for (const Json& item : page.body["items"].Items()) items.Append(item);
    AddAges(page.body, whole);
    cursor = page.body["next"].Text();
  } while (all && !cursor.empty());
  whole.Set("items", std::move(items));
  return Reply{.status = 200, .headers = {}, .text = {}, .body = std::move(whole)};
}

bool Session::SendForAll(const std::string& path,
                         const std::vector<std::pair<std::string, std::string>>& query,
                         Json& list) {
  Reply reply;
  if (!Take(TryPages(path, query), reply)) return false;
  NoteStaleness(reply.body["stale_ms"].Int());
  list = std::move(reply.body);
  return true;
}

void Session::NoteStaleness(int64_t stale_ms) const {
  if (stale_ms <= 0) return;
  Note("note: from a replica: changes of the last " + std::to_string(stale_ms) +
       " ms may be missing; --fresh has them");
}

Client* Session::Connect() {
  if (client_ != nullptr) return client_.get();
  Result<std::unique_ptr<Client>> made = Open();
  if (!made) {
    exit_code = Complain(made.error());
    return nullptr;
  }
  client_ = *std::move(made);
  return client_.get();
}

const Result<Endpoint>& Session::Resolved() const {
  std::call_once(resolving_, [this] { resolved_.emplace(ResolveEndpoint(endpoint)); });
  return *resolved_;
}

Result<std::unique_ptr<Client>> Session::Open() const {
  if (!Resolved()) return Resolved().error();
  const Endpoint& resolved = *Resolved();
  // For people: scripts that reach an API in a network of their own are not told each time.
  std::call_once(warned_, [&] {
    if (isatty(STDERR_FILENO) == 0 || !IsKeyReadable(resolved)) return;
    Note(std::string("note: ") + kKeyIsReadable + "; https:// in --url hides it");
  });
  return NewClient(resolved, runtime);
}

void Session::Forget(const Ask& ask) {
  if (Client* client = Connect(); client != nullptr) static_cast<void>(client->Send(ask));
}

Result<Reply> Session::Try(const Ask& ask) {
  if (client_ == nullptr) {
    A4C_TRY(client_, Open());
  }
  return client_->Send(ask);
}

bool Session::Take(Result<Reply> answer, Reply& reply) {
  if (!answer) {
    exit_code = Complain(answer.error());
    return false;
  }
  reply = *std::move(answer);
  if (!reply.ok()) exit_code = Complain(reply);
  return reply.ok();
}

bool Session::Send(const Ask& ask, Reply& reply) {
  return Take(Try(ask), reply);
}

bool Session::Patch(const std::string& path, const Json& change, Reply& reply, bool is_slow) {
  Reply read;
  if (!Send({.path = path}, read)) return false;
  const std::string version = read.Header("ETag");
  return Send({.method = "PATCH",
               .path = path,
               .body = change.ToString(),
               .headers = {{"If-Match", version.empty() ? "*" : version}},
               .is_slow = is_slow},
              reply);
}

void Session::Show(const Json& body, const std::string& noun, const std::vector<Column>& columns) {
  const bool page = body.Find("items") != nullptr;
  const Style style{format(), ColorWanted(STDOUT_FILENO), runtime.clock.NowMs()};
  if (page) return ShowText(Render(body["items"], noun, columns, style, false));
  Json items(Json::Array{});
  items.Append(body);
  ShowText(Render(items, noun, columns, style, true));
}

void Session::ShowProgress(const std::string& line) {
  if (quiet || isatty(STDERR_FILENO) == 0) return;
  ClearProgress();
  winsize size{};
  const bool is_known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  // In the last column it would be two lines of the terminal, of which one could be cleared.
  const size_t columns = is_known ? size.ws_col : kColumns;
  std::fputs(OneLine(line, columns - 1).c_str(), stderr);
  has_progress_ = true;
}

void Session::ClearProgress() const {
  if (has_progress_.exchange(false)) std::fputs("\r\x1b[K", stderr);
}

bool Session::RefusesNames() {
  if (format() != Format::kName) return false;
  exit_code = Complain(Error(a4c::Code::kInvalid, "there are no names here for -o name",
                             "-o json, yaml or table shows what there is"));
  return true;
}

void Session::ShowText(const std::string& text) {
  ClearProgress();
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Session::Note(const std::string& text, const char* end) const {
  if (quiet) return;
  ClearProgress();
  Say("", text, end);
}

int Session::Complain(const Error& error) {
  ClearProgress();
  if (format() == Format::kJson || format() == Format::kNdjson) {
    Json problem(Json::Object{{"title", a4c::CodeName(error.code())}, {"detail", error.message()}});
    if (!subject.empty()) problem.AppendMember("name", subject);
    if (!error.hint().empty()) problem.AppendMember("hint", error.hint());
    std::fprintf(stderr, "%s\n", problem.ToString().c_str());
  } else {
    Say("error: ", Subject() + error.message());
    if (!error.hint().empty()) Say("hint: ", error.hint());
  }
  return ExitCodeOf(error);
}

// What a server names, without what could move the cursor.
static std::string Graphic(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return std::isgraph(c) == 0; }, '?');
  return text;
}

// The server tells what a request lacks, which a4c did not send.
static Json ProblemOf(const Reply& reply, const Result<Endpoint>& sent_to) {
  Json problem = reply.body;
  if (reply.status != 401 || !sent_to || !sent_to->api_key.empty()) return problem;
  if (!problem.IsObject()) problem = Json::Object{};
  problem.Set("detail", "there is no API key for " + sent_to->url);
  problem.Set("hint", "--api-key-file FILE or A4C_API_KEY_FILE names one; to keep it: a4c --url " +
                          sent_to->url + " --api-key-file FILE context set NAME");
  return problem;
}

static std::string DetailOf(int status, const Json& problem) {
  for (const char* member : {"detail", "title"}) {
    if (!problem[member].Text().empty()) return problem[member].Text();
  }
  return "the API answered " + std::to_string(status);
}

std::string WhyText(const Result<Reply>& answer) {
  return answer ? DetailOf(answer->status, answer->body) : answer.error().message();
}

int Session::Complain(const Reply& reply) {
  ClearProgress();
  Json problem = ProblemOf(reply, Resolved());
  if (format() == Format::kJson || format() == Format::kNdjson) {
    if (!subject.empty() && problem.IsObject()) problem.Set("name", subject);
    std::fprintf(stderr, "%s\n", problem.IsNull() ? "{}" : problem.ToString().c_str());
    return ExitCodeOf(reply.status, problem);
  }
  Say("error: ", Subject() + DetailOf(reply.status, problem));
  if (reply.status / 100 == 3) {
    Say("hint: it refers to ",
        Graphic(reply.Header("Location")) + ": --url takes the beginning of that");
  }
  if (problem["errors"].Items().size() > 1) {
    for (const Json& fault : problem["errors"].Items()) {
      Say("  ", fault["pointer"].Text() + " " + fault["detail"].Text() +
                    (fault["hint"].IsText() ? ": " + fault["hint"].Text() : ""));
    }
  }
  if (problem["hint"].IsText()) Say("hint: ", problem["hint"].Text());
  const std::string id = Graphic(reply.Header("X-Request-Id"));
  if (reply.status >= 500 && !id.empty()) Say("request: ", id);
  return ExitCodeOf(reply.status, problem);
}

void Session::Pause(int64_t wait_ms) const {
  const auto waiter = runtime.threads.NewWaiter();
  const int64_t until_ms = runtime.clock.MonotonicMs() + wait_ms;
  a4c::Waiter::Lock lock(*waiter);
  while (runtime.clock.MonotonicMs() < until_ms) waiter->Wait(until_ms);
}

std::string WithQuery(const std::string& path,
                      const std::vector<std::pair<std::string, std::string>>& query) {
  std::string out = path;
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    out += separator + name + "=" + PercentEncode(value);
    separator = '&';
  }
  return out;
}

}  // namespace a4c_cli
