#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>

#include "apps/a4c/commands/batch.h"
#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/job_events.h"
#include "apps/a4c/commands/narrowing.h"
#include "apps/a4c/commands/several.h"
#include "apps/a4c/commands/watch.h"
#include "apps/usage/named_file.h"

namespace a4c_cli {
namespace {

using a4c::Json;
using a4c::Result;

constexpr int64_t kLagMaxMs = 2'000;  // what is no news of an index that follows

struct CreateOptions {
  std::string type;
  std::string title;
  std::string payload;
  std::vector<std::string> set;
  std::vector<std::string> labels;
  int priority = -1;
  std::string delay;
  std::string deadline;
  bool wait = false;
  int64_t timeout_s = 600;
};

struct ListOptions {
  std::string query;
  Narrowing narrowing;
  std::string sort;
  std::vector<std::string> tokens;
  int limit = 50;
  std::shared_ptr<bool> fresh;
  bool all = false;
  bool highlight = false;
  WatchOptions watch;
};

struct CountOptions {
  std::string query = "*";
  Narrowing narrowing;
  std::vector<std::string> by;
  std::vector<std::string> tokens;
  int top = 10;
};

struct StepOptions {
  Names jobs{"job"};
  Waiting waiting;
};

// The text itself, of a file if it is @path, of standard input if it is -.
bool ReadText(Session& session, const std::string& given, std::string& text) {
  if (given == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
    return true;
  }
  text = given;
  if (!given.starts_with('@')) return true;
  a4c::Result<std::string> read = a4c::usage::ReadNamedFile(given.substr(1));
  if (!read) {
    session.exit_code = session.Complain(read.error());
    return false;
  }
  text = *std::move(read);
  return true;
}

bool BuildPayload(Session& session, const CreateOptions& options, Json& payload) {
  payload = Json::Object{};
  if (!options.payload.empty()) {
    std::string text;
    if (!ReadText(session, options.payload, text)) return false;
    a4c::Result<Json> parsed = a4c::ParseJson(text);
    if (!parsed) {
      session.exit_code = session.Complain(parsed.error().Within("--payload"));
      return false;
    }
    payload = *std::move(parsed);
  }
  return ParsePairs(session, options.set, payload, true);
}

void Finish(Session& session, const Json& job, bool wait, int64_t timeout_s) {
  if (wait) {
    session.exit_code = WaitForJob(session, job, timeout_s * 1000);
  } else {
    session.Show(job, "job", JobColumns());
  }
}

void Create(Session& session, const CreateOptions& options) {
  Json body(Json::Object{{"type", options.type}});
  Json payload;
  if (!BuildPayload(session, options, payload)) return;
  if (!options.title.empty()) body.AppendMember("title", options.title);
  body.AppendMember("payload", std::move(payload));
  if (!options.labels.empty()) {
    Json labels(Json::Object{});
    if (!ParsePairs(session, options.labels, labels, false)) return;
    body.AppendMember("labels", std::move(labels));
  }
  if (options.priority >= 0) body.AppendMember("priority", options.priority);
  if (!options.delay.empty()) body.AppendMember("delay", options.delay);
  if (!options.deadline.empty()) body.AppendMember("deadline", options.deadline);
  Reply reply;
  if (!session.Send({"POST", "/v1/jobs", body.ToString()}, reply)) return;
  Finish(session, reply.body, options.wait, options.timeout_s);
}

// `fresh` is about the writes that were asked for: without any an index that lags is fresh, too.
void NoteLag(const Session& session, const Json& page) {
  const int64_t lag_ms = page["lag_ms"].Int();
  if (page["fresh"].Bool(true) && lag_ms <= kLagMaxMs) return;
  session.Note("note: the index is behind by " + std::to_string(lag_ms) +
               " ms: some jobs may be missing");
}

const std::vector<Column>& CountColumns() {
  static const std::vector<Column> columns = {
      {"FIELD", "field"}, {"VALUE", "value"}, {"COUNT", "count"}};
  return columns;
}

// With -o wide a search shows what it found.
std::vector<Column> ListColumns(const Session& session, const ListOptions& options) {
  std::vector<Column> columns = JobColumns();
  const bool search = !options.query.empty() && session.format() == Format::kWide;
  if (search) columns.push_back({"FOUND", "highlights", true, Column::As::kFound});
  return columns;
}

Result<Reply> ReadList(Session& session, const ListOptions& options, bool highlight) {
  std::vector<std::pair<std::string, std::string>> query = {
      {"q", options.query},         {"filter", FilterOf(options.narrowing)},
      {"sort", options.sort},       {"limit", std::to_string(options.limit)},
      RequireFresh(*options.fresh), {"highlight", highlight ? "true" : ""}};
  for (const std::string& token : options.tokens) query.emplace_back("token", token);
  return session.TryPages("/v1/jobs", query, options.all);
}

// What changes is told by events, which know nothing of a query: there the list is read again.
int WatchJobsOfList(Session& session, const List& list, const ListOptions& options) {
  const bool is_narrowed = !options.query.empty() || !FilterOf(options.narrowing).empty();
  return is_narrowed ? WatchList(session, list, options.watch) : WatchJobList(session, list);
}

void ListJobs(Session& session, const ListOptions& options) {
  const std::vector<Column> columns = ListColumns(session, options);
  const bool highlight = options.highlight || columns.size() > JobColumns().size();
  const List list{"job", columns, [&] { return ReadList(session, options, highlight); }};
  if (options.watch.is_wanted) {
    session.exit_code = WatchJobsOfList(session, list, options);
    return;
  }
  Reply page;
  if (!session.Take(list.read(), page)) return;
  NoteLag(session, page.body);
  session.NoteStaleness(page.body["stale_ms"].Int());
  session.Show(page.body, "job", columns);
  const bool is_cut = !page.body["next"].Text().empty();
  if (is_cut) session.Note("there are more: use --all, or a larger --limit");
}

Json CountRows(const Json& page) {
  Json rows(Json::Array{});
  for (const Json& facet : page["facets"].Items()) {
    for (const Json& value : facet["values"].Items()) {
      rows.Append(Json(Json::Object{
          {"field", facet["field"]}, {"value", value["value"]}, {"count", value["count"]}}));
    }
  }
  return rows;
}

// A list of one job says how many there are.
void Count(Session& session, const CountOptions& options) {
  if (!options.by.empty() && session.RefusesNames()) return;
  std::vector<std::pair<std::string, std::string>> query = {
      {"q", options.query}, {"filter", FilterOf(options.narrowing)}, {"limit", "1"}};
  std::string facets;
  for (const std::string& field : options.by) facets += (facets.empty() ? "" : ",") + field;
  if (!facets.empty()) {
    query.emplace_back("facets", facets);
    query.emplace_back("facet_limit", std::to_string(options.top));
  }
  for (const std::string& token : options.tokens) query.emplace_back("token", token);
  Reply reply;
  if (!session.Send({.path = WithQuery("/v1/jobs", query)}, reply)) return;
  NoteLag(session, reply.body);
  if (facets.empty()) {
    session.ShowText(std::to_string(reply.body["total"].Int()) + "\n");
  } else {
    const int64_t total = reply.body["total"].Int();
    session.Note(std::to_string(total) + (total == 1 ? " job" : " jobs"));
    session.Show(Json(Json::Object{{"items", CountRows(reply.body)}}), "count", CountColumns());
  }
}

std::string PathOf(const std::string& id) {
  return "/v1/jobs/" + PercentEncode(id);
}

void Get(Session& session, const Names& jobs) {
  std::vector<Outcome> found = DoForEach(session, jobs, [&](Outcome& outcome) {
    return SendFor(session, {.path = PathOf(outcome.name)}, outcome);
  });
  ShowOutcomes(session, jobs, std::move(found), "job", JobColumns());
}

// Cancel and retry name the version that they mean: the one read just before.
void Step(Session& session, const StepOptions& options, const std::string& step) {
  std::vector<Outcome> jobs = DoForEach(session, options.jobs, [&](Outcome& outcome) {
    const std::string path = PathOf(outcome.name);
    Reply read;
    if (!session.Send({.path = path}, read)) return false;
    return SendFor(session,
                   {.method = "POST",
                    .path = path + ":" + step,
                    .headers = {{"If-Match", read.Header("ETag")}}},
                   outcome);
  });
  FinishJobs(session, options.jobs, std::move(jobs), options.waiting);
}

CLI::App* Leaf(CLI::App& parent, const char* name, const char* help) {
  return parent.add_subcommand(name, help);
}

void AddCreate(CLI::App& job, Session& session) {
  const auto options = std::make_shared<CreateOptions>();
  CLI::App* leaf = Leaf(job, "create", "create a job");
  leaf->add_option("type", options->type, "workspace.create, command.run, ...")->required();
  leaf->add_option("--title", options->title, "words to find it by");
  leaf->add_option("--payload", options->payload, "JSON; @file or - for standard input");
  leaf->add_option(
          "--set", options->set,
          "member of the payload, name=value; a value that is JSON is taken so: 500, true,\n"
          "[\"sleep\",\"60\"]; text that looks so stands in quotes: 'name=\"500\"'")
      ->allow_extra_args(false);
  leaf->add_option("--label", options->labels, "name=value")->allow_extra_args(false);
  leaf->add_option("--priority", options->priority, "0 to 9, 9 is the most urgent")
      ->check(CLI::Range(0, 9));
  leaf->add_option("--delay", options->delay, "not before so long from now: 30s, 5m, 24h");
  leaf->add_option("--deadline", options->deadline, "given up so long from now");
  leaf->add_flag("--wait", options->wait, "until it has ended");
  AddTimeout(*leaf, options->timeout_s);
  leaf->callback([&session, options] { Create(session, *options); });
}

void AddList(CLI::App& job, Session& session) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* leaf = Leaf(job, "list", "list jobs, the newest first, or search them");
  leaf->add_option("-q,--query", options->query,
                   "KQL: state:failed and labels.team:infra and \"timed out\"");
  AddNarrowing(*leaf, options->narrowing);
  leaf->add_option("--sort", options->sort, "a field, with a leading - descending");
  leaf->add_option("--limit", options->limit, "of one page")->check(CLI::PositiveNumber);
  leaf->add_option("--token", options->tokens, "A4C-Token of a write that must be seen")
      ->allow_extra_args(false);
  options->fresh = AddFresh(*leaf);
  leaf->add_flag("--all", options->all, "all pages");
  AddWatch(*leaf, options->watch);
  leaf->add_flag("--highlight", options->highlight, "say which words matched where (-o wide does)");
  leaf->callback([&session, options] { ListJobs(session, *options); });
}

void AddCount(CLI::App& job, Session& session) {
  const auto options = std::make_shared<CountOptions>();
  CLI::App* leaf = Leaf(job, "count", "count jobs, also by the values of a field or label");
  leaf->add_option("-q,--query", options->query, "KQL, as in job list");
  AddNarrowing(*leaf, options->narrowing);
  leaf->add_option("--by", options->by, "state, type, labels.team, ...: its most frequent values")
      ->allow_extra_args(false);
  leaf->add_option("--top", options->top, "so many values of each")->check(CLI::PositiveNumber);
  leaf->add_option("--token", options->tokens, "A4C-Token of a write that must be seen")
      ->allow_extra_args(false);
  leaf->callback([&session, options] { Count(session, *options); });
}

void AddStep(CLI::App& job, Session& session, const char* name, const char* help) {
  const auto options = std::make_shared<StepOptions>();
  CLI::App* leaf = Leaf(job, name, help);
  AddNames(*leaf, options->jobs);
  AddWaiting(*leaf, options->waiting, "until it has ended");
  leaf->callback([&session, options, name] { Step(session, *options, name); });
}

}  // namespace

const std::vector<Column>& JobColumns() {
  static const std::vector<Column> columns = {{"ID", "id"},
                                              {"TYPE", "type"},
                                              {"STATE", "state", false, Column::As::kState},
                                              {"REASON", "reason"},
                                              {"AGE", "created_at", false, Column::As::kAge},
                                              {"PRIORITY", "priority", true},
                                              {"ATTEMPTS", "attempts", true},
                                              {"HOST", "host", true},
                                              {"WORKSPACE", "workspace", true},
                                              {"LABELS", "labels", true},
                                              {"MESSAGE", "message", true},
                                              {"TITLE", "title"}};
  return columns;
}

void AddJobCommands(CLI::App& root, Session& session) {
  CLI::App* job = root.add_subcommand("job", "create, find and follow jobs");
  job->require_subcommand(1);
  AddCreate(*job, session);
  const auto get = std::make_shared<Names>(Names{"job"});
  CLI::App* leaf = Leaf(*job, "get", "show one job, or several");
  AddNames(*leaf, *get);
  leaf->callback([&session, get] { Get(session, *get); });
  AddList(*job, session);
  AddCount(*job, session);
  AddStep(*job, session, "cancel", "cancel a job that has not ended");
  AddStep(*job, session, "retry", "start a failed or canceled job again");
  AddJobLogs(*job, session);
  const auto watch = std::make_shared<std::string>();
  leaf = Leaf(*job, "watch", "print jobs as they change: all, or one until it has ended");
  leaf->add_option("job", *watch, "its id");
  leaf->callback(
      [&session, watch] { session.exit_code = WatchJobs(session, BareId(*watch, "job")); });
  const auto batch = std::make_shared<BatchOptions>();
  leaf = Leaf(*job, "batch", "create many jobs: one JSON object per line");
  leaf->add_option("file", batch->file, "NDJSON; - for standard input")->required();
  leaf->add_option("--chunk", batch->chunk_lines, "lines in one request")
      ->check(CLI::Range(1, 10000));
  leaf->callback([&session, batch] { session.exit_code = SubmitBatch(session, *batch); });
}

}  // namespace a4c_cli
