// HostExec over a dockerd that is only pretended: what becomes of a command that is left behind.
#include <stop_token>
#include <thread>

#include "a4c/host_extensions.h"
#include "tests/engine_fixture.h"

namespace a4c::baremetal {
namespace {

constexpr const char* kInspected =
    R"({"Id":"c1","Name":"/unit-1","State":{"Status":"running","Running":true},"ExecIDs":["x"],)"
    R"("Config":{"Labels":{"a4c.cluster":"test","a4c.unit":"unit-1"}}})";

class EngineExec : public EngineTest {
 protected:
  Result<int> Run(const Call& call, std::map<std::string, std::string> env) {
    return provider_->As<HostExec>()->Run(call,
                                          {.host = "one",
                                           .unit = "unit-1",
                                           .command = {"make", "all"},
                                           .env = std::move(env),
                                           .working_dir = {}},
                                          [](std::string_view) {});
  }
  // What was asked of dockerd to end what carries that.
  bool HasEnded(const std::string& mark) const {
    return engine_.Heard().find("\"a4c\",\"" + mark + "\"") != std::string::npos;
  }
};

TEST_F(EngineExec, AnAttemptThatStillRunsIsEndedBeforeTheNext) {
  engine_.SetAnswer("GET /containers/unit-1/json ", "200 OK", kInspected);
  const auto code = Run(Soon(), {{"A4C_JOB", "j1"}});
  ASSERT_TRUE(code) << code.error().ToString();
  const std::string heard = engine_.Heard();
  const size_t ended = heard.find(R"("a4c","A4C_JOB=j1")");
  ASSERT_NE(ended, std::string::npos) << heard;
  EXPECT_GT(heard.find(R"("make","all")"), ended) << "it was to be gone before";
}

TEST_F(EngineExec, NobodyIsLookedForWhereNothingRuns) {
  ASSERT_TRUE(Run(Soon(), {{"A4C_JOB", "j1"}}));
  EXPECT_EQ(engine_.Heard().find("/bin/sh"), std::string::npos);
}

TEST_F(EngineExec, ACommandWithoutAJobIsLeftAlone) {
  engine_.SetAnswer("GET /containers/unit-1/json ", "200 OK", kInspected);
  ASSERT_TRUE(Run(Soon(), {}));
  EXPECT_EQ(engine_.Heard().find("/bin/sh"), std::string::npos);
}

TEST_F(EngineExec, OneWhoseCallerGivesUpIsEnded) {
  // The start is not answered before there is another one: that of what ends it.
  engine_.SetAnswerToMany("/exec/exec-1/start ", 2, "");
  std::stop_source stop;
  Call call = Soon();
  call.stop = stop.get_token();
  std::jthread caller([&] {
    const auto code = Run(call, {{"A4C_JOB", "j2"}});
    EXPECT_FALSE(code);
    EXPECT_TRUE(code || code.error().unknown_outcome()) << code.error().ToString();
  });
  const Call watched = Soon();
  while (engine_.Heard().find("/exec/exec-1/start ") == std::string::npos && !watched.Expired()) {
    std::this_thread::yield();
  }
  stop.request_stop();
  caller.join();
  EXPECT_TRUE(HasEnded("A4C_JOB=j2")) << engine_.Heard();
}

}  // namespace
}  // namespace a4c::baremetal
