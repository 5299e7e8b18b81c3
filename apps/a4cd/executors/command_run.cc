// command.run
#include <map>
#include <string>
#include <string_view>

#include "a4c/host_extensions.h"
#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/jobs/presence.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

a4c::ExecRequest RequestOf(const JobRun& run) {
  const Json& payload = run.job().payload;
  a4c::ExecRequest request{.host = run.workspace()->host,
                           .unit = UnitName(run.workspace()->id),
                           .command = {},
                           .env = {},
                           .working_dir = payload["working_dir"].Text()};
  for (const Json& word : payload["command"].Items()) request.command.push_back(word.Text());
  for (const auto& [name, value] : payload["env"].Members()) request.env[name] = value.Text();
  // By it a provider ends an attempt before that still runs.
  request.env["A4C_JOB"] = run.job().id;
  return request;
}

}  // namespace

Result<Outcome> RunCommand(JobRun& run, JobLog& log) {
  auto* exec = run.context().hosts.As<a4c::HostExec>();
  if (exec == nullptr) {
    return Error(Code::kUnsupported, "the host provider cannot run commands in workspaces");
  }
  if (run.workspace()->host.empty()) {
    return Outcome::Failed(reason::kError, "the workspace is on no server: start it first");
  }
  Presence presence(run.context().database, run.context().runtime, run.tenant(), *run.workspace());
  presence.Keep();
  int64_t bytes = 0;
  const Result<int> exit_code =
      exec->Run(run.HostCall(), RequestOf(run), [&](std::string_view output) {
        bytes += static_cast<int64_t>(output.size());
        log.Append(output);
      });
  if (!exit_code) return exit_code.error();
  Json result(Json::Object{{"exit_code", *exit_code}, {"log_bytes", bytes}});
  if (*exit_code == 0) return Outcome::Succeeded(std::move(result));
  Outcome failed =
      Outcome::Failed(reason::kExitCode, "exited with code " + std::to_string(*exit_code));
  failed.result = std::move(result);
  return failed;
}

}  // namespace a4cd
