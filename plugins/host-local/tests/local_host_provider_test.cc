#include "local_host_provider.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "a4c/host_extensions.h"
#include "a4c/sinks.h"
#include "supervisor/local_launch.h"
#include "supervisor/local_processes.h"

namespace a4c::local {
namespace {

namespace fs = std::filesystem;

const Runtime& TestRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}
Call Soon(int64_t timeout_ms = 30'000) {
  return Call::Within(TestRuntime().clock, timeout_ms);
}

class LocalHost : public ::testing::Test {
 protected:
  LocalHost() : dir_(fs::temp_directory_path() / ("a4c-local-host-" + std::to_string(getpid()))) {
    fs::create_directories(dir_ / "one");
    fs::create_directories(dir_ / "two");
    options_.servers = {{"one", (dir_ / "one").string(), 1 << 30, 1 << 30, 1000},
                        {"two", (dir_ / "two").string(), 1 << 30, 1 << 30, 1000}};
    options_.uid = geteuid() == 0 ? getpwnam("nobody")->pw_uid : geteuid();
    options_.gid = geteuid() == 0 ? getpwnam("nobody")->pw_gid : getegid();
    options_.supervisor_path = A4C_TEST_SUPERVISOR;
    options_.log_bytes_max = 1 << 20;
    options_.stop_timeout_ms = 5'000;
    options_.epochs_kept_ms = 86'400'000;
    options_.commands_max = 2;
    options_.streams_max = 4;
    unit_ = {.host = "one", .name = "ws-1", .epoch = 1, .spec = {.command = {"sleep", "600"}}};
  }
  ~LocalHost() override {
    const auto provider = Open();
    for (const char* host : {"one", "two"}) {
      const auto listed = provider->List(Soon(), host);
      for (const UnitStatus& status : *listed) {
        EXPECT_TRUE(provider->Remove(Soon(), host, status.name, 1'000'000));
      }
    }
    fs::remove_all(dir_);
  }

  std::unique_ptr<HostProvider> Open() {
    auto provider = NewLocalHostProvider(TestRuntime(), options_);
    EXPECT_TRUE(provider) << provider.error().ToString();
    return *std::move(provider);
  }
  UnitStatus EnsureOk(HostProvider& provider) {
    const auto status = provider.Ensure(Soon(), unit_);
    EXPECT_TRUE(status) << status.error().ToString();
    return status ? *status : UnitStatus{};
  }
  UnitStatus Wanted(HostProvider& provider, UnitWanted wanted) {
    unit_.wanted = wanted;
    return EnsureOk(provider);
  }
  fs::path UnitDir() const { return dir_ / "one" / "units" / unit_.name; }
  RunRecord Run() const {
    std::ifstream in(UnitDir() / "run");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    return DecodeRun(text).value_or(RunRecord{});
  }
  bool Eventually(const std::function<bool()>& condition) {
    const auto waiter = TestRuntime().threads.NewWaiter();
    const Call call = Soon();
    while (!condition()) {
      if (call.Expired()) return false;
      Waiter::Lock lock(*waiter);
      waiter->Wait(call.clock.MonotonicMs() + 10);
    }
    return true;
  }
  std::string Log(HostProvider& provider) {
    const auto page = provider.As<HostLogs>()->Read(Soon(), "one", unit_.name, "", 1 << 20);
    return page ? page->bytes : page.error().ToString();
  }
  std::string LogAfterTheEnd(HostProvider& provider) {
    EnsureOk(provider);
    EXPECT_TRUE(Eventually([&] { return fs::exists(UnitDir() / "exit"); }));
    return Log(provider);
  }

  fs::path dir_;
  LocalOptions options_;
  Unit unit_;
};

TEST_F(LocalHost, AUnitOutlivesTheProcessThatStartedItAndIsAdopted) {
  const pid_t service = fork();
  if (service == 0) {
    const auto provider = Open();
    if (!provider->Ensure(Soon(), unit_)) _exit(1);
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(service, &status, 0), service);
  ASSERT_TRUE(WIFSIGNALED(status));
  const int64_t started_at_ms = Run().started_at_ms;
  const auto provider = Open();
  const UnitStatus adopted = EnsureOk(*provider);
  EXPECT_EQ(adopted.state, UnitState::kRunning);
  EXPECT_EQ(adopted.started_at_ms, started_at_ms);
  const UnitStatus stopped = Wanted(*provider, UnitWanted::kStopped);
  EXPECT_EQ(stopped.state, UnitState::kStopped);
  EXPECT_EQ(stopped.exit_code, 128 + SIGTERM);
}

TEST_F(LocalHost, AnExitCodeIsKnownThoughTheServiceWasAway) {
  unit_.spec.command = {"sh", "-c", "sleep 0.2; exit 5"};
  const pid_t service = fork();
  if (service == 0) {
    const bool ensured = Open()->Ensure(Soon(), unit_).has_value();
    if (ensured) raise(SIGKILL);
    _exit(1);
  }
  ASSERT_EQ(waitpid(service, nullptr, 0), service);
  ASSERT_TRUE(Eventually([&] { return fs::exists(UnitDir() / "exit"); }));
  const auto provider = Open();
  const auto listed = provider->List(Soon(), "one");
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().state, UnitState::kStopped);
  EXPECT_EQ(listed->front().exit_code, 5);
}

TEST_F(LocalHost, AKilledSupervisorTakesItsUnitAlongAndItCanStartAgain) {
  const auto provider = Open();
  EnsureOk(*provider);
  const RunRecord run = Run();
  ASSERT_TRUE(SignalExactly(static_cast<pid_t>(run.supervisor_pid), run.supervisor_start, SIGKILL));
  ASSERT_TRUE(Eventually([&] {
    const auto look = LookAt(static_cast<pid_t>(run.leader_pid));
    return !look || look->start != run.leader_start || look->state == 'Z';
  }));
  ASSERT_TRUE(Eventually(
      [&] { return provider->List(Soon(), "one")->front().state == UnitState::kStopped; }));
  const UnitStatus lost = provider->List(Soon(), "one")->front();
  EXPECT_EQ(lost.exit_code, std::nullopt);
  EXPECT_NE(lost.reason, "");
  const UnitStatus again = EnsureOk(*provider);
  EXPECT_EQ(again.state, UnitState::kRunning);
  EXPECT_NE(Run().leader_pid, run.leader_pid);
}

TEST_F(LocalHost, AProcessThatOnlyHasTheSamePidIsNotTouched) {
  const auto provider = Open();
  EnsureOk(*provider);
  const pid_t innocent = fork();
  if (innocent == 0) {
    pause();
    _exit(0);
  }
  const RunRecord run = Run();
  RunRecord reused = run;
  reused.supervisor_pid = innocent;
  // Of one that was there before: starts are in ticks of 10 ms, and these two may share one.
  reused.supervisor_start = LookAt(innocent)->start - 1;
  std::ofstream(UnitDir() / "run") << EncodeRun(reused);
  unit_.wanted = UnitWanted::kStopped;
  const auto stopped = provider->Ensure(Soon(500), unit_);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), Code::kUnknownOutcome) << stopped.error().ToString();
  EXPECT_EQ(waitpid(innocent, nullptr, WNOHANG), 0) << "another process was killed";
  std::ofstream(UnitDir() / "run") << EncodeRun(run);
  kill(innocent, SIGKILL);
  waitpid(innocent, nullptr, 0);
}

TEST_F(LocalHost, AfterABootThePidsMeanNothing) {
  const auto provider = Open();
  EnsureOk(*provider);
  const RunRecord run = Run();
  RunRecord old = run;
  old.boot_id = "another-boot";
  std::ofstream(UnitDir() / "run") << EncodeRun(old);
  unit_.wanted = UnitWanted::kStopped;
  EXPECT_FALSE(provider->Ensure(Soon(300), unit_)) << "signalled by the pid of another boot";
  EXPECT_TRUE(LookAt(static_cast<pid_t>(run.leader_pid)));
  std::ofstream(UnitDir() / "run") << EncodeRun(run);
}

TEST_F(LocalHost, WhatRanAwayFromItsGroupEndsWithTheUnit) {
  const auto provider = Open();
  unit_.spec.command = {"sh", "-c",
                        "(setsid sh -c 'trap \"\" TERM HUP; echo $$ > escaped; sleep 600' &) ; "
                        "sleep 600"};
  EnsureOk(*provider);
  pid_t escaped = 0;
  ASSERT_TRUE(Eventually([&] {
    std::ifstream(UnitDir() / "files" / "escaped") >> escaped;
    return escaped > 0;
  }));
  EXPECT_EQ(Wanted(*provider, UnitWanted::kStopped).state, UnitState::kStopped);
  const auto look = LookAt(escaped);
  EXPECT_TRUE(!look || look->state == 'Z') << "a process outlived its unit";
}

TEST_F(LocalHost, AUnitThatIgnoresSigtermIsKilledAfterTheTimeout) {
  options_.stop_timeout_ms = 200;
  const auto provider = Open();
  unit_.spec.command = {"sh", "-c", "trap '' TERM; echo ready; while true; do sleep 1; done"};
  EnsureOk(*provider);
  ASSERT_TRUE(Eventually([&] { return Log(*provider) == "ready\n"; }));
  const UnitStatus stopped = Wanted(*provider, UnitWanted::kStopped);
  EXPECT_EQ(stopped.state, UnitState::kStopped);
  EXPECT_EQ(stopped.exit_code, 128 + SIGKILL);
}

TEST_F(LocalHost, TheUnitIsNotRootAndStaysInItsLimits) {
  const auto provider = Open();
  options_.file_bytes_max = 1 << 20;
  const auto limited = Open();
  unit_.spec.memory_bytes = 256 << 20;
  unit_.spec.command = {"sh", "-c",
                        "id -u; id -g; ulimit -v; ulimit -c; ulimit -f; pwd; "
                        "grep NoNewPrivs /proc/self/status; ls /proc/self/fd | wc -l"};
  const std::string log = LogAfterTheEnd(*limited);
  const std::string files = fs::canonical(UnitDir() / "files").string();
  EXPECT_EQ(log, std::to_string(options_.uid) + "\n" + std::to_string(options_.gid) +
                     "\n262144\n0\n2048\n" + files + "\nNoNewPrivs:\t1\n4\n");
}

TEST_F(LocalHost, TheNumberOfProcessesIsBounded) {
  const auto provider = Open();
  unit_.spec.pids = 8;
  unit_.spec.command = {"sh", "-c", "for i in $(seq 1 100); do sleep 600 & done; echo all"};
  EXPECT_EQ(LogAfterTheEnd(*provider).find("all"), std::string::npos);
}

TEST_F(LocalHost, TheServiceGivesNoDescriptorAndNoVariableAway) {
  setenv("A4C_TEST_CANARY", "secret", 1);
  const int leaky = open("/dev/null", O_RDONLY);  // not closed on exec
  unit_.spec.command = {"sh", "-c", "env; ls /proc/self/fd"};
  const auto provider = Open();
  const std::string log = LogAfterTheEnd(*provider);
  close(leaky);
  unsetenv("A4C_TEST_CANARY");
  EXPECT_EQ(log.find("secret"), std::string::npos);
  EXPECT_NE(log.find("A4C_UNIT=ws-1"), std::string::npos);
  EXPECT_NE(log.find("0\n1\n2\n3\n"), std::string::npos) << log;  // 3: ls itself
  EXPECT_EQ(log.find("\n4\n"), std::string::npos) << log;
}

TEST_F(LocalHost, ALogIsBoundedAndKeepsItsEnd) {
  options_.log_bytes_max = 8192;
  const auto provider = Open();
  unit_.spec.command = {"seq", "1", "20000"};
  const std::string log = LogAfterTheEnd(*provider);
  EXPECT_TRUE(log.ends_with("\n19999\n20000\n")) << log.size();
  EXPECT_GE(log.size(), 4096u);
  int64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(UnitDir())) {
    if (entry.path().filename().string().starts_with("log.")) bytes += fs::file_size(entry);
  }
  EXPECT_LE(bytes, 8192);
}

TEST_F(LocalHost, DiskUseIsThatOfEachServersOwnUnits) {
  const auto provider = Open();
  unit_.spec.command = {"sh", "-c", "head -c 5000000 /dev/zero > big"};
  LogAfterTheEnd(*provider);
  const auto hosts = provider->Hosts(Soon());
  ASSERT_TRUE(hosts);
  ASSERT_EQ(hosts->size(), 2u);
  EXPECT_GE((*hosts)[0].disk_used_bytes, 5'000'000);
  EXPECT_LT((*hosts)[1].disk_used_bytes, 1'000'000);
  EXPECT_EQ((*hosts)[0].disk_total_bytes, 1 << 30);
  EXPECT_LE((*hosts)[0].disk_free_bytes, (1 << 30) - 5'000'000);
  ASSERT_TRUE(provider->Remove(Soon(), "one", unit_.name, 1));
  EXPECT_LT(provider->Hosts(Soon())->front().disk_used_bytes, 1'000'000);
}

TEST_F(LocalHost, ATooLargeUnitIsRefusedAndNothingIsMade) {
  const auto provider = Open();
  unit_.spec.disk_bytes = 2LL << 30;
  const auto status = provider->Ensure(Soon(), unit_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kExhausted);
  EXPECT_FALSE(fs::exists(UnitDir()));
}

TEST_F(LocalHost, ADirectoryOfSomeoneElseIsNeitherListedNorRemovedNorUsed) {
  const auto provider = Open();
  fs::create_directories(UnitDir() / "precious");
  EXPECT_TRUE(provider->List(Soon(), "one")->empty());
  EXPECT_TRUE(provider->Remove(Soon(), "one", unit_.name, 1));
  EXPECT_TRUE(fs::exists(UnitDir() / "precious"));
  const auto status = provider->Ensure(Soon(), unit_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kConflict);
}

TEST_F(LocalHost, TheEpochIsOnDiskAlsoForAnotherProcess) {
  unit_.epoch = 41;
  EnsureOk(*Open());
  ASSERT_TRUE(Open()->Remove(Soon(), "one", unit_.name, 42));
  EXPECT_FALSE(fs::exists(UnitDir()));
  const auto lower = Open()->Ensure(Soon(), unit_);
  ASSERT_FALSE(lower);
  EXPECT_EQ(lower.error().code(), Code::kConflict);
  EXPECT_NE(lower.error().message().find("42"), std::string::npos);
}

TEST_F(LocalHost, OldEpochsOfRemovedUnitsAreForgottenAndOthersKept) {
  const auto provider = Open();
  unit_.wanted = UnitWanted::kStopped;
  EnsureOk(*provider);
  ASSERT_TRUE(provider->Remove(Soon(), "one", "gone-old", 7));
  ASSERT_TRUE(provider->Remove(Soon(), "one", "gone-new", 7));
  const fs::path epochs = dir_ / "one" / "epochs";
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(48);
  fs::last_write_time(epochs / "gone-old", long_ago);
  fs::last_write_time(epochs / unit_.name, long_ago);
  ASSERT_TRUE(Open()->Hosts(Soon()));
  EXPECT_FALSE(fs::exists(epochs / "gone-old"));
  EXPECT_TRUE(fs::exists(epochs / "gone-new"));
  EXPECT_TRUE(fs::exists(epochs / unit_.name)) << "the epoch of a unit that exists was forgotten";
}

// After a kill -9 in the middle of making it. One that is being made right now has its lock.
TEST_F(LocalHost, WhatIsLeftOfHalfMadeUnitsGoes) {
  ASSERT_TRUE(Open()->Remove(Soon(), "one", "in-work", 7));
  const fs::path units = dir_ / "one" / "units";
  fs::create_directories(units / ".new.left" / "files");
  std::ofstream(units / ".new.left" / "unit.json.new") << "{";
  fs::create_directories(units / ".new.in-work" / "files");
  const int lock = open((dir_ / "one" / "epochs" / "in-work").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(flock(lock, LOCK_EX | LOCK_NB), 0);
  ASSERT_TRUE(Open()->Hosts(Soon()));
  EXPECT_FALSE(fs::exists(units / ".new.left"));
  EXPECT_TRUE(fs::exists(units / ".new.in-work"));
  close(lock);
  ASSERT_TRUE(Open()->Hosts(Soon()));
  EXPECT_FALSE(fs::exists(units / ".new.in-work"));
}

TEST_F(LocalHost, CommandsAreBoundedAndEndWithTheUnit) {
  const auto provider = Open();
  EnsureOk(*provider);
  const ExecRequest request{.host = "one", .unit = unit_.name, .command = {"sleep", "600"}};
  std::vector<std::unique_ptr<Thread>> threads;
  std::atomic<int> exhausted = 0;
  std::atomic<int> ended = 0;
  for (int i = 0; i < 3; ++i) {
    threads.push_back(TestRuntime().threads.Start("test", [&](const std::stop_token&) {
      const auto code =
          provider->As<HostExec>()->Run(Soon(60'000), request, [](std::string_view) {});
      if (code ? *code == 128 + SIGKILL : code.error().code() == Code::kConflict) ++ended;
      if (!code && code.error().code() == Code::kExhausted) ++exhausted;
    }));
  }
  ASSERT_TRUE(Eventually([&] { return exhausted == 1; }));
  // The commands may only be starting, or come to find it stopped.
  Wanted(*provider, UnitWanted::kStopped);
  EXPECT_TRUE(Eventually([&] { return ended == 2; }));
  for (auto& thread : threads) thread->Join();
}

TEST_F(LocalHost, ACommandWhoseSupervisorHangsEndsSoonAfterItsCall) {
  const auto provider = Open();
  EnsureOk(*provider);
  const ExecRequest request{
      .host = "one", .unit = unit_.name, .command = {"sh", "-c", "kill -STOP $PPID; sleep 60"}};
  const int64_t begun_ms = TestRuntime().clock.MonotonicMs();
  const auto code = provider->As<HostExec>()->Run(Soon(500), request, [](std::string_view) {});
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code(), Code::kUnknownOutcome) << code.error().ToString();
  EXPECT_LT(TestRuntime().clock.MonotonicMs() - begun_ms, 30'000);
}

// The supervisor of a command, which is given its plan only when the test says so.
class LateCommand {
 public:
  explicit LateCommand(const fs::path& unit_directory) {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    plan_ = pair[0];
    const int directory = open(unit_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, directory, 3);
    char program[] = A4C_TEST_SUPERVISOR;
    char* argv[] = {program, nullptr};
    EXPECT_EQ(posix_spawn(&pid_, program, &actions, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(pair[1]);
    close(directory);
  }
  ~LateCommand() {
    if (code_) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  LateCommand(const LateCommand&) = delete;
  LateCommand& operator=(const LateCommand&) = delete;
  void Go() const {
    LaunchPlan command;
    command.command = true;
    command.argv = {"sleep", "600"};
    command.env = {"PATH=/usr/bin:/bin"};
    const std::string plan = EncodePlan(command);
    EXPECT_EQ(write(plan_, plan.data(), plan.size()), static_cast<ssize_t>(plan.size()));
    close(plan_);
  }
  // Once it has ended.
  std::optional<int> Code() {
    int status = 0;
    if (!code_ && waitpid(pid_, &status, WNOHANG) == pid_) {
      code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    return code_;
  }

 private:
  int plan_ = -1;
  pid_t pid_ = -1;
  std::optional<int> code_;
};

TEST_F(LocalHost, ACommandThatOnlyStartsWhenItsUnitIsStoppedEndsToo) {
  const auto provider = Open();
  EnsureOk(*provider);
  LateCommand command(UnitDir());
  Wanted(*provider, UnitWanted::kStopped);
  command.Go();
  EXPECT_TRUE(Eventually([&] { return command.Code().has_value(); }));
  EXPECT_EQ(command.Code(), 128 + SIGKILL);
}

}  // namespace
}  // namespace a4c::local
