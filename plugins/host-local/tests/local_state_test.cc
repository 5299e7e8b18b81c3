#include "units/local_state.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "supervisor/local_processes.h"

namespace a4c::local {
namespace {

const UnitRecord kUnit{"ws-1",
                       {{"k", "quote\" line\n \xc3\xa4"}},
                       {.command = {"sh", "-c", "echo \"$A\""},
                        .env = {{"A", "b=c"}},
                        .working_dir = "/x",
                        .memory_bytes = 1,
                        .cpu_millis = 2,
                        .disk_bytes = 3,
                        .pids = 4},
                       "0123"};

TEST(UnitRecord, ComesBackAsItWasWritten) {
  const auto read = DecodeUnit(EncodeUnit(kUnit));
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(EncodeUnit(*read), EncodeUnit(kUnit));
  EXPECT_EQ(read->labels, kUnit.labels);
  EXPECT_EQ(read->spec.command, kUnit.spec.command);
  EXPECT_EQ(read->mark, "0123");
}

TEST(UnitRecord, DamagedIsAnErrorWithAHint) {
  const std::string text = EncodeUnit(kUnit);
  for (const std::string& damaged :
       {std::string(), std::string("{}"), text.substr(0, text.size() / 2),
        std::string(R"({"version":2,"name":"x","mark":"y"})"),
        std::string(R"({"version":1,"name":"x","mark":""})")}) {
    const auto read = DecodeUnit(damaged);
    ASSERT_FALSE(read) << damaged;
    EXPECT_NE(read.error().hint(), "");
  }
}

const RunRecord kRun{"boot-1", 10, 1000, 11, 1001, 1795374000123};

TEST(RunRecord, ComesBackAsItWasWrittenAndNotHalf) {
  const std::string text = EncodeRun(kRun);
  const auto read = DecodeRun(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(EncodeRun(*read), text);
  EXPECT_EQ(read->supervisor_start, 1000);
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_FALSE(DecodeRun(text.substr(0, size))) << size;
  }
}

TEST(ExitRecord, ComesBackAsItWasWrittenAndNotHalf) {
  const std::string text = EncodeExit({127, true, "sh: no such file"});
  const auto read = DecodeExit(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->code, 127);
  EXPECT_TRUE(read->cannot_run);
  EXPECT_EQ(read->reason, "sh: no such file");
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(DecodeExit(text.substr(0, size))) << size;
  }
}

TEST(LaunchPlan, ComesBackAsItWasWrittenAndNotHalf) {
  LaunchPlan plan;
  plan.uid = 65534;
  plan.change_user = true;
  plan.working_dir = "a/b";
  plan.pids = 7;
  plan.argv = {"sh", "-c", "", "line\n"};
  plan.env = {"A=b", "EMPTY="};
  const std::string bytes = EncodePlan(plan);
  const auto read = DecodePlan(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(EncodePlan(*read), bytes);
  EXPECT_EQ(read->argv, plan.argv);
  EXPECT_EQ(read->uid, 65534u);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodePlan(bytes.substr(0, size))) << size;
  }
}

TEST(JudgeState, OfAllThatCanBeLeftBehind) {
  const ExitRecord ended{3, false, ""};
  const ExitRecord broken{127, true, "no such program"};
  EXPECT_EQ(JudgeState(false, {}, {}, "boot-1").state, UnitState::kCreated);
  EXPECT_EQ(JudgeState(true, {}, {}, "boot-1").state, UnitState::kRunning);
  const UnitStatus running = JudgeState(true, kRun, {}, "boot-1");
  EXPECT_EQ(running.state, UnitState::kRunning);
  EXPECT_EQ(running.started_at_ms, kRun.started_at_ms);
  const UnitStatus stopped = JudgeState(false, kRun, ended, "boot-1");
  EXPECT_EQ(stopped.state, UnitState::kStopped);
  EXPECT_EQ(stopped.exit_code, 3);
  const UnitStatus cannot = JudgeState(false, kRun, broken, "boot-1");
  EXPECT_EQ(cannot.state, UnitState::kBroken);
  EXPECT_EQ(cannot.reason, "no such program");
  const UnitStatus killed = JudgeState(false, kRun, {}, "boot-1");
  EXPECT_EQ(killed.state, UnitState::kStopped);
  EXPECT_EQ(killed.exit_code, std::nullopt);
  EXPECT_NE(killed.reason.find("supervisor"), std::string::npos);
  const UnitStatus rebooted = JudgeState(false, kRun, {}, "boot-2");
  EXPECT_EQ(rebooted.state, UnitState::kStopped);
  EXPECT_NE(rebooted.reason.find("restarted"), std::string::npos);
}

TEST(Processes, TheNameInAStatFileMayHoldAnything) {
  const auto look =
      ReadStat("77 (a) R 1 (b) Z 42 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 123456 1 17\n");
  ASSERT_TRUE(look);
  EXPECT_EQ(look->state, 'Z');
  EXPECT_EQ(look->parent, 42);
  EXPECT_EQ(look->start, 123456);
  EXPECT_EQ(look->threads, 3);
  EXPECT_EQ(look->pages, 17);
  EXPECT_FALSE(ReadStat(""));
  EXPECT_FALSE(ReadStat("77 (a) R 1"));
}

TEST(Processes, OneThatEndsWhileItIsLookedAtIsNoneAndNoFault) {
  for (int round = 0; round < 100; ++round) {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    std::thread reaper([&] { waitpid(child, nullptr, 0); });
    while (LookAt(child)) {
    }
    reaper.join();
    EXPECT_FALSE(LookAt(child));
  }
}

TEST(Processes, OnlyTheOneThatStartedThenIsSignalled) {
  const pid_t pid = fork();
  if (pid == 0) {
    pause();
    _exit(0);
  }
  const auto look = LookAt(pid);
  ASSERT_TRUE(look);
  EXPECT_FALSE(SignalExactly(pid, look->start + 1, SIGKILL));
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), 0) << "a process that only has the same pid was killed";
  EXPECT_TRUE(SignalExactly(pid, look->start, SIGKILL));
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
  EXPECT_FALSE(SignalExactly(pid, look->start, SIGKILL));
  EXPECT_FALSE(SignalExactly(1, LookAt(1)->start, 0)) << "init is never signalled";
  EXPECT_FALSE(SignalExactly(0, 0, 0));
}

}  // namespace
}  // namespace a4c::local
