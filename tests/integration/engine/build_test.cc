// Builds as `docker build` has them, from the command line to a real engine.
#include <fstream>

#include "tests/integration/engine/engine_fixture.h"

namespace a4cd {
namespace {

namespace fs = std::filesystem;

class EngineBuild : public EngineTest {
 protected:
  void TearDown() override {
    if (app_ != nullptr) Docker({"rmi", "-f", Id().substr(0, 71)});
    EngineTest::TearDown();
  }
  Ran Docker(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"-H", std::string("unix://") + std::getenv("A4C_TEST_BAREMETAL_SOCKET")});
    return Run(arguments, "", "docker");
  }
  std::string Build(std::vector<std::string> more) {
    more.insert(more.begin(), {"image", "build", "-t", tag_, "--host", kServer, context_});
    return Succeeds(more);
  }
  std::string Label(const std::string& name) {
    return Inspect(name_, "{{index .Config.Labels \"" + name + "\"}}").out;
  }
  std::string Id() { return Inspect(name_, "{{.Id}}").out; }
  void MakeContext() {
    tag_ = "a4c-test/" + cluster_ + ":1";
    name_ = "a4c.invalid/default/" + tag_;
    context_ = data_ + "/context";
    fs::create_directories(context_ + "/docker");
    std::ofstream(context_ + "/.dockerignore") << "docker\n";
    std::ofstream(context_ + "/docker/File") << "FROM scratch AS first\n"
                                                "ARG VALUE=none\n"
                                                "COPY .dockerignore /\n"
                                                "LABEL value=\"$VALUE\" stage=first\n"
                                                "FROM first\n"
                                                "LABEL stage=second\n";
  }

  std::string tag_;
  std::string name_;  // of the image on the server
  std::string context_;
};

TEST_F(EngineBuild, ArgsTargetAndDockerfileReachTheEngine) {
  StartOn("a4cd", "placement: {build_disk: 8MiB}\n");
  MakeContext();
  const std::vector<std::string> file = {"-f", context_ + "/docker/File"};
  Build({file[0], file[1], "--build-arg", "VALUE=a b&c=d", "--target", "first"});
  EXPECT_EQ(Label("value"), "a b&c=d\n");
  EXPECT_EQ(Label("stage"), "first\n");
  const std::string first = Id();
  Build({file[0], file[1], "--build-arg", "VALUE=a b&c=d", "--target", "first"});
  EXPECT_EQ(Id(), first) << "nothing has changed";
  Build({file[0], file[1], "--build-arg", "VALUE=a b&c=d", "--target", "first", "--no-cache"});
  EXPECT_NE(Id(), first) << "it came from the cache";
  Build(file);
  EXPECT_EQ(Label("value"), "none\n");
  EXPECT_EQ(Label("stage"), "second\n");
  const Ran unknown = Run({"image", "build", "-t", tag_, "--host", kServer, context_, file[0],
                           file[1], "--target", "third"});
  EXPECT_EQ(unknown.exit_code, 1) << unknown.out << unknown.err;
  EXPECT_NE((unknown.out + unknown.err).find("third"), std::string::npos) << unknown.err;
}

}  // namespace
}  // namespace a4cd
