// One server of host-local: a directory.
//
//   <path>/units/.new.<name>        what is being made
//   <path>/units/<name>/unit.json   what it is
//                       files/      the unit's own: its working directory and home
//                       log.<n>     its output, in segments
//                       run, exit   written by its supervisor
//                       lock        held by its supervisor as long as that lives
//   <path>/epochs/<name>            see local_epochs.h
//   <path>/trash/<name>             what is being removed
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "a4c/clock.h"
#include "a4c/host_provider.h"
#include "files/local_epochs.h"
#include "files/local_files.h"
#include "local_config.h"
#include "supervisor/local_supervision.h"
#include "units/local_state.h"

namespace a4c::local {

// Everything of a unit that is read from its directory.
struct LocalUnit {
  Fd directory;
  UnitRecord record;
  UnitStatus status;  // with host, name, labels; without epoch
  std::optional<RunRecord> run;
};

// [any thread]
class LocalServer {
 public:
  static Result<std::unique_ptr<LocalServer>> Open(const Runtime& runtime,
                                                   const LocalOptions& options,
                                                   const LocalServerOptions& server);
  Host Measure(const Call& call);
  Result<UnitStatus> Ensure(const Call& call, const Unit& unit);
  // As Ensure; one that is there gets this spec and these labels first.
  Result<UnitStatus> Update(const Call& call, const Unit& unit);
  Result<void> Remove(const Call& call, const std::string& name, const Fence& fence);
  Result<std::vector<UnitStatus>> List(const Call& call);
  // The files of a unit, of this server or another, into one of ours that was never started; how
  // many bytes.
  Result<int64_t> CopyInto(const Call& call, const std::string& name, const Fence& fence,
                           const LocalUnit& source);
  // See UnitEpochs.
  int64_t EpochOf(const std::string& name) const { return epochs_->EpochOf(name); }

  // Nothing if there is no unit of ours by that name.
  Result<std::optional<LocalUnit>> Find(const std::string& name) const;
  // The environment that its processes get.
  std::vector<std::string> EnvironmentOf(const UnitRecord& record,
                                         const std::map<std::string, std::string>& env) const;
  // Starts the supervisor with a plan: its pid.
  Result<pid_t> Spawn(const LaunchPlan& plan, const SupervisorDescriptors& descriptors) const {
    return SpawnSupervisor(options_.supervisor_path, plan, descriptors);
  }
  LaunchPlan PlanOf(const UnitSpec& spec) const;

 private:
  LocalServer(const Runtime& runtime, const LocalOptions& options,
              const LocalServerOptions& server);
  Result<Fd> Lock(const Call& call, const std::string& name) const;
  bool IsThere(const std::string& name) const;
  void Prune(const Call& call) const;
  // Of one that is there; `any`: something was done.
  Result<void> ChangeSpec(const Call& call, const Unit& unit, bool& any) const;
  static Result<void> CheckRunnable(const Unit& unit);
  Result<void> Create(const Unit& unit) const;
  Result<void> Start(const Call& call, const LocalUnit& unit) const;
  Result<std::string> AwaitAnswer(const Call& call, const Fd& answer,
                                  const std::string& name) const;
  Result<void> Stop(const Call& call, const LocalUnit& unit) const;
  Result<void> Sweep(const Call& call, const UnitRecord& record) const;
  Result<UnitStatus> StatusOf(const std::string& name, int64_t epoch) const;
  bool Pause(const Call& call, int64_t ms) const;
  bool GoOn(const Call& call) const { return !call.Expired() && !call.Stopping(); }

  const Runtime runtime_;
  const LocalOptions options_;
  const LocalServerOptions server_;
  const std::string boot_id_;
  Fd root_;
  Fd units_;
  std::optional<UnitEpochs> epochs_;
  Fd trash_;
  const std::unique_ptr<Waiter> waiter_;
  Host figures_;  // under waiter_, as are the next
  int64_t figures_read_ms_ = -1;
  int64_t pruned_ms_ = -1;
};

}  // namespace a4c::local
