// host.cleanup
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "a4c/host_images.h"
#include "apps/a4cd/hosts/drain_loop.h"
#include "apps/a4cd/hosts/leftovers.h"
#include "apps/a4cd/work/executors.h"

namespace a4cd {

using a4c::Json;
using a4c::Result;

Result<Outcome> CleanHost(JobRun& run, JobLog& log) {
  WorkContext& context = run.context();
  const std::string& host = run.job().payload["host"].Text();
  A4C_TRY(const bool is_free, run.TakeServer(host));
  if (!is_free) {
    return WaitFor(run, reason::kServerBusy, "another job is at work on the server " + host);
  }
  A4C_TRY(const std::vector<a4c::Record> records,
          WorkspacesOn(context.StoreCall(), context.database, host));
  A4C_TRY(std::vector<a4c::UnitStatus> units, context.hosts.List(run.HostCall(), host));
  std::vector<std::string> keep;
  for (const a4c::Record& record : records) {
    A4C_TRY(const Workspace workspace, WorkspaceOf(record));
    std::erase_if(units, [&](const auto& unit) { return unit.name == UnitName(workspace.id); });
    if (!workspace.image.empty()) keep.push_back(workspace.image);
  }
  A4C_TRY(const Leftovers leftovers, SortLeftovers(context.StoreCall(), context.database, units));
  for (const a4c::UnitStatus& unit : leftovers.removable) {
    A4C_CHECK(
        RemoveLeftover(run.HostCall(), context.database, context.hosts, context.tokens, unit));
    log.Note("unit " + unit.name + " was removed: its workspace was deleted\n");
  }
  Json result(Json::Object{{"host", host},
                           {"units_removed", static_cast<int64_t>(leftovers.removable.size())},
                           {"unclaimed", static_cast<int64_t>(leftovers.unclaimed.size())}});
  if (auto* images = context.hosts.As<a4c::HostImages>(); images != nullptr) {
    A4C_TRY(const int64_t freed, images->Prune(run.HostCall(), host, keep));
    log.Note("images: " + std::to_string(freed) + " bytes were given back\n");
    result.AppendMember("image_bytes_freed", freed);
  }
  return Outcome::Succeeded(std::move(result));
}

}  // namespace a4cd
