#include "apps/a4c/session.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace a4c_cli {

using a4c::Error;
using a4c::Json;
using a4c::Result;

Format Session::format() const {
  if (format_name == "wide") return Format::kWide;
  if (format_name == "json") return Format::kJson;
  if (format_name == "yaml") return Format::kYaml;
  if (format_name == "ndjson") return Format::kNdjson;
  if (format_name == "name") return Format::kName;
  return Format::kTable;
}

bool Session::SendForAll(const std::string& path,
                         const std::vector<std::pair<std::string, std::string>>& query,
                         Json& list) {
  Json items(Json::Array{});
  int64_t stale_ms = 0;
  std::vector<std::pair<std::string, std::string>> of_page = query;
  std::string& cursor = of_page.emplace_back("cursor", "").second;
  do {
    Reply reply;
    if (!Send({.path = WithQuery(path, of_page)}, reply)) return false;
    for (const Json& item : reply.body["items"].Items()) items.Append(item);
    cursor = reply.body["next"].Text();
    stale_ms = std::max(stale_ms, reply.body["stale_ms"].Int());
  } while (!cursor.empty());
  NoteStaleness(stale_ms);
  list = Json(Json::Object{{"items", std::move(items)}});
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

Result<std::unique_ptr<Client>> Session::Open() const {
  A4C_TRY(const Endpoint resolved, ResolveEndpoint(endpoint));
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

bool Session::Send(const Ask& ask, Reply& reply) {
  Client* client = Connect();
  if (client == nullptr) return false;
  Result<Reply> answer = client->Send(ask);
  if (!answer) {
    exit_code = Complain(answer.error());
    return false;
  }
  reply = *std::move(answer);
  if (!reply.ok()) exit_code = Complain(reply);
  return reply.ok();
}

void Session::Show(const Json& body, const std::string& noun, const std::vector<Column>& columns) {
  const bool page = body.Find("items") != nullptr;
  const Style style{format(), ColorWanted(STDOUT_FILENO), runtime.clock.NowMs()};
  if (page) return ShowText(Render(body["items"], noun, columns, style, false));
  Json items(Json::Array{});
  items.Append(body);
  ShowText(Render(items, noun, columns, style, true));
}

void Session::ShowText(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Session::Note(const std::string& text, const char* end) const {
  if (!quiet) std::fprintf(stderr, "%s%s", text.c_str(), end);
}

int Session::Complain(const Error& error) {
  if (format() == Format::kJson || format() == Format::kNdjson) {
    Json problem(Json::Object{{"title", a4c::CodeName(error.code())}, {"detail", error.message()}});
    if (!error.hint().empty()) problem.AppendMember("hint", error.hint());
    std::fprintf(stderr, "%s\n", problem.ToString().c_str());
  } else {
    std::fprintf(stderr, "error: %s\n", error.message().c_str());
    if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", error.hint().c_str());
  }
  return ExitCodeOf(error);
}

// What a server names, without what could move the cursor.
static std::string Graphic(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return std::isgraph(c) == 0; }, '?');
  return text;
}

int Session::Complain(const Reply& reply) {
  const Json& problem = reply.body;
  if (format() == Format::kJson || format() == Format::kNdjson) {
    std::fprintf(stderr, "%s\n", problem.IsNull() ? "{}" : problem.ToString().c_str());
    return ExitCodeOf(reply.status, problem);
  }
  std::string text = problem["detail"].Text();
  if (text.empty()) text = problem["title"].Text();
  if (text.empty()) text = "the API answered " + std::to_string(reply.status);
  std::fprintf(stderr, "error: %s\n", text.c_str());
  if (reply.status / 100 == 3) {
    const std::string place = Graphic(reply.Header("Location"));
    std::fprintf(stderr, "hint: it refers to %s: --url takes the beginning of that\n",
                 place.c_str());
  }
  if (problem["errors"].Items().size() > 1) {
    for (const Json& fault : problem["errors"].Items()) {
      std::fprintf(stderr, "  %s %s%s%s\n", fault["pointer"].Text().c_str(),
                   fault["detail"].Text().c_str(), fault["hint"].IsText() ? ": " : "",
                   fault["hint"].Text().c_str());
    }
  }
  if (problem["hint"].IsText()) std::fprintf(stderr, "hint: %s\n", problem["hint"].Text().c_str());
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
