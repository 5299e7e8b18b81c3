#include <algorithm>
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/confirm.h"
#include "apps/a4c/commands/several.h"

namespace a4c_cli {
namespace {

using a4c::Json;

struct CreateOptions {
  std::string name;
  std::string image;
  std::string memory;
  std::string disk;
  std::string on_drain;
  std::string restart;
  std::string host;
  std::string ttl;
  std::string idle_stop;
  int64_t cpu_millis = 0;
  int64_t pids = 0;
  std::vector<std::string> env;
  std::vector<std::string> secrets;
  std::vector<std::string> labels;
  std::vector<std::string> constraints;
  std::vector<std::string> command;
  bool wait = false;
  int64_t timeout_s = 600;
};

struct StepOptions {
  Names workspaces{"workspace"};
  Waiting waiting;
  bool is_sure = false;
};

const std::vector<Column>& Columns() {
  static const std::vector<Column> columns = {{"ID", "id"},
                                              {"NAME", "name"},
                                              {"DESIRED", "desired"},
                                              {"ACTUAL", "actual", false, Column::As::kState},
                                              {"HOST", "host"},
                                              {"AGE", "created_at", false, Column::As::kAge},
                                              {"IMAGE", "image", true},
                                              {"RESTARTS", "restarts", true},
                                              {"MEMORY", "memory_bytes", true, Column::As::kBytes},
                                              {"DISK", "disk_bytes", true, Column::As::kBytes},
                                              {"COMMAND", "command", true},
                                              {"MESSAGE", "message", true}};
  return columns;
}

std::string PathOf(const std::string& workspace) {
  return "/v1/workspaces/" + PercentEncode(workspace);
}

void SetText(Json& body, const char* name, const std::string& text) {
  if (!text.empty()) body.AppendMember(name, text);
}

// "arch=amd64" and "label:gpu=yes" as the API takes them. False: exit_code is set.
bool ReadConstraints(Session& session, const std::vector<std::string>& given, Json& constraints) {
  constexpr std::string_view kLabel = "label:";
  Json labels(Json::Object{});
  for (const std::string& one : given) {
    const size_t equals = one.find('=');
    const std::string name = one.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : one.substr(equals + 1);
    if (name == "arch" && !value.empty()) {
      constraints.Set("arch", value);
    } else if (equals != std::string::npos && name.starts_with(kLabel) &&
               name.size() > kLabel.size()) {
      labels.Set(name.substr(kLabel.size()), value);
    } else {
      session.exit_code = session.Complain(a4c::Error(
          a4c::Code::kInvalid, "\"" + one + "\" is no constraint", "arch=amd64, or label:gpu=yes"));
      return false;
    }
  }
  if (!labels.Members().empty()) constraints.Set("labels", std::move(labels));
  return true;
}

// What can be said at once, and changed later.
void SetSpec(Json& body, const CreateOptions& options) {
  SetText(body, "image", options.image);
  SetText(body, "memory", options.memory);
  SetText(body, "disk", options.disk);
  SetText(body, "on_drain", options.on_drain);
  SetText(body, "restart", options.restart);
  SetText(body, "ttl", options.ttl);
  SetText(body, "idle_stop", options.idle_stop);
  if (options.cpu_millis > 0) body.AppendMember("cpu_millis", options.cpu_millis);
  if (options.pids > 0) body.AppendMember("pids", options.pids);
}

Json WordsOf(const std::vector<std::string>& words) {
  Json list(Json::Array{});
  for (const std::string& word : words) list.Append(word);
  return list;
}

// Whose --wait is it in "create dev-1 sleep 600 --wait"? False: exit_code is set.
bool IsPlainCommand(Session& session, const CreateOptions& options) {
  const auto option = std::ranges::find_if(
      options.command, [](const std::string& word) { return word.starts_with('-'); });
  if (session.has_double_dash || option == options.command.end()) return true;
  std::string words;
  for (const std::string& word : options.command) words += " " + word;
  session.exit_code = session.Complain(a4c::Error(
      a4c::Code::kInvalid,
      *option + " behind \"" + options.command[0] + "\" may be meant for either",
      "options of a4c stand before the command, and it follows --: a4c workspace create " +
          options.name + " --" + words));
  return false;
}

void Create(Session& session, const CreateOptions& options) {
  if (!IsPlainCommand(session, options)) return;
  Json body(Json::Object{{"name", options.name}});
  SetSpec(body, options);
  SetText(body, "host", options.host);
  Json env(Json::Object{});
  Json labels(Json::Object{});
  if (!ParsePairs(session, options.env, env, false)) return;
  if (!ParsePairs(session, options.labels, labels, false)) return;
  body.AppendMember("env", std::move(env));
  if (!options.secrets.empty()) {
    Json secrets(Json::Object{});
    if (!ParsePairs(session, options.secrets, secrets, false)) return;
    body.AppendMember("secrets", std::move(secrets));
  }
  body.AppendMember("labels", std::move(labels));
  Json constraints(Json::Object{});
  if (!ReadConstraints(session, options.constraints, constraints)) return;
  if (!constraints.Members().empty()) body.AppendMember("constraints", std::move(constraints));
  if (options.command.empty() && options.image.empty()) {
    session.exit_code = session.Complain(
        a4c::Error(a4c::Code::kInvalid, "without an image there has to be a command to run",
                   "a4c workspace create " + options.name + " -- sleep 600"));
    return;
  }
  body.AppendMember("command", WordsOf(options.command));
  Reply reply;
  if (!session.Send({"POST", "/v1/workspaces", body.ToString()}, reply)) return;
  if (!options.wait) return session.Show(reply.body, "job", JobColumns());
  session.exit_code = WaitForJob(session, reply.body, options.timeout_s * 1000);
}

bool SetChange(Session& session, Json& body, const char* member,
               const std::vector<std::string>& given, std::string_view what) {
  Json change(Json::Object{});
  if (!ReadMapChange(session, given, what, change)) return false;
  if (!change.Members().empty()) body.AppendMember(member, std::move(change));
  return true;
}

void Update(Session& session, const std::string& workspace, const CreateOptions& options) {
  // A slip of the pen must not become what the workspace runs.
  if (!options.command.empty() && !session.has_double_dash) {
    session.exit_code = session.Complain(
        a4c::Error(a4c::Code::kInvalid,
                   "\"" + options.command[0] + "\" is no option, and a command follows --",
                   "a4c workspace update " + workspace + " -- sleep 600"));
    return;
  }
  Json body(Json::Object{});
  SetSpec(body, options);
  if (!SetChange(session, body, "labels", options.labels, "a label")) return;
  if (!SetChange(session, body, "env", options.env, "a variable")) return;
  if (!SetChange(session, body, "secrets", options.secrets, "a variable")) return;
  if (!options.command.empty()) body.AppendMember("command", WordsOf(options.command));
  if (body.Members().empty()) {
    session.exit_code = session.Complain(
        a4c::Error(a4c::Code::kInvalid, "there is nothing to change",
                   "give --image, --memory, --cpu-millis, --disk, --pids, --env, --secret, "
                   "--ttl, --idle-stop, --restart, --on-drain, --label, or a command behind --"));
    return;
  }
  const std::string path = PathOf(BareId(workspace, "workspace"));
  Reply reply;
  if (!session.Send({"POST", path + ":update", body.ToString()}, reply)) return;
  if (!options.wait) return session.Show(reply.body, "job", JobColumns());
  session.exit_code = WaitForJob(session, reply.body, options.timeout_s * 1000);
}

// A job of the workspace that does it.
bool MakeJob(Session& session, const std::string& workspace, const std::string& step, Json& job) {
  Ask ask{.method = "POST", .path = PathOf(workspace) + ":" + step};
  if (step == "delete") ask = {.method = "DELETE", .path = PathOf(workspace)};
  Reply reply;
  const bool is_made = session.Send(ask, reply);
  job = std::move(reply.body);
  return is_made;
}

void Step(Session& session, const StepOptions& options, const std::string& step) {
  FinishJobs(session, options.workspaces,
             DoForEach(session, options.workspaces,
                       [&](Outcome& outcome) {
                         return MakeJob(session, outcome.name, step, outcome.shown);
                       }),
             options.waiting);
}

// Jobs of one workspace go one after the other: both are made at once, so that what ends the
// command between them leaves nothing stopped.
void Restart(Session& session, const StepOptions& options) {
  const auto restart = [&](Outcome& outcome) {
    if (!MakeJob(session, outcome.name, "stop", outcome.first)) return false;
    if (MakeJob(session, outcome.name, "start", outcome.shown)) return true;
    session.Note(session.Subject() + "it is stopped, and stays so until: a4c workspace start " +
                 outcome.name);
    return false;
  };
  FinishJobs(session, options.workspaces, DoForEach(session, options.workspaces, restart),
             options.waiting);
}

void Get(Session& session, const Names& workspaces) {
  const std::vector<Outcome> found = DoForEach(session, workspaces, [&](Outcome& outcome) {
    return SendFor(session, {.path = PathOf(outcome.name)}, outcome);
  });
  ShowOutcomes(session, workspaces, found, "workspace", Columns());
  for (const Outcome& one : found) {
    const std::string& message = one.shown["message"].Text();
    std::string said = workspaces.AreSeveral() ? one.name + ": " : "";
    said.append(one.shown["actual"].Text()).append(": ").append(message);
    if (!message.empty()) session.Note(said);
  }
}

// What a workspace is made of and may use, and what becomes of it.
void AddSpec(CLI::App& leaf, CreateOptions& options) {
  leaf.add_option("--image", options.image, "container image; none: a plain process");
  leaf.add_option("--memory", options.memory, "512MiB, 4GiB");
  leaf.add_option("--disk", options.disk, "20GiB");
  leaf.add_option("--cpu-millis", options.cpu_millis, "1000 is one core")
      ->check(CLI::PositiveNumber);
  leaf.add_option("--pids", options.pids, "processes at most")->check(CLI::PositiveNumber);
  leaf.add_option("--on-drain", options.on_drain,
                  "keep, or recreate: elsewhere, without what is on its disk")
      ->check(CLI::IsMember({"keep", "recreate"}));
  leaf.add_option("--restart", options.restart,
                  "once its process has ended: never, on_failure, always")
      ->check(CLI::IsMember({"never", "on_failure", "always"}));
}

void AddUpdate(CLI::App& workspace, Session& session) {
  const auto options = std::make_shared<CreateOptions>();
  CLI::App* leaf = workspace.add_subcommand(
      "update",
      "change a workspace's image, command, variables, limits, ttl or labels; its data stays");
  leaf->add_option("workspace", options->name, "its id or name")->required();
  AddSpec(*leaf, *options);
  leaf->add_option("--ttl", options->ttl, "deleted after, from now: 8h, 7d, never");
  leaf->add_option("--idle-stop", options->idle_stop,
                   "stopped once nobody and nothing used it for: 30m, 2h, never");
  leaf->add_option("--env", options->env, "NAME=value sets, NAME- removes")
      ->allow_extra_args(false);
  leaf->add_option("--secret", options->secrets,
                   "NAME=secret: a variable with the value that the secret has now; NAME- removes")
      ->allow_extra_args(false);
  leaf->add_option("--label", options->labels, "name=value sets, name- removes")
      ->allow_extra_args(false);
  leaf->add_option("command", options->command, "what to run instead, after --");
  leaf->add_flag("--wait", options->wait, "until it is done");
  AddTimeout(*leaf, options->timeout_s);
  leaf->callback([&session, options] { Update(session, options->name, *options); });
}

void AddCreate(CLI::App& workspace, Session& session) {
  const auto options = std::make_shared<CreateOptions>();
  CLI::App* leaf = workspace.add_subcommand("create", "create a workspace on the least used disk");
  leaf->add_option("name", options->name, "letters a-z, digits, hyphens")->required();
  AddSpec(*leaf, *options);
  leaf->add_option("--host", options->host, "only on this server");
  leaf->add_option("--constraint", options->constraints,
                   "only on servers with arch=amd64, or with label:gpu=yes; each must hold")
      ->allow_extra_args(false);
  leaf->add_option("--ttl", options->ttl, "deleted after: 8h, 7d");
  leaf->add_option("--idle-stop", options->idle_stop,
                   "stopped once nobody and nothing used it for: 30m, 2h");
  // One value each: what follows is the command's, also what begins with a hyphen.
  leaf->add_option("--env", options->env, "NAME=value")->allow_extra_args(false);
  leaf->add_option("--secret", options->secrets, "NAME=secret: a variable with a secret's value")
      ->allow_extra_args(false);
  leaf->add_option("--label", options->labels, "name=value")->allow_extra_args(false);
  leaf->add_option("command", options->command, "what to run, after --");
  leaf->add_flag("--wait", options->wait, "until it runs");
  AddTimeout(*leaf, options->timeout_s);
  leaf->callback([&session, options] { Create(session, *options); });
}

constexpr const char* kNames = "its id or name; several: each of them";

void AddStep(CLI::App& workspace, Session& session, const char* name, const char* help) {
  const auto options = std::make_shared<StepOptions>();
  const bool is_delete = name == std::string_view("delete");
  CLI::App* leaf = workspace.add_subcommand(name, help);
  AddNames(*leaf, options->workspaces, kNames);
  AddWaiting(*leaf, options->waiting);
  if (is_delete) AddYes(*leaf, options->is_sure);
  leaf->callback([&session, options, name, is_delete] {
    const std::string what = "delete " + Enumerated(options->workspaces.given) + " with all files";
    if (is_delete && !IsMeant(session, options->is_sure, what)) return;
    if (name == std::string_view("restart")) return Restart(session, *options);
    Step(session, *options, name);
  });
}

}  // namespace

void AddWorkspaceCommands(CLI::App& root, Session& session) {
  CLI::App* workspace = root.add_subcommand("workspace", "create and manage workspaces");
  workspace->require_subcommand(1);
  AddCreate(*workspace, session);
  const auto get = std::make_shared<Names>(Names{"workspace"});
  CLI::App* leaf = workspace->add_subcommand("get", "show one workspace, or several");
  AddNames(*leaf, *get, kNames);
  leaf->callback([&session, get] { Get(session, *get); });
  AddList(*workspace, session, "list workspaces, the newest first", "workspace", Columns(),
          {.options = {{"--actual",
                        "actual",
                        "only those that are this",
                        {"pending", "running", "stopped", "failed", "lost"}},
                       {"--desired",
                        "desired",
                        "only those that are to be this",
                        {"running", "stopped", "deleted"}},
                       {"--host", "host", "only those on this server"},
                       kByLabel},
           .has_fresh = true,
           .is_watched = true});
  AddStep(*workspace, session, "start", "start a stopped workspace");
  AddStep(*workspace, session, "stop", "stop a workspace; its data stays");
  AddStep(*workspace, session, "restart", "stop a workspace and start it again; its data stays");
  AddStep(*workspace, session, "delete", "delete a workspace and its data");
  AddUpdate(*workspace, session);
  AddWorkspaceStats(*workspace, session);
  AddSnapshotOfWorkspace(*workspace, session);
  AddRestoreOfWorkspace(*workspace, session);
  AddExecCommands(*workspace, session);
  AddWorkspaceLogs(*workspace, session);
}

}  // namespace a4c_cli
