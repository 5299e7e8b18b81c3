// Where a secret's value is once a workspace on a real server has it, and where it is not:
// docs/guides/secrets.md.
#include "tests/integration/engine/engine_fixture.h"

namespace a4cd {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCanary = "canary-5fd1e0c2";

size_t CountOf(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

// Of every process of this machine, which those of its servers are among.
std::string CommandLines() {
  std::string lines;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    lines += ReadAll(entry.path().string() + "/cmdline") + "\n";
  }
  return lines;
}

class EngineSecrets : public EngineTest {
 protected:
  // Store, index and what else a4cd has written.
  std::string Written() const {
    std::string bytes;
    for (const auto& entry : fs::recursive_directory_iterator(data_)) {
      if (entry.is_regular_file()) bytes += ReadAll(entry.path().string());
    }
    return bytes;
  }
};

TEST_F(EngineSecrets, TheValueIsInTheContainersEnvironmentAndNowhereElse) {
  StartOn("a4cd");
  Succeeds({"secret", "set", "token"}, kCanary);
  for (int i = 0; i < 2; ++i) {
    Send("PUT", "/v1/secrets/token", std::string(R"({"value":")") + kCanary + "\"}",
         {{"Idempotency-Key", "once"}});
  }
  // Looked at all the while it is made.
  std::string lines = CommandLines();
  const pid_t creating =
      Stay({"workspace", "create", "dev-1", "--image", "busybox:local", "--host", kServer, "--disk",
            "16MiB", "--memory", "32MiB", "--secret", "TOKEN=token", "--", "sleep", "600"});
  EXPECT_TRUE(Eventually([&] {
    lines += CommandLines();
    return ActualOf("dev-1") == "running";
  })) << Get("/v1/jobs").text;
  waitpid(creating, nullptr, 0);
  lines += CommandLines();
  EXPECT_NE(lines.find(std::string("sleep\0"
                                   "600",
                                   9)),
            std::string::npos)
      << "nothing was seen";
  EXPECT_EQ(lines.find(kCanary), std::string::npos) << "it was an argument of a command";

  const std::string unit = UnitOf("dev-1");
  EXPECT_EQ(Succeeds({"workspace", "exec", "dev-1", "--", "sh", "-c", "echo $TOKEN"}),
            std::string(kCanary) + "\n");
  const std::string shown = Inspect(unit).out;
  EXPECT_NE(Inspect(unit, "{{json .Config.Env}}").out.find(std::string("\"TOKEN=") + kCanary),
            std::string::npos)
      << shown;
  EXPECT_EQ(CountOf(shown, kCanary), 1u) << "it is in more than the environment: " << shown;
  EXPECT_NE(Inspect(unit, "{{json .Config.Labels}}").out.find(R"(\"TOKEN\":\"token\")"),
            std::string::npos);

  // An update does not lose it.
  Succeeds({"workspace", "update", "dev-1", "--memory", "48MiB", "--wait"});
  EXPECT_EQ(Succeeds({"workspace", "exec", "dev-1", "--", "sh", "-c", "echo $TOKEN"}),
            std::string(kCanary) + "\n");

  // Beside Docker nothing keeps it there.
  const std::string files = "/srv/a4c /etc /var/log /home";
  EXPECT_NE(OnServer("grep -rl " + cluster_ + " /srv/docker/containers"), "");
  EXPECT_EQ(OnServer("grep -rlsI " + std::string(kCanary) + " " + files), "");

  std::string told = Logged();
  for (const char* path :
       {"/v1/secrets", "/v1/secrets/token", "/v1/audit", "/v1/status", "/metrics", "/v1/jobs",
        "/v1/workspaces/dev-1", "/v1/workspaces/dev-1/logs", "/v1/jobs?q=canary"}) {
    told += Get(path).text;
  }
  for (const char* what : {"workspace", "job", "audit"}) {
    told += Succeeds({what, "list", "-o", "json"});
  }
  EXPECT_NE(told.find("dev-1"), std::string::npos);
  EXPECT_EQ(told.find(kCanary), std::string::npos) << told;

  Succeeds({"workspace", "delete", "dev-1", "--wait"});
  app_.reset();
  const std::string written = Written();
  EXPECT_NE(written.find("dev-1"), std::string::npos);
  EXPECT_EQ(written.find(kCanary), std::string::npos) << "a file of a4cd's shows it";
}

TEST_F(EngineSecrets, ASecretThatIsNamedAgainGivesItsNewValueAndVariablesChange) {
  StartOn("a4cd");
  Succeeds({"secret", "set", "token"}, "old-value");
  Succeeds({"workspace",   "create", "dev-1",     "--image",  "busybox:local", "--host",
            kServer,       "--disk", "16MiB",     "--memory", "32MiB",         "--secret",
            "TOKEN=token", "--env",  "STAGE=one", "--env",    "GONE=yes",      "--wait",
            "--",          "sleep",  "600"});
  Succeeds({"workspace", "exec", "dev-1", "--", "sh", "-c", "echo kept > /workspace/note"});
  const std::vector<std::string> look = {"workspace",
                                         "exec",
                                         "dev-1",
                                         "--",
                                         "sh",
                                         "-c",
                                         "echo $TOKEN $STAGE $GONE; cat /workspace/note"};
  Succeeds({"secret", "set", "token"}, "new-value");
  EXPECT_EQ(Succeeds(look), "old-value one yes\nkept\n");
  Succeeds({"workspace", "update", "dev-1", "--secret", "TOKEN=token", "--env", "STAGE=two",
            "--env", "GONE-", "--wait", "--", "sleep", "700"});
  EXPECT_EQ(Succeeds(look), "new-value two\nkept\n");
  EXPECT_EQ(Inspect(UnitOf("dev-1"), "{{.Path}} {{.Args}}").out, "sleep [700]\n");
  Succeeds({"workspace", "delete", "dev-1", "--wait"});
}

}  // namespace
}  // namespace a4cd
