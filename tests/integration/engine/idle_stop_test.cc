// Workspaces that nobody uses are stopped on a real engine, and ones in use are not.
#include "tests/integration/engine/engine_fixture.h"
#include "tests/support/quick_clock.h"

namespace a4cd {
namespace {

// Two minutes, the least that idle_stop may be, are thirty seconds.
constexpr int64_t kTimes = 4;
// poll(2) does not know of it: a session in which nothing happens would not ping in time, and
// take its client for gone.
constexpr const char* kWords = "while :; do echo here; sleep 1; done";

class EngineIdleStop : public EngineTest {
 protected:
  a4c::Runtime NewRuntime() override { return time_.Runtime(log_, *metrics_); }

  void MakeWithIdleStop(const std::string& name, const std::string& script = "exec sleep 600") {
    MakeThere(name, {"--idle-stop", "2m", "--cpu-millis", "500"}, script);
  }
  // Somebody who is in a workspace when this returns.
  pid_t Enter(const std::string& workspace, const std::vector<std::string>& arguments) {
    const pid_t who = Stay(arguments);
    EXPECT_TRUE(Eventually([&] {
      return Get("/v1/workspaces/" + workspace).body["session_at"].IsText();
    })) << Get("/v1/workspaces/" + workspace).text;
    return who;
  }
  bool Runs(const std::string& workspace) {
    return ActualOf(workspace) == "running" &&
           Inspect(UnitOf(workspace), "{{.State.Running}}").out == "true\n";
  }
  bool IsStopped(const std::string& workspace) {
    return ActualOf(workspace) == "stopped" &&
           Inspect(UnitOf(workspace), "{{.State.Running}}").out == "false\n";
  }

  a4c::testing::QuickTime time_{kTimes};
};

TEST_F(EngineIdleStop, OneThatNobodyUsesIsStoppedAndOnesInUseRunOnUntilTheyAreLeft) {
  StartOn("a4cd", "work: {idle_period: 100ms, idle_look_period: 5s}\nloops: {look_period: 1s}\n");
  MakeWithIdleStop("computing", "while :; do :; done");
  MakeWithIdleStop("entered");
  const pid_t guest = Enter("entered", {"workspace", "exec", "entered", "--", "sh", "-c", kWords});
  MakeWithIdleStop("watched", kWords);
  const pid_t reader = Enter("watched", {"workspace", "logs", "-f", "watched"});
  // Last: when its time is over, so is that of the others.
  MakeWithIdleStop("quiet");
  EXPECT_TRUE(Eventually([&] { return IsStopped("quiet"); })) << Logged();
  const std::string message = Get("/v1/workspaces/quiet").body["message"].Text();
  EXPECT_NE(message.find("it was idle for 2 min"), std::string::npos) << message;
  for (const char* used : {"computing", "entered", "watched"}) EXPECT_TRUE(Runs(used)) << used;
  Leave(guest);
  Leave(reader);
  EXPECT_TRUE(Eventually([&] { return IsStopped("entered") && IsStopped("watched"); }))
      << Get("/v1/workspaces").text;
  EXPECT_TRUE(Runs("computing"));
}

}  // namespace
}  // namespace a4cd
