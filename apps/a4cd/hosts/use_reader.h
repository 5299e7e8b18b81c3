// What workspaces use just now, asked of their servers: one question to each for all that are on
// it, to some at once, each in the time that it is given.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "a4c/clock.h"
#include "a4c/host_activity.h"
#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {

struct WorkspaceUse {
  bool is_running = false;
  a4c::UnitActivity now = {};
  double cpu_percent = -1;  // 100: one core; below 0: unknown
  int64_t read_at_ms = 0;
};

// [any thread]
class UseReader {
 public:
  // know: called before a server is asked; an error is the answer of its workspaces.
  using KnowServer =
      std::function<a4c::Result<void>(const a4c::Call& call, const std::string& host)>;
  // All outlive it.
  UseReader(const a4c::Runtime& runtime, a4c::HostActivity& activity, KnowServer know)
      : runtime_(runtime), activity_(activity), know_(std::move(know)) {}

  // One for each, in their order; one that is on no server does not run. interval_ms: between two
  // looks at the processor time; 0: one look, and no share of the processor. A server that is
  // silent has an error for its workspaces and takes no more time than its part of the call's.
  std::vector<a4c::Result<WorkspaceUse>> Read(const a4c::Call& call,
                                              std::span<const Workspace> workspaces,
                                              int64_t interval_ms);

 private:
  struct Server;
  using Uses = std::vector<a4c::Result<WorkspaceUse>>;

  void Look(const a4c::Call& call, Server& server, std::span<const Workspace> workspaces,
            Uses& uses);
  void LookAtAll(const a4c::Call& call, std::vector<Server>& servers, int64_t timeout_ms,
                 std::span<const Workspace> workspaces, Uses& uses);
  void Wait(const a4c::Call& call, int64_t until_ms);

  const a4c::Runtime runtime_;
  a4c::HostActivity& activity_;
  const KnowServer know_;
};

}  // namespace a4cd
