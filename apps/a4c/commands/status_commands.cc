#include <cstdlib>
#include <ctime>
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/usage/usage.h"

namespace a4c_cli {
namespace {

using a4c::Json;

constexpr int64_t kClockApartMaxS = 5;

// "12", or "1000+" where there are more than were counted.
std::string DeadLettersOf(const Json& search) {
  return std::to_string(search["dead_letters"].Int()) +
         (search["dead_letters_more"].Bool() ? "+" : "");
}

void ShowStatus(Session& session, const Json& status) {
  if (!session.IsForPeople()) {
    return session.Show(status, "status", {});
  }
  std::string text =
      "a4cd " + status["version"].Text() + ", up " +
      std::to_string(status["uptime_ms"].Int() / 1000) + " s, " +
      (status["ready"].Bool() ? "ready" : "not ready: " + status["not_ready_because"].Text()) +
      "\n";
  for (const auto& [name, plugin] : status["backends"].Members()) {
    text += "  " + name + ": " + plugin.Text() + "\n";
  }
  if (status["search"]["available"].Bool()) {
    text += "  search lags by " + std::to_string(status["search"]["lag_ms"].Int()) + " ms, " +
            DeadLettersOf(status["search"]) + " dead letters\n";
  } else {
    text += "  search is not available: " + status["search"]["error"].Text() + "\n";
  }
  for (const Json& plugin : status["plugins"].Items()) {
    if (!plugin["healthy"].Bool()) {
      text += "  plugin " + plugin["name"].Text() + ": " + plugin["reason"].Text() + "\n";
    }
  }
  for (const Json& loop : status["loops"].Items()) {
    if (!loop["healthy"].Bool()) {
      text += "  loop " + loop["name"].Text() + ": " + loop["error"].Text() + "\n";
    }
  }
  session.ShowWords(text);
}

// One line per check, each failed one with what to do; for programs a list of {level, check,
// detail, hint}, of which level is ok, FAIL or WARN.
class Doctor {
 public:
  explicit Doctor(Session& session) : session_(session) {}

  void Run() {
    const std::string path = ContextsPath();
    const auto contexts = ReadContexts(path);
    Check("contexts in " + path, contexts.has_value(), contexts ? "" : contexts.error().message(),
          contexts ? "" : contexts.error().hint());
    const auto& endpoint = session_.Resolved();
    Check("URL and key are known", endpoint.has_value() && !endpoint->api_key.empty(),
          endpoint ? "there is no API key" : endpoint.error().message(),
          endpoint || endpoint.error().hint().empty()
              ? "set A4C_API_KEY_FILE, or a4c context set NAME --url URL --api-key-file FILE"
              : endpoint.error().hint());
    if (endpoint) CheckApi(*endpoint);
    Show();
    session_.exit_code = good_ ? kOk : kFailed;
  }

 private:
  void CheckApi(const Endpoint& endpoint) {
    auto client = NewClient(endpoint, session_.runtime);
    if (!client) return Check("URL", false, client.error().message(), client.error().hint());
    auto live = (*client)->Send({.path = "/livez"});
    Check(endpoint.url + " answers", live && live->ok(),
          live ? "answered " + std::to_string(live->status) : live.error().message(),
          live || live.error().retryable() ? "start it: a4cd; or name another: --url, A4C_URL"
                                           : live.error().hint());
    if (IsKeyReadable(endpoint)) {
      Find("WARN", "the key goes over http://", kKeyIsReadable, "write https:// in --url");
    }
    if (!live || !live->ok()) return;
    CheckClock(live->Header("Date"));
    auto ready = (*client)->Send({.path = "/readyz"});
    Check("it is ready", ready && ready->ok(), ready ? ready->text : ready.error().message(),
          "see its log");
    auto status = (*client)->Send({.path = "/v1/status"});
    const bool is_limited = status && status->status == 403;
    const bool good = status && (status->ok() || is_limited);
    Check("the key is accepted", good,
          status ? status->body["detail"].Text() : status.error().message(),
          status ? status->body["hint"].Text() : "");
    if (!good) return;
    if (is_limited) {
      Find("WARN", "versions, search and plugins were not looked at", status->body["detail"].Text(),
           "");
    } else {
      CheckStatus(status->body);
    }
    CheckHosts(**client);
  }

  void CheckStatus(const Json& body) {
    Check("versions fit: a4c " A4C_VERSION ", a4cd " + body["version"].Text(),
          MinorOf(body["version"].Text()) == MinorOf(A4C_VERSION),
          "they may not understand each other", "install the same version of both");
    Check("search is available", body["search"]["available"].Bool(), body["search"]["error"].Text(),
          "a4c job list without -q reads the store");
    Check("no dead letters", body["search"]["dead_letters"].Int() == 0,
          DeadLettersOf(body["search"]) + " documents were refused by the index",
          "a4c sync dead-letters");
    for (const Json& plugin : body["plugins"].Items()) {
      Check("plugin " + plugin["name"].Text(), plugin["healthy"].Bool(), plugin["reason"].Text(),
            "see the log of a4cd");
    }
    CheckLoops(body["loops"].Items());
    const int64_t ahead_ms = body["clock_ahead_ms"].Int();
    Check("the clocks of a4cd and its store agree", std::abs(ahead_ms) <= kClockApartMaxS * 1000,
          "a4cd is " + std::to_string(std::abs(ahead_ms)) + " ms " +
              (ahead_ms > 0 ? "ahead" : "behind"),
          "set both by NTP: jobs are stamped by one and claimed by the other");
  }

  // Of the instance that answered.
  void CheckLoops(const Json::Array& loops) {
    bool all_go = true;
    for (const Json& loop : loops) {
      if (loop["healthy"].Bool()) continue;
      all_go = false;
      Check("background loop " + loop["name"].Text(), false, loop["error"].Text(),
            "it is tried again by itself; since when it fails is in the log of a4cd");
    }
    if (all_go) Check("background loops go on: " + std::to_string(loops.size()), true, "", "");
  }

  // A key that may not see servers has nothing to say of them.
  void CheckHosts(Client& client) {
    const auto hosts = client.Send({.path = "/v1/hosts"});
    if (!hosts || hosts->status == 403) return;
    Check("servers are listed", hosts->ok(), hosts->body["detail"].Text(),
          hosts->body["hint"].Text());
    for (const Json& host : hosts->body["items"].Items()) {
      const std::string name = "server " + host["id"].Text();
      const std::string& next = host["hint"].Text();
      Check(name + " answers", host["reachable"].Bool(), host["reason"].Text(),
            next.empty() ? "a4c host get " + host["id"].Text() : next);
      for (const Json& warning : host["warnings"].Items()) {
        Find("WARN", name, warning.Text(), "");
      }
    }
  }

  // Ages, deadlines and the ttl of keys are judged by the service's clock and shown by ours.
  void CheckClock(const std::string& date) {
    std::tm parts{};
    if (strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S", &parts) == nullptr) return;
    const int64_t apart_s = std::abs(session_.runtime.clock.NowMs() / 1000 - timegm(&parts));
    Check("the clocks agree", apart_s <= kClockApartMaxS,
          "they are " + std::to_string(apart_s) + " s apart", "set both by NTP");
  }

  // "1.4" of "1.4.2".
  static std::string MinorOf(const std::string& version) {
    const size_t dot = version.find('.');
    return version.substr(0, dot == std::string::npos ? dot : version.find('.', dot + 1));
  }

  void Check(const std::string& what, bool good, const std::string& trouble,
             const std::string& hint) {
    if (good) return Find("ok", what, "", "");
    good_ = false;
    Find("FAIL", what, trouble, hint);
  }

  void Find(const char* level, const std::string& what, const std::string& detail,
            const std::string& hint) {
    Json found(Json::Object{{"level", level}, {"check", what}});
    if (!detail.empty()) found.AppendMember("detail", detail);
    if (!hint.empty()) found.AppendMember("hint", hint);
    found_.push_back(std::move(found));
  }

  void Show() {
    if (!session_.IsForPeople()) {
      return session_.Show(Json(Json::Object{{"items", std::move(found_)}}), "check", {});
    }
    std::string text;
    for (const Json& one : found_) {
      text += (one["level"].Text() + "    ").substr(0, 6) + one["check"].Text() + "\n";
      if (one["detail"].IsText()) text += "      " + one["detail"].Text() + "\n";
      if (one["hint"].IsText()) text += "      do: " + one["hint"].Text() + "\n";
    }
    session_.ShowWords(text);
  }

  Session& session_;
  Json::Array found_;
  bool good_ = true;
};

// By its schedule, then by its id. Times are texts of one length; a job of an older version has
// none, and its turn first.
std::pair<std::string, std::string> TurnOf(const Json& job) {
  return {job["scheduled_at"].Text(), job["id"].Text()};
}

// Of a workspace one job at a time, in the order they are scheduled for, whenever they were made:
// the first of them, if it is before this one. Empty: none is, or the index does not say.
std::string WaitsFor(Session& session, const Json& job) {
  if (job["state"].Text() != "pending" || !job["workspace"].IsText()) return "";
  const std::string query =
      "workspace:\"" + job["workspace"].Text() + "\" and state:(pending or running)";
  Json first = job;
  std::string cursor;
  do {
    const a4c::Result<Reply> page = session.Connect()->Send(
        {.path = WithQuery("/v1/jobs", {{"q", query}, {"limit", "100"}, {"cursor", cursor}})});
    if (!page || !page->ok()) return "";
    for (const Json& other : page->body["items"].Items()) {
      if (TurnOf(other) < TurnOf(first)) first = other;
    }
    cursor = page->body["next"].Text();
  } while (!cursor.empty());
  if (TurnOf(first) == TurnOf(job)) return "";
  return "  waits for job " + first["id"].Text() + " (" + first["type"].Text() + ", " +
         first["state"].Text() + "), which is before it and about the same workspace\n";
}

void Explain(Session& session, const std::string& given) {
  const std::string id = BareId(given, "job");
  Reply reply;
  if (!session.Send({.path = "/v1/jobs/" + PercentEncode(id)}, reply)) return;
  if (!session.IsForPeople()) return session.Show(reply.body, "job", JobColumns());
  const Json& job = reply.body;
  std::string text = "job " + job["id"].Text() + " (" + job["type"].Text() + ") is " +
                     job["state"].Text() + ": " + job["reason"].Text() + "\n";
  if (job["message"].IsText()) text += "  " + job["message"].Text() + "\n";
  text += "  attempt " + std::to_string(job["attempts"].Int()) + " of " +
          std::to_string(job["attempts_max"].Int()) + ", priority " +
          std::to_string(job["priority"].Int()) + "\n";
  if (job["due_at"].IsText()) text += "  not before " + job["due_at"].Text() + "\n";
  if (job["deadline_at"].IsText()) text += "  given up at " + job["deadline_at"].Text() + "\n";
  if (job["host"].IsText()) text += "  on server " + job["host"].Text() + "\n";
  session.ShowWords(text + WaitsFor(session, job));
  const std::string path = WithQuery("/v1/placement:explain", {{"job", id}});
  Client* client = session.Connect();
  const a4c::Result<Reply> placement = client->Send({.path = path});
  if (placement && placement->ok()) {
    session.ShowWords("placement:\n" + YamlText(placement->body));
  } else if (placement) {
    session.Note("placement: " + placement->body["detail"].Text());
  }
}

}  // namespace

void AddStatusCommands(CLI::App& root, Session& session) {
  root.add_subcommand("status", "the state of the installation")->callback([&session] {
    Reply reply;
    if (session.RefusesNames()) return;
    if (session.Send({.path = "/v1/status"}, reply)) ShowStatus(session, reply.body);
  });
  root.add_subcommand("doctor", "check the connection and the service, and say what to do")
      ->callback([&session] {
        if (!session.RefusesNames()) Doctor(session).Run();
      });
  const auto id = std::make_shared<std::string>();
  CLI::App* explain =
      root.add_subcommand("explain", "why a job is in its state, and where it was placed");
  explain->add_option("job", *id, "its id")->required();
  explain->callback([&session, id] { Explain(session, *id); });
  CLI::App* help = root.add_subcommand("help", "help on a command, or on exit-codes");
  const auto topic = std::make_shared<std::vector<std::string>>();
  help->add_option("topic", *topic, "a command, or exit-codes");
  help->callback([&session, &root, topic] {
    if (topic->size() == 1 && topic->front() == "exit-codes") {
      return session.ShowText(ExitCodesText());
    }
    session.exit_code = a4c::usage::Help(root, *topic, TellMisuseBy(session));
  });
}

}  // namespace a4c_cli
