// The commands of a4c, each group in a file of its own.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/a4c/session.h"
#include "apps/usage/usage.h"

namespace a4c_cli {

void AddJobCommands(CLI::App& root, Session& session);               // job_commands.cc
void AddWorkspaceCommands(CLI::App& root, Session& session);         // workspace_commands.cc
void AddWorkspaceStats(CLI::App& workspace, Session& session);       // workspace_stats.cc
void AddJobLogs(CLI::App& job, Session& session);                    // log_commands.cc
void AddWorkspaceLogs(CLI::App& workspace, Session& session);        // log_commands.cc
void AddSnapshotOfWorkspace(CLI::App& workspace, Session& session);  // snapshot_commands.cc
void AddRestoreOfWorkspace(CLI::App& workspace, Session& session);   // snapshot_commands.cc
void AddSnapshotCommands(CLI::App& root, Session& session);          // snapshot_commands.cc
void AddExecCommands(CLI::App& workspace, Session& session);         // exec_commands.cc
void AddSshCommands(CLI::App& root, Session& session);               // ssh_commands.cc
void AddHostCommands(CLI::App& root, Session& session);              // host_commands.cc
void AddHostDisks(CLI::App& host, Session& session);                 // host_disks.cc
void AddHostLeastUsed(CLI::App& host, Session& session);
void AddHostCleanup(CLI::App& host, Session& session);      // host_disks.cc
void AddHostAdopt(CLI::App& host, Session& session);        // host_adopt.cc
void AddHostPurge(CLI::App& host, Session& session);        // host_purge.cc
void AddHostRemove(CLI::App& host, Session& session);       // host_remove.cc
void AddImageCommands(CLI::App& root, Session& session);    // image_commands.cc
void AddKeyCommands(CLI::App& root, Session& session);      // key_commands.cc
void AddTenantCommands(CLI::App& root, Session& session);   // tenant_commands.cc
void AddSecretCommands(CLI::App& root, Session& session);   // secret_commands.cc
void AddAuditCommands(CLI::App& root, Session& session);    // audit_commands.cc
void AddStatusCommands(CLI::App& root, Session& session);   // status_commands.cc
void AddSyncCommands(CLI::App& root, Session& session);     // sync_commands.cc
void AddContextCommands(CLI::App& root, Session& session);  // context_commands.cc
void AddCompletion(CLI::App& root, Session& session);       // completion.cc

// Prints what the last of the words may become; the shells' scripts ask for it.
void Complete(CLI::App& root, Session& session, const std::vector<std::string>& words);

const std::vector<Column>& JobColumns();

// What -o name prints is taken as an id too: "job/<id>" as "<id>".
std::string BareId(const std::string& given, const std::string& noun);

// An option of a list that asks for items with that value: `name` of the route's query. values:
// all that it can be; none: anything. --label is repeated, and its values are joined by commas.
struct ListOption {
  const char* flag;
  const char* name;
  const char* help;
  std::vector<std::string> values = {};
};
inline const ListOption kByLabel = {"--label", "labels", "only with gpu=yes; each must hold"};

// Names of a query and the values that are asked for.
using Asked = std::vector<std::pair<std::string, std::vector<std::string>>>;

// What more a list has than its columns.
struct ListTraits {
  std::vector<ListOption> options = {};
  bool has_fresh = false;
  bool is_watched = false;                          // its items have a rev, and a route each
  std::function<void(const a4c::Json&)> note = {};  // what is said of one besides its row
};
// `GROUP list` of all that /v1/<noun>s names. The columns outlive it.
void AddList(CLI::App& group, Session& session, const std::string& help, const std::string& noun,
             const std::vector<Column>& columns, const ListTraits& traits = {});
// Adds the options to a command; what they will ask for, once it is parsed.
std::shared_ptr<Asked> AddListOptions(CLI::App& leaf, const std::vector<ListOption>& options);
// Values of one name joined by commas, for WithQuery.
std::vector<std::pair<std::string, std::string>> QueryOf(const Asked& asked);

// --fresh, of lists that a replica of the store may answer: require_fresh of their query.
std::shared_ptr<bool> AddFresh(CLI::App& list);
std::pair<std::string, std::string> RequireFresh(bool fresh);

// --timeout of what waits, 0 to a year; 0 looks once.
void AddTimeout(CLI::App& leaf, int64_t& seconds, const char* help = "seconds to wait");

// Waits until the job has ended, showing its states: a line that is redrawn on a terminal, NDJSON
// on a pipe. The exit code that the job's end means.
int WaitForJob(Session& session, const a4c::Json& job, int64_t timeout_ms);
// The same without a word on standard output; job is then what it came to.
int AwaitJob(Session& session, a4c::Json& job, int64_t timeout_ms);
// Whether that is what WaitForJob writes, so that nothing else belongs on standard output.
bool WaitsInNdjson(const Session& session);

// "key=value" options as an object. values_may_be_json: 500, true, null, [..] and "500" are what
// they are in JSON; else all values are text. False: one has no "=", or is no JSON; exit_code is
// set.
bool ParsePairs(Session& session, const std::vector<std::string>& pairs, a4c::Json& object,
                bool values_may_be_json);

// "gpu=yes" sets, "gpu-" removes: {"set", "remove"} as the API takes it. what: "a label". False:
// exit_code is set.
bool ReadMapChange(Session& session, const std::vector<std::string>& given, std::string_view what,
                   a4c::Json& change);

// How what is wrong with a command line is told: as other complaints.
a4c::usage::TellMisuse TellMisuseBy(Session& session);

// The command line without the program's name; the exit code.
int RunCli(const std::vector<std::string>& arguments, const a4c::Runtime& runtime);

}  // namespace a4c_cli
