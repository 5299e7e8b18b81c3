// Ensure over a dockerd that is only pretended: the states that a real one shows for a moment only.
#include "a4c/host_images.h"
#include "tests/engine_fixture.h"

namespace a4c::baremetal {
namespace {

class EngineEnsure : public EngineTest {
 protected:
  Result<UnitStatus> Ensure() {
    return provider_->Ensure(Soon(),
                             {.host = "one",
                              .name = "unit-1",
                              .epoch = 1,
                              .spec = {.image = "busybox:local", .command = {"sleep", "600"}}});
  }

  void ExpectRemovedAndMadeAnew() {
    const size_t before = engine_.Heard().size();
    const auto status = Ensure();
    ASSERT_TRUE(status) << status.error().ToString();
    EXPECT_EQ(status->state, UnitState::kRunning);
    const std::string heard = engine_.Heard();
    const size_t removed = heard.find("/containers/c1?force=1", before);
    ASSERT_NE(removed, std::string::npos);
    EXPECT_NE(heard.find("/containers/create?name=unit-1", removed), std::string::npos);
  }
};

// A kill of dockerd in the middle of a removal leaves a container that it calls dead, and goes on
// calling dead.
TEST_F(EngineEnsure, AContainerWhoseRemovalWasCutShortIsMadeAnew) {
  for (const char* state : {"dead", "removing"}) {
    SCOPED_TRACE(state);
    engine_.SetState(state);
    ExpectRemovedAndMadeAnew();
  }
}

// dockerd would make a volume without a bound for it.
TEST_F(EngineEnsure, WhatTheImageCallsAVolumeIsMadeInMemory) {
  engine_.SetState("");
  engine_.SetAnswer("GET /images/busybox%3Alocal/json ", "200 OK",
                    R"({"Id":"sha256:1","Config":{"Volumes":{"/data/":{},"/workspace/":{}}}})");
  ASSERT_TRUE(Ensure());
  EXPECT_EQ(engine_.Heard().find(R"("/workspace":"rw)"), std::string::npos) << "it has its volume";
  EXPECT_NE(engine_.Heard().find(R"("Tmpfs":{"/data":"rw,nosuid,nodev,size=)"), std::string::npos)
      << engine_.Heard();
}

TEST_F(EngineEnsure, WithoutItsImageNothingIsMade) {
  engine_.SetState("");
  engine_.SetAnswer("GET /images/busybox%3Alocal/json ", "404 Not Found", R"({"message":"none"})");
  const auto made = Ensure();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::kNotFound);
  EXPECT_EQ(engine_.Heard().find("POST /"), std::string::npos) << engine_.Heard();
}

// Another's, by its name: what runs as that runs on as that.
TEST_F(EngineEnsure, ABuildTakesNoTagOfAnImageThatIsNotOurs) {
  engine_.SetAnswer("GET /images/postgres%3A15/json ", "200 OK",
                    R"({"Id":"sha256:2","RepoTags":["postgres:15"]})");
  const auto built = provider_->As<HostImages>()->Build(
      Soon(), {.host = "one", .tag = "postgres:15"},
      []() -> Result<std::string> { return std::string(); }, [](std::string_view) {});
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code(), Code::kDenied) << built.error().ToString();
  EXPECT_EQ(engine_.Heard().find("/build?"), std::string::npos);
}

// One in the middle of a start leaves a task that dockerd knows nothing of.
TEST_F(EngineEnsure, AContainerWhoseStartWasCutShortIsMadeAnew) {
  engine_.SetState("created");
  engine_.SetStartError("task c1: already exists");
  ExpectRemovedAndMadeAnew();
}

// "In use": there is a process, which nobody would end here, as the server has no a4c-host.
TEST_F(EngineEnsure, OneWhoseCommandCannotBeRunIsLeftAsItIs) {
  for (const char* error : {"exec: file c1 already exists", "id already in use"}) {
    SCOPED_TRACE(error);
    engine_.SetState("created");
    engine_.SetStartError(error);
    EXPECT_FALSE(Ensure());
  }
  EXPECT_EQ(engine_.Heard().find("DELETE "), std::string::npos);
}

}  // namespace
}  // namespace a4c::baremetal
