#include "units/local_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "files/local_copy.h"
#include "files/local_disk.h"
#include "supervisor/local_processes.h"
#include "units/local_machine.h"

namespace a4c::local {
namespace {

constexpr const char* kPart = ".new.";  // no unit can be called so
constexpr int64_t kPollMs = 10;
constexpr int64_t kAnswerLookMs = 100;
constexpr int64_t kStopGraceMs = 10'000;  // of the supervisor, beyond stop_timeout
constexpr int64_t kPrunePeriodMs = 3'600'000;

Error Ended(const Call& call, const std::string& what) {
  if (call.Stopping()) return Error(Code::kCanceled, what + ": the caller has gone");
  return Error(Code::kTimeout, what + ": the deadline has passed");
}

}  // namespace

LocalServer::LocalServer(const Runtime& runtime, const LocalOptions& options,
                         const LocalServerOptions& server)
    : runtime_(runtime),
      options_(options),
      server_(server),
      boot_id_(BootId()),
      waiter_(runtime.threads.NewWaiter()) {
  figures_ = {.id = server.id,
              .reachable = true,
              .memory_total_bytes = server.memory_bytes,
              .cpu_total_millis = server.cpu_millis,
              .arch = MachineArch(),
              .versions = {{"kernel", KernelVersion()}}};
}

Result<std::unique_ptr<LocalServer>> LocalServer::Open(const Runtime& runtime,
                                                       const LocalOptions& options,
                                                       const LocalServerOptions& server) {
  std::unique_ptr<LocalServer> opened(new LocalServer(runtime, options, server));
  opened->root_ = Fd(open(server.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened->root_) return FileError(errno, server.path);
  const int root = opened->root_.get();
  A4C_TRY(opened->units_, OpenDirectory(root, "units", 0711));
  A4C_TRY(opened->epochs_, UnitEpochs::Open(root));
  A4C_TRY(opened->trash_, OpenDirectory(root, "trash", 0700));
  return opened;
}

bool LocalServer::Pause(const Call& call, int64_t ms) const {
  Waiter::Lock lock(*waiter_);
  waiter_->Wait(std::min(call.deadline_ms, runtime_.clock.MonotonicMs() + ms));
  return GoOn(call);
}

Host LocalServer::Measure(const Call& call) {
  int64_t read_ms = 0;
  bool prune = false;
  {
    Waiter::Lock lock(*waiter_);
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    figures_.age_ms = figures_read_ms_ < 0 ? 0 : now_ms - figures_read_ms_;
    if (figures_read_ms_ >= 0 && figures_.age_ms < options_.disk_refresh_ms) return figures_;
    prune = pruned_ms_ < 0 || now_ms - pruned_ms_ > kPrunePeriodMs;
    if (prune) pruned_ms_ = now_ms;
    read_ms = now_ms;
  }
  if (prune) Prune(call);
  const auto disk = MeasureDisk(root_.get(), server_.disk_bytes, [&] { return GoOn(call); });
  Waiter::Lock lock(*waiter_);
  figures_.reachable = disk.has_value() || figures_read_ms_ >= 0;
  figures_.reason = disk ? "" : disk.error().ToString();
  if (disk) {
    figures_.disk_total_bytes = disk->total_bytes;
    figures_.disk_used_bytes = disk->used_bytes;
    figures_.disk_free_bytes = disk->free_bytes;
    figures_.age_ms = 0;
    figures_read_ms_ = read_ms;
  }
  return figures_;
}

// What somebody who was killed left of a unit that was being made, and old epochs of those that are
// gone.
void LocalServer::Prune(const Call& call) const {
  for (const std::string& name : UnitNamesIn(units_.get(), kPart)) {
    const auto lock = epochs_->Lock(name, [] { return false; });
    const bool is_left = lock && *lock;  // otherwise it is being made right now
    if (is_left) (void)RemoveTree(units_.get(), kPart + name, [&] { return GoOn(call); });
  }
  epochs_->Prune(runtime_.clock.NowMs(), options_.epochs_kept_ms,
                 [&](const std::string& name) { return IsThere(name); });
}

Result<Fd> LocalServer::Lock(const Call& call, const std::string& name) const {
  A4C_TRY(auto locked, epochs_->Lock(name, [&] { return Pause(call, kPollMs); }));
  if (!locked) return Ended(call, "waiting for others who change " + name);
  return *std::move(locked);
}

// Also one that is still being removed.
bool LocalServer::IsThere(const std::string& name) const {
  return faccessat(units_.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
         faccessat(trash_.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<std::optional<LocalUnit>> LocalServer::Find(const std::string& name) const {
  A4C_TRY(auto directory, FindDirectory(units_.get(), name));
  if (!directory) return std::optional<LocalUnit>();
  A4C_TRY(const auto text, ReadFile(directory->get(), "unit.json"));
  if (!text) return std::optional<LocalUnit>();  // someone else's directory
  A4C_TRY(UnitRecord record, DecodeUnit(*text));
  // In this order: a supervisor writes run, then exit, and then lets go of the lock.
  const bool supervised = IsSupervised(directory->get());
  A4C_TRY(const auto run_text, ReadFile(directory->get(), "run"));
  A4C_TRY(const auto exit_text, ReadFile(directory->get(), "exit"));
  auto run = run_text ? DecodeRun(*run_text) : std::nullopt;
  const auto exit = exit_text ? DecodeExit(*exit_text) : std::nullopt;
  UnitStatus status = JudgeState(supervised, run, exit, boot_id_);
  status.host = server_.id;
  status.name = name;
  status.labels = record.labels;
  return std::optional<LocalUnit>(
      LocalUnit{*std::move(directory), std::move(record), std::move(status), std::move(run)});
}

// Made under another name and renamed, so that half a unit is never seen.
Result<void> LocalServer::Create(const Unit& unit) const {
  const std::string part = kPart + unit.name;
  A4C_CHECK(RemoveTree(units_.get(), part, [] { return true; }));
  A4C_TRY(const Fd directory, OpenDirectory(units_.get(), part, 0711));
  A4C_TRY(const Fd files, OpenDirectory(directory.get(), "files", 0700));
  if (options_.uid != geteuid() && fchown(files.get(), options_.uid, options_.gid) != 0) {
    return FileError(errno, "files");
  }
  char mark[40];
  std::snprintf(mark, sizeof(mark), "%016llx%016llx",
                static_cast<unsigned long long>(runtime_.random.Next()),
                static_cast<unsigned long long>(runtime_.random.Next()));
  const UnitRecord record{unit.name, unit.labels, unit.spec, mark};
  A4C_CHECK(WriteFile(directory.get(), "unit.json", EncodeUnit(record)));
  if (renameat(units_.get(), part.c_str(), units_.get(), unit.name.c_str()) != 0 ||
      fsync(units_.get()) != 0) {
    return FileError(errno, unit.name);
  }
  return {};
}

LaunchPlan LocalServer::PlanOf(const UnitSpec& spec) const {
  LaunchPlan plan;
  plan.uid = options_.uid;
  plan.gid = options_.gid;
  plan.change_user = options_.uid != geteuid();
  plan.working_dir = spec.working_dir.substr(
      std::min(spec.working_dir.find_first_not_of('/'), spec.working_dir.size()));
  plan.memory_bytes = spec.memory_bytes > 0 ? spec.memory_bytes : options_.memory_bytes;
  plan.pids = spec.pids > 0 ? spec.pids : options_.pids;
  plan.file_bytes = options_.file_bytes_max;
  plan.cpu_seconds = (options_.cpu_time_max_ms + 999) / 1000;
  plan.log_bytes_max = options_.log_bytes_max;
  plan.stop_timeout_ms = options_.stop_timeout_ms;
  plan.argv = spec.command;
  return plan;
}

std::vector<std::string> LocalServer::EnvironmentOf(
    const UnitRecord& record, const std::map<std::string, std::string>& env) const {
  std::map<std::string, std::string> all = {
      {"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"LANG", "C.UTF-8"}, {"A4C_UNIT", record.name}};
  all["HOME"] = server_.path + "/units/" + record.name + "/files";
  for (const auto& [name, value] : record.spec.env) all[name] = value;
  for (const auto& [name, value] : env) all[name] = value;
  std::vector<std::string> entries = {kMarkName + record.mark};
  for (const auto& [name, value] : all) {
    std::string entry = name;
    entry.append("=").append(value);
    if (!entry.starts_with(kMarkName)) entries.push_back(std::move(entry));
  }
  return entries;
}

// All that the supervisor says before it closes its end.
Result<std::string> LocalServer::AwaitAnswer(const Call& call, const Fd& answer,
                                             const std::string& name) const {
  std::string text;
  while (GoOn(call)) {
    pollfd entry{answer.get(), POLLIN, 0};
    const auto wait_ms = static_cast<int>(std::min(kAnswerLookMs, call.RemainingMs()));
    if (poll(&entry, 1, wait_ms) <= 0) continue;
    char piece[256];
    const ssize_t count = read(answer.get(), piece, sizeof(piece));
    if (count <= 0) return text;
    text.append(piece, static_cast<size_t>(count));
  }
  return Error(Code::kUnknownOutcome, "unit " + name + " was started, and did not answer yet");
}

Result<void> LocalServer::Start(const Call& call, const LocalUnit& unit) const {
  // What a supervisor that was killed may have left behind must not run beside the new one.
  A4C_CHECK(Sweep(call, unit.record));
  A4C_TRY(const auto lock, TakeSupervisorLock(unit.directory.get()));
  if (!lock) return {};  // running
  for (const char* name : {"exit", "run"}) {
    if (unlinkat(unit.directory.get(), name, 0) != 0 && errno != ENOENT) {
      return FileError(errno, name);
    }
  }
  LaunchPlan plan = PlanOf(unit.record.spec);
  plan.env = EnvironmentOf(unit.record, {});
  int answer[2];
  if (pipe2(answer, O_CLOEXEC) != 0) return FileError(errno, "pipe");
  const Fd answer_in(answer[0]);
  Fd answer_out(answer[1]);
  A4C_TRY(const pid_t pid, Spawn(plan, {.answer = answer_out.get(),
                                        .unit_directory = unit.directory.get(),
                                        .lock_or_input = lock->get()}));
  answer_out = Fd();
  waitpid(pid, nullptr, 0);  // it forks and ends at once; the supervisor is the grandchild
  A4C_TRY(const std::string text, AwaitAnswer(call, answer_in, unit.record.name));
  if (text == "ok") return {};
  return Error(Code::kUnknownOutcome, "the supervisor of unit " + unit.record.name + " ended" +
                                          (text.empty() ? "" : ": " + text));
}

// Kills whatever carries the unit's mark.
Result<void> LocalServer::Sweep(const Call& call, const UnitRecord& record) const {
  while (KillMarked(kMarkName + record.mark) > 0) {
    if (!Pause(call, kPollMs)) {
      return Error(Code::kUnknownOutcome, "unit " + record.name + ": its processes do not end");
    }
  }
  return {};
}

Result<void> LocalServer::Stop(const Call& call, const LocalUnit& unit) const {
  const int64_t end_ms = runtime_.clock.MonotonicMs() + options_.stop_timeout_ms + kStopGraceMs;
  bool asked = false;
  while (IsSupervised(unit.directory.get())) {
    // A supervisor that has only just begun writes `run` soon.
    A4C_TRY(const auto text, ReadFile(unit.directory.get(), "run"));
    const auto run = text ? DecodeRun(*text) : std::nullopt;
    if (!asked && run && run->boot_id == boot_id_) {
      asked =
          SignalExactly(static_cast<pid_t>(run->supervisor_pid), run->supervisor_start, SIGTERM);
    }
    if (!Pause(call, kPollMs) || runtime_.clock.MonotonicMs() >= end_ms) {
      return Error(Code::kUnknownOutcome, "unit " + unit.record.name + " is being stopped");
    }
  }
  return Sweep(call, unit.record);
}

Result<UnitStatus> LocalServer::StatusOf(const std::string& name, int64_t epoch) const {
  A4C_TRY(auto unit, Find(name));
  if (!unit) return Error(Code::kInternal, "unit " + name + " has gone while it was locked");
  unit->status.epoch = epoch;
  return unit->status;
}

Result<void> LocalServer::CheckRunnable(const Unit& unit) {
  if (!unit.spec.image.empty()) {
    return Error(Code::kUnsupported, "host " + unit.host + " runs no images",
                 "leave the image out, or use a host provider with images");
  }
  if (unit.spec.command.empty()) {
    return Error(Code::kInvalid, "command is empty, and there is no image that has one");
  }
  return {};
}

Result<UnitStatus> LocalServer::Update(const Call& call, const Unit& unit) {
  A4C_CHECK(CheckRunnable(unit));
  bool any = false;
  Result<UnitStatus> status = [&]() -> Result<UnitStatus> {
    A4C_CHECK(ChangeSpec(call, unit, any));
    return Ensure(call, unit);
  }();
  // "Nothing was done" cannot be said any more.
  if (status || !any || !status.error().retryable()) return status;
  return Error(Code::kUnknownOutcome, status.error().message(), status.error().hint());
}

Result<void> LocalServer::ChangeSpec(const Call& call, const Unit& unit, bool& any) const {
  A4C_TRY(const Fd epoch_file, Lock(call, unit.name));
  A4C_TRY(const auto found, Find(unit.name));
  A4C_CHECK(epochs_->Raise(epoch_file, unit.name, {unit.epoch, unit.claim}));
  if (!found) return {};
  any = true;
  A4C_CHECK(Stop(call, *found));
  const UnitRecord record{unit.name, unit.labels, unit.spec, found->record.mark};
  return WriteFile(found->directory.get(), "unit.json", EncodeUnit(record));
}

Result<UnitStatus> LocalServer::Ensure(const Call& call, const Unit& unit) {
  A4C_CHECK(CheckRunnable(unit));
  A4C_TRY(const Fd epoch_file, Lock(call, unit.name));
  A4C_TRY(auto found, Find(unit.name));
  if (!found && faccessat(units_.get(), unit.name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    return Error(Code::kConflict, "host " + unit.host + ": " + unit.name + " is not ours");
  }
  const Fence fence{unit.epoch, unit.claim};
  A4C_TRY(const auto highest, UnitEpochs::HighestIn(epoch_file));
  if (highest) A4C_CHECK(Admit(unit.name, fence, *highest));
  if (!found) {
    const Host host = Measure(call);
    if (host.reachable && unit.spec.disk_bytes > host.disk_free_bytes) {
      return Error(Code::kExhausted, "host " + unit.host + " has no room for unit " + unit.name);
    }
  }
  // On disk before the effect.
  A4C_CHECK(epochs_->Raise(epoch_file, unit.name, fence));
  if (!found) {
    A4C_CHECK(Create(unit));
    A4C_TRY(found, Find(unit.name));
    if (!found)
      return Error(Code::kInternal, "unit " + unit.name + " has gone while it was locked");
  }
  const bool running = IsSupervised(found->directory.get());
  if (unit.wanted == UnitWanted::kRunning && !running) A4C_CHECK(Start(call, *found));
  if (unit.wanted == UnitWanted::kStopped && running) A4C_CHECK(Stop(call, *found));
  return StatusOf(unit.name, unit.epoch);
}

Result<void> LocalServer::Remove(const Call& call, const std::string& name, const Fence& fence) {
  A4C_TRY(const Fd epoch_file, Lock(call, name));
  A4C_CHECK(epochs_->Raise(epoch_file, name, fence));
  const auto go_on = [&] { return GoOn(call); };
  A4C_CHECK(RemoveTree(trash_.get(), name, go_on));
  A4C_TRY(const auto unit, Find(name));
  if (!unit) return {};
  A4C_CHECK(Stop(call, *unit));
  // From here on it is no unit any more, also if the rest is only done by the next call.
  if (renameat(units_.get(), name.c_str(), trash_.get(), name.c_str()) != 0 ||
      fsync(units_.get()) != 0) {
    return FileError(errno, name);
  }
  return RemoveTree(trash_.get(), name, go_on);
}

Result<std::vector<UnitStatus>> LocalServer::List(const Call& call) {
  std::vector<UnitStatus> statuses;
  for (const std::string& name : UnitNamesIn(units_.get())) {
    if (!GoOn(call)) return Ended(call, "listing units");
    auto unit = Find(name);
    if (unit && !*unit) continue;
    UnitStatus& status = statuses.emplace_back();
    if (unit) {
      status = std::move((*unit)->status);
    } else {
      status = {.host = server_.id, .name = name, .state = UnitState::kBroken};
      status.reason = unit.error().message();
    }
    status.epoch = epochs_->EpochOf(name);
  }
  return statuses;
}

Result<int64_t> LocalServer::CopyInto(const Call& call, const std::string& name, const Fence& fence,
                                      const LocalUnit& source) {
  A4C_TRY(const Fd epoch_file, Lock(call, name));
  A4C_TRY(const auto target, Find(name));
  if (!target) return Error(Code::kNotFound, "host " + server_.id + " has no unit " + name);
  A4C_CHECK(epochs_->Raise(epoch_file, name, fence));
  if (target->status.state != UnitState::kCreated) {
    return Error(Code::kConflict, "unit " + name + " was started before");
  }
  if (IsSupervised(source.directory.get())) {
    return Error(Code::kConflict, "unit " + source.record.name + " is running");
  }
  A4C_TRY(const Fd from, OpenDirectory(source.directory.get(), "files", 0700));
  A4C_TRY(const Fd to, OpenDirectory(target->directory.get(), "files", 0700));
  return CopyTree(from.get(), to.get(), [&] { return GoOn(call); });
}

}  // namespace a4c::local
