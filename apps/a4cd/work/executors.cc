#include "apps/a4cd/work/executors.h"

#include <algorithm>
#include <array>

namespace a4cd {
namespace {

struct Entry {
  std::string_view type;
  Executor executor;
};
constexpr std::array<Entry, 13> kExecutors = {{{"workspace.create", StartWorkspaceUnit},
                                               {"workspace.start", StartWorkspaceUnit},
                                               {"workspace.stop", StopWorkspaceUnit},
                                               {"workspace.move", MoveWorkspaceUnit},
                                               {"workspace.update", UpdateWorkspaceUnit},
                                               {"workspace.delete", DeleteWorkspaceUnit},
                                               {"workspace.snapshot", SnapshotWorkspace},
                                               {"workspace.restore", RestoreWorkspace},
                                               {"snapshot.delete", DeleteSnapshotUnit},
                                               {"command.run", RunCommand},
                                               {"image.build", BuildImage},
                                               {"host.cleanup", CleanHost},
                                               {"host.adopt", AdoptUnits}}};

}  // namespace

Executor ExecutorOf(std::string_view type) {
  const auto found = std::ranges::find(kExecutors, type, &Entry::type);
  return found == kExecutors.end() ? nullptr : found->executor;
}

}  // namespace a4cd
