// Stock OpenSSH clients into workspaces, through a4c as their ProxyCommand.
#include <csignal>

#include "tests/integration/cli/sessions_fixture.h"
#include "tests/support/cutting_proxy.h"

namespace a4cd {
namespace {

namespace fs = std::filesystem;

template <typename Fixture>
class SshOver : public Fixture {
 protected:
  void SetUp() override {
    Fixture::SetUp();
    config_ = this->home_ + "/.ssh/config";
    fs::create_directories(this->home_ + "/.ssh");
    std::ofstream(config_) << "Host elsewhere\n  User somebody\n";
    const Ran ran = this->Run({"config", "ssh"});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(ran.out.find("ssh WORKSPACE.a4c"), std::string::npos) << ran.out;
  }

  Ran Ssh(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"-F", config_});
    return this->Run(arguments, input, "ssh");
  }

  std::string config_;
};
using CliSsh = SshOver<CliSessions>;
using CliSshOverMemory = SshOver<CliOverMemory>;

TEST_F(CliSsh, ACommandHasItsInputOutputErrorsAndExitCode) {
  const Ran ran = Ssh({"dev-1.a4c", "cat; echo wrong >&2; exit 37"}, "hello there");
  EXPECT_EQ(ran.exit_code, 37) << ran.err;
  EXPECT_EQ(ran.out, "hello there");
  EXPECT_EQ(ran.err, "wrong\n");
}

TEST_F(CliSsh, ManyBytesBothWaysArriveWhole) {
  std::string bytes;
  for (int64_t i = 0; bytes.size() < 3'000'000; ++i) bytes += std::to_string(i * 7919) + "\n";
  const Ran ran = Ssh({"dev-1.a4c", "cat"}, bytes);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(ran.out == bytes) << ran.out.size() << " of " << bytes.size();
}

TEST_F(CliSsh, AShellOnATerminalHasItsSizeAndKeys) {
  Screen screen({31, 77, 0, 0});
  const pid_t child =
      StartOnTerminal(screen, {"-F", config_, "-o", "EscapeChar=none", "dev-1.a4c"}, "ssh");
  const auto type = [&](const std::string& keys) { EXPECT_TRUE(screen.Type(keys)); };
  const auto see = [&](const std::string& text) {
    return Eventually([&] { return screen.Shows(text); });
  };
  ASSERT_TRUE(see("$ ")) << screen.seen();
  type("stty size\r");
  EXPECT_TRUE(see("31 77")) << screen.seen();
  screen.Resize({40, 99, 0, 0});
  type("while ! stty size | grep -q '40 99'; do :; done; echo now si''zed; exit 9\r");
  EXPECT_TRUE(see("now sized")) << screen.seen();
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 9);
}

TEST_F(CliSsh, SftpAndScpCarryFilesBothWays) {
  std::string bytes(5'000'000, 'x');
  for (size_t i = 0; i < bytes.size(); i += 997) bytes[i] = static_cast<char>(i);
  std::ofstream(home_ + "/here") << bytes;
  const Ran put = Run({"-F", config_, "-b", "-", "dev-1.a4c"},
                      "put " + home_ + "/here there\nget there " + home_ + "/back\n", "sftp");
  EXPECT_EQ(put.exit_code, 0) << put.err << put.out;
  EXPECT_TRUE(ReadAll(home_ + "/back") == bytes);
  const Ran copied = Run({"-F", config_, "dev-1.a4c:there", home_ + "/again"}, "", "scp");
  EXPECT_EQ(copied.exit_code, 0) << copied.err;
  EXPECT_TRUE(ReadAll(home_ + "/again") == bytes);
}

TEST_F(CliSsh, GitClonesFromAWorkspaceAndPushesThere) {
  const Ran made =
      Ssh({"dev-1.a4c",
           "git init -q -b main there && cd there && echo one > file && git add file && "
           "git -c user.name=a -c user.email=a@b commit -q -m one && pwd"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const std::string url = "ssh://dev-1.a4c" + made.out.substr(0, made.out.find('\n'));
  const auto git = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-c", "core.sshCommand=ssh -F " + config_});
    const Ran ran = Run(arguments, "", "git");
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.out;
  };
  git({"clone", "-q", url, "here"});
  EXPECT_EQ(ReadAll(home_ + "/here/file"), "one\n");
  git({"-C", "here", "push", "-q", "origin", "HEAD:refs/heads/pushed"});
  EXPECT_NE(git({"ls-remote", url}).find("refs/heads/pushed"), std::string::npos);
}

// -W is what -L, -D and ProxyJump are made of.
TEST_F(CliSshOverMemory, AForwardLeadsToTheWorkspacesLoopbackAndNowhereElse) {
  Make("web", R"(,"env":{"PORT":"8080"})");
  const std::string bytes(300'000, 'x');
  const Ran echoed = Ssh({"-W", "localhost:8080", "web.a4c"}, bytes);
  EXPECT_TRUE(echoed.out == bytes) << echoed.out.size() << echoed.err;
  const Ran closed = Ssh({"-W", "localhost:8081", "web.a4c"});
  EXPECT_NE(closed.err.find("a forward failed"), std::string::npos) << closed.err;
  const Ran elsewhere = Ssh({"-W", "192.0.2.1:80", "web.a4c"});
  EXPECT_NE(elsewhere.exit_code, 0);
  EXPECT_NE(elsewhere.err.find("localhost only"), std::string::npos) << elsewhere.err;
}

TEST_F(CliSshOverMemory, AnInstanceThatGoesEndsTheSessionWithItsReason) {
  const std::string err = home_ + "/.err2";
  const pid_t child = Start({"-n", "-F", config_, "dev-1.a4c", "echo begun; sleep 1000"},
                            {"/dev/null", home_ + "/.out2", err}, "ssh");
  ASSERT_TRUE(Eventually([&] { return ReadAll(home_ + "/.out2") == "begun\n"; })) << ReadAll(err);
  app_->Drain();
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 255);
  EXPECT_NE(ReadAll(err).find("this instance is ending"), std::string::npos) << ReadAll(err);
}

TEST_F(CliSsh, WhatRunsEndsWithTheClient) {
  const std::string mark = "mark-" + std::to_string(getpid());
  const auto running = [&] { return Run({"-c", "-f", mark}, "", "pgrep").out; };
  const pid_t child = Start({"-F", config_, "dev-1.a4c", "sleep 1000; : " + mark}, kNowhere, "ssh");
  ASSERT_TRUE(Eventually([&] { return running() == "2\n"; })) << running();  // ssh, and the shell
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(Eventually([&] { return running() == "0\n"; })) << running();
}

// One connection for many sessions: each is a channel, and ends by itself.
TEST_F(CliSsh, AControlMasterSharesOneConnection) {
  const std::string socket = home_ + "/control";
  const Ran master = Ssh({"-M", "-S", socket, "-f", "-N", "dev-1.a4c"});
  ASSERT_EQ(master.exit_code, 0) << master.err;
  for (int i = 0; i < 3; ++i) {
    const Ran ran = Ssh({"-S", socket, "dev-1.a4c", "exit " + std::to_string(10 + i)});
    EXPECT_EQ(ran.exit_code, 10 + i) << ran.err;
  }
  EXPECT_EQ(Ssh({"-S", socket, "-O", "exit", "dev-1.a4c"}).exit_code, 0);
}

// A session that is dropped before the API has answered for it.
TEST_F(CliSsh, AChannelThatIsDroppedWhileItOpensHoldsUpNoOther) {
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  a4c::testing::CuttingProxy proxy(runtime.threads, "127.0.0.1", port_);
  const std::string socket = home_ + "/control";
  const std::string by =
      std::string("ProxyCommand=") + A4C_CLI +
      " --request-timeout-ms 600000 --url http://127.0.0.1:" + std::to_string(proxy.port()) +
      " connect dev-1";
  ASSERT_EQ(Ssh({"-M", "-S", socket, "-f", "-N", "-o", by, "dev-1.a4c"}).exit_code, 0);
  Screen screen;
  const std::string echo = "stty -echo; echo ready; exec cat";
  const pid_t first =
      StartOnTerminal(screen, {"-F", config_, "-S", socket, "-t", "dev-1.a4c", echo}, "ssh");
  const auto echoes = [&](const std::string& word) {
    return screen.Type(word + "\r") && Eventually([&] { return screen.Shows(word); });
  };
  ASSERT_TRUE(Eventually([&] { return screen.Shows("ready"); })) << screen.seen();
  ASSERT_TRUE(echoes("before")) << screen.seen();
  proxy.HoldNewOnes();
  const pid_t second = Start({"-F", config_, "-S", socket, "dev-1.a4c", "true"}, kNowhere, "ssh");
  ASSERT_TRUE(Eventually([&] { return proxy.held() == 1; }));
  kill(second, SIGKILL);
  waitpid(second, nullptr, 0);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(echoes("after-" + std::to_string(i) + ".")) << screen.seen();
  }
  Ssh({"-S", socket, "-O", "exit", "dev-1.a4c"});
  waitpid(first, nullptr, 0);
}

TEST_F(CliSsh, WhatCannotBeIsSaid) {
  const Ran missing = Ssh({"nothing.a4c", "true"});
  EXPECT_EQ(missing.exit_code, 255);
  EXPECT_NE(missing.err.find("nothing"), std::string::npos) << missing.err;
  EXPECT_NE(missing.err.find("hint: "), std::string::npos) << missing.err;
}

// Somebody else's key in the place of ours: ssh refuses.
TEST_F(CliSsh, AnotherHostKeyIsRefusedBySsh) {
  fs::remove(home_ + "/ssh/host_key");  // the next connect makes another
  const Ran ran = Ssh({"dev-1.a4c", "true"});
  EXPECT_EQ(ran.exit_code, 255);
  EXPECT_NE(ran.err.find("Host key verification failed"), std::string::npos) << ran.err;
}

TEST_F(CliSsh, TheCheapestCipherGoesFirstAndOthersStillGo) {
  for (const std::string cipher : {"aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"}) {
    std::vector<std::string> arguments = {"-v", "dev-1.a4c", "true"};
    if (!cipher.starts_with("aes128-gcm")) arguments.insert(arguments.begin(), {"-c", cipher});
    const Ran ran = Ssh(arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(ran.err.find("server->client cipher: " + cipher), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("client->server cipher: " + cipher), std::string::npos) << ran.err;
  }
}

TEST_F(CliSsh, TheConfigurationIsIncludedOnceAndCanBeTakenOut) {
  ASSERT_EQ(Run({"config", "ssh"}).exit_code, 0);
  const std::string text = ReadAll(config_);
  const size_t include = text.find("Include ");
  EXPECT_EQ(include, 0u) << text;
  EXPECT_EQ(text.find("Include ", include + 1), std::string::npos) << text;
  EXPECT_NE(text.find("Host elsewhere"), std::string::npos) << text;
  const Ran printed = Run({"config", "ssh", "--print"});
  EXPECT_NE(printed.out.find("Host *.a4c"), std::string::npos) << printed.out;
  ASSERT_EQ(Run({"config", "ssh", "--remove"}).exit_code, 0);
  EXPECT_EQ(ReadAll(config_), "Host elsewhere\n  User somebody\n");
}

}  // namespace
}  // namespace a4cd
