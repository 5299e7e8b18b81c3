// What commands in units have in common, with input (HostStreams) or without (HostExec): a plan
// from the unit's own, and a place among those that may run at a time.
#pragma once

#include <atomic>
#include <memory>

#include "units/local_servers.h"

namespace a4c::local {

// A place among those that may be taken at a time; given back when it goes.
class Place {
 public:
  Place(std::atomic<int64_t>& count, int64_t max)
      : count_(&count), got_(count.fetch_add(1) < max) {}
  ~Place() { --*count_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  bool got() const { return got_; }

 private:
  std::atomic<int64_t>* const count_;
  const bool got_;
};

struct PlannedCommand {
  std::shared_ptr<LocalServer> server;
  LocalUnit unit;
  LaunchPlan plan;  // ends with its caller, at once
};
// As the unit's user, in the unit's files, under the unit's limits, with the unit's mark, so that
// it ends with the unit. kConflict: the unit is not running.
Result<PlannedCommand> PlanCommand(const Call& call, LocalServers& servers,
                                   const ExecRequest& request);

// The exit code of a child, looked for until the call ends: kUnknownOutcome.
Result<int> AwaitExit(const Call& call, Waiter& waiter, pid_t pid);

// Ends a child of ours that was not yet waited for, with its program; one that hangs is killed
// after a while.
void EndCommand(const Clock& clock, Waiter& waiter, pid_t pid);

}  // namespace a4c::local
