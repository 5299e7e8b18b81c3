#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/watch.h"

namespace a4c_cli {
namespace {

using a4c::Json;

constexpr int64_t kPollMs = 500;
constexpr const char* kDeadLetters = "/v1/sync/dead-letters";

const std::vector<Column>& LetterColumns() {
  static const std::vector<Column> columns = {
      {"ID", "id"},         {"TENANT", "tenant"},
      {"REV", "rev"},       {"AGE", "since", false, Column::As::kAge},
      {"REASON", "reason"}, {"KIND", "kind", true}};
  return columns;
}

std::string Seconds(int64_t ms) {
  return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + " s";
}

std::string TaskLine(const Json& task) {
  std::string line = task["task"].Text() + ": " + task["state"].Text();
  if (task["state"].Text() == "running") line += ", " + task["phase"].Text();
  line += ", " + std::to_string(task["done"].Int());
  if (task["total"].Int() > 0) line += " of " + std::to_string(task["total"].Int());
  line += " records";
  if (task["generation"].Int() > 0) {
    line += ", generation " + std::to_string(task["generation"].Int());
  }
  if (task["drift"].Int() > 0) line += ", " + std::to_string(task["drift"].Int()) + " drifted";
  if (task["message"].IsText()) line += " (" + task["message"].Text() + ")";
  return line;
}

const std::vector<Column>& TaskColumns() {
  static const std::vector<Column> columns = {{"TASK", "task"}};
  return columns;
}

// A task that is followed: a bar that is redrawn on a terminal, NDJSON on a pipe.
class TaskProgress {
 public:
  explicit TaskProgress(Session& session)
      : session_(session),
        ndjson_(session.format() == Format::kNdjson ||
                (!session.format_given && isatty(STDOUT_FILENO) == 0)) {}

  void Show(const Json& task) {
    if (task == shown_) return;
    shown_ = task;
    if (ndjson_) session_.ShowText(task.ToString() + "\n");
    session_.ShowProgress(BarText(task["done"].Int(), task["total"].Int()) + TaskLine(task));
  }

  void End(const Json& task) {
    session_.ClearProgress();
    if (ndjson_) return;
    if (!session_.IsForPeople()) return session_.Show(task, "task", TaskColumns());
    session_.ShowWords(TaskLine(task) + "\n");
    for (const Json& ref : task["examples"].Items()) {
      session_.ShowWords("  " + ref["tenant"].Text() + "/" + ref["id"].Text() + "\n");
    }
  }

 private:
  Session& session_;
  const bool ndjson_;
  Json shown_;
};

// 0: it succeeded and found nothing amiss.
int ExitCodeOfTask(const Json& task) {
  const bool verify = task["task"].Text() == "verify";
  const bool good = task["state"].Text() == "succeeded" && !(verify && task["drift"].Int() > 0);
  return good ? kOk : kFailed;
}

int Follow(Session& session, Json task, int64_t timeout_ms) {
  const int64_t until_ms = session.runtime.clock.MonotonicMs() + timeout_ms;
  const std::string path = "/v1/sync/tasks/" + task["task"].Text();
  TaskProgress progress(session);
  Breaks breaks(session, until_ms);
  while (true) {
    progress.Show(task);
    if (task["state"].Text() != "running") {
      progress.End(task);
      return ExitCodeOfTask(task);
    }
    if (session.runtime.clock.MonotonicMs() >= until_ms) {
      session.Note("it has not ended in time; it goes on: a4c sync status");
      return kTimedOut;
    }
    session.Pause(kPollMs);
    if (!breaks.Look(path, task)) return session.exit_code;
  }
}

void AddTask(CLI::App& sync, Session& session, const char* name, const char* help) {
  struct Options {
    bool no_wait = false;
    bool dry_run = false;
    int64_t timeout_s = 86'400;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* leaf = sync.add_subcommand(name, help);
  leaf->add_flag("--no-wait", options->no_wait, "start it and do not follow it");
  AddTimeout(*leaf, options->timeout_s, "seconds to follow it");
  if (std::string_view(name) == "verify") {
    leaf->add_flag("--dry-run", options->dry_run, "only say what differs");
  }
  const auto other = std::make_shared<std::string>();
  if (std::string_view(name) == "rebuild") {
    leaf->add_flag_callback(
        "--drop-old", [other] { *other = "drop-old"; }, "drop the generations that are not live");
    leaf->add_flag_callback(
        "--cancel", [other] { *other = "cancel-rebuild"; },
        "end the one that runs, and drop what it has filled");
  }
  leaf->callback([&session, options, other, name] {
    Reply reply;
    const std::string verb = other->empty() ? name : *other;
    if (verb == "drop-old" && session.RefusesNames()) return;
    const std::string body = options->dry_run ? R"({"dry_run":true})" : "";
    if (!session.Send({"POST", "/v1/sync:" + verb, body}, reply)) return;
    if (verb == "drop-old") {
      if (!session.IsForPeople()) return session.Show(reply.body, "dropped", {});
      return session.ShowText(
          "dropped " + std::to_string(reply.body["dropped"].Int()) +
          (reply.body["dropped"].Int() == 1 ? " generation\n" : " generations\n"));
    }
    const bool follow = other->empty() && !options->no_wait;
    if (follow) {
      session.exit_code = Follow(session, reply.body, options->timeout_s * 1000);
    } else if (session.IsForPeople()) {
      session.ShowWords(TaskLine(reply.body) + "\n");
    } else {
      session.Show(reply.body, "task", TaskColumns());
    }
  });
}

void ShowStatus(Session& session, const Json& status) {
  if (!session.IsForPeople()) return session.Show(status, "sync", {});
  const int64_t rows = status["outbox_rows"].Int();
  std::string text =
      status["kind"].Text() + ": " +
      (rows == 0 ? "everything is searchable"
                 : std::to_string(rows) + (status["outbox_rows_more"].Bool() ? " or more" : "") +
                       " changes on their way, the oldest for " + Seconds(status["lag_ms"].Int())) +
      "\n";
  if (status["index_trouble"].IsText()) {
    text += "  the index cannot be written: " + status["index_trouble"].Text() + "\n";
  }
  if (status["dead_letters"].Int() > 0) {
    text += "  " + std::to_string(status["dead_letters"].Int()) +
            (status["dead_letters_more"].Bool() ? "+" : "") +
            " dead letters: a4c sync dead-letters\n";
  }
  text += status["proved_at"].IsText()
              ? "  proven equal " + Seconds(status["oldest_bucket_proof_ms"].Int()) + " ago\n"
              : "  never proven equal: a4c sync verify\n";
  std::string old;
  for (const Json& one : status["generations"].Items()) {
    if (!one["live"].Bool()) old += " " + std::to_string(one["number"].Int());
  }
  if (!old.empty()) text += "  generations that are not live:" + old + "\n";
  for (const Json& task : status["tasks"].Items()) text += "  " + TaskLine(task) + "\n";
  session.ShowWords(text);
}

struct RetryOptions {
  std::vector<std::string> ids;
  bool all = false;
  bool dry_run = false;
};

Json RetryBody(const RetryOptions& options) {
  Json body(Json::Object{});
  if (options.all) return body;
  Json ids(Json::Array{});
  for (const std::string& id : options.ids) ids.Append(id);
  body.AppendMember("ids", std::move(ids));
  return body;
}

// Those that would be sent again, or the complaint that the API would have.
void ShowChosen(Session& session, const RetryOptions& options) {
  Json letters;
  if (!session.SendForAll(kDeadLetters, {}, letters)) return;
  if (options.all) return session.Show(letters, "job", LetterColumns());
  std::set<std::string> missing(options.ids.begin(), options.ids.end());
  Json chosen(Json::Array{});
  for (const Json& letter : letters["items"].Items()) {
    if (missing.erase(letter["id"].Text()) > 0) chosen.Append(letter);
  }
  if (missing.empty()) {
    return session.Show(Json(Json::Object{{"items", std::move(chosen)}}), "job", LetterColumns());
  }
  session.exit_code = session.Complain(a4c::Error(a4c::Code::kNotFound,
                                                  "there is no dead letter " + *missing.begin(),
                                                  "list them: a4c sync dead-letters"));
}

void AddRetry(CLI::App& sync, Session& session) {
  const auto options = std::make_shared<RetryOptions>();
  CLI::App* leaf = sync.add_subcommand("retry", "send dead letters to the index again");
  CLI::Option* ids = leaf->add_option("id", options->ids, "of the records");
  leaf->add_flag("--all", options->all, "all of them")->excludes(ids);
  leaf->add_flag("--dry-run", options->dry_run, "only list them");
  leaf->callback([&session, options] {
    if (options->ids.empty() && !options->all) {
      session.exit_code = session.Complain(a4c::Error(
          a4c::Code::kInvalid, "name dead letters, or --all", "list them: a4c sync dead-letters"));
      return;
    }
    if (options->dry_run) return ShowChosen(session, *options);
    if (session.RefusesNames()) return;
    Reply reply;
    if (!session.Send({"POST", "/v1/sync:retry", RetryBody(*options).ToString()}, reply)) return;
    if (!session.IsForPeople()) return session.Show(reply.body, "retried", {});
    session.ShowText("sent again: " + std::to_string(reply.body["retried"].Int()) + "\n");
  });
}

}  // namespace

void AddSyncCommands(CLI::App& root, Session& session) {
  CLI::App* sync = root.add_subcommand("sync", "how the search index stands to the store");
  sync->require_subcommand(1);
  sync->add_subcommand("status", "lag, dead letters, proofs and running tasks")
      ->callback([&session] {
        Reply reply;
        if (session.RefusesNames()) return;
        if (session.Send({.path = "/v1/sync"}, reply)) ShowStatus(session, reply.body);
      });
  AddTask(*sync, session, "verify", "compare store and index, and repair what drifted");
  AddTask(*sync, session, "repair", "send every record to the index again");
  AddTask(*sync, session, "rebuild", "fill a new index while the old one serves, and swap them");
  sync->add_subcommand("dead-letters", "records that the index refused for good")
      ->callback([&session] {
        Json letters;
        if (session.SendForAll(kDeadLetters, {}, letters)) {
          session.Show(letters, "job", LetterColumns());
        }
      });
  AddRetry(*sync, session);
}

}  // namespace a4c_cli
