// The command line at work in workspaces: as a program, with pipes and with a terminal of its own.
#include <Poco/Net/StreamSocket.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "a4c/clock.h"
#include "a4c/sinks.h"
#include "apps/a4c/exit_code.h"
#include "apps/a4c/session.h"
#include "apps/a4c/sessions/follow.h"
#include "tests/integration/cli/sessions_fixture.h"
#include "tests/support/canned.h"
#include "tests/support/quick_clock.h"

namespace a4cd {
namespace {

namespace fs = std::filesystem;

TEST_F(CliSessions, ExecHasTheInputOutputErrorsAndExitCodeOfTheCommand) {
  const Ran cat = Run({"workspace", "exec", "dev-1", "--", "cat"}, "hello there");
  EXPECT_EQ(cat.exit_code, 0) << cat.err;
  EXPECT_EQ(cat.out, "hello there");
  EXPECT_EQ(cat.err, "");
  const Ran failed = Run({"workspace", "exec", "dev-1", "--env", "NAME=value", "--", "sh", "-c",
                          "echo $NAME; echo wrong >&2; exit 37"});
  EXPECT_EQ(failed.exit_code, 37);
  EXPECT_EQ(failed.out, "value\n");
  EXPECT_EQ(failed.err, "wrong\n");
  const Ran deaf = Run({"workspace", "exec", "-n", "dev-1", "--", "cat"}, "left alone");
  EXPECT_EQ(deaf.exit_code, 0) << deaf.err;
  EXPECT_EQ(deaf.out, "");
}

// -n, -o, --quiet and the like are a4c's only before the command.
TEST_F(CliSessions, ACommandWithoutTwoHyphensHasAllItsWords) {
  const Ran echo = Run({"workspace", "exec", "dev-1", "--env", "A=b", "echo", "-n", "-o", "--quiet",
                        "--", "--request-timeout-ms", "5"});
  EXPECT_EQ(echo.exit_code, 0) << echo.err;
  EXPECT_EQ(echo.out, "-o --quiet -- --request-timeout-ms 5") << echo.err;
  const Ran deaf = Run({"workspace", "exec", "dev-1", "-n", "cat"}, "left alone");
  EXPECT_EQ(deaf.exit_code, 0) << deaf.err;
  EXPECT_EQ(deaf.out, "");
}

TEST_F(CliSessions, WhatCannotBeIsSaidWithAHintAndACode) {
  const Ran missing = Run({"workspace", "exec", "nothing", "--", "true"});
  EXPECT_EQ(missing.exit_code, a4c_cli::kNotFound);
  EXPECT_NE(missing.err.find("hint: "), std::string::npos) << missing.err;
  const Ran program = Run({"workspace", "exec", "dev-1", "--", "/a4c/no/such/program"});
  EXPECT_EQ(program.exit_code, 127);
  EXPECT_NE(program.err.find("No such file"), std::string::npos) << program.err;
  EXPECT_EQ(Run({"workspace", "exec", "dev-1"}).exit_code, a4c_cli::kUsage);
  const Ran ports = Run({"workspace", "port-forward", "dev-1", "80:x"});
  EXPECT_EQ(ports.exit_code, a4c_cli::kUsage);
  EXPECT_NE(ports.err.find("LOCAL:PORT"), std::string::npos) << ports.err;
}

TEST_F(CliSessions, AWorkspaceThatDoesNotRunIsOneErrorWithTheNextCommand) {
  ASSERT_EQ(Run({"workspace", "stop", "dev-1", "--wait"}).exit_code, 0);
  const std::vector<std::vector<std::string>> cases = {
      {"workspace", "exec", "dev-1", "--", "true"},
      {"workspace", "cp", "dev-1:notes", "."},
      {"workspace", "cp", ".", "dev-1:notes"},
      {"workspace", "shell", "dev-1"},
  };
  for (const auto& arguments : cases) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, a4c_cli::kConflict) << testing::PrintToString(arguments);
    EXPECT_TRUE(ran.err.starts_with("error: the workspace dev-1 is not running: it is stopped"))
        << ran.err;
    EXPECT_NE(ran.err.find("hint: a4c workspace start dev-1 --wait\n"), std::string::npos);
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 2) << ran.err;
  }
}

TEST_F(CliSessions, AShellWithoutATerminalReadsItsCommandsToTheirEnd) {
  const Ran ran = Run({"workspace", "shell", "dev-1"}, "echo $((6 * 7))\nexit 5\n");
  EXPECT_EQ(ran.exit_code, 5) << ran.err;
  EXPECT_EQ(ran.out, "42\n");
  EXPECT_EQ(Run({"workspace", "shell", "dev-1"}).exit_code, 0) << "an empty input ends it";
}

// a4c on a terminal of its own.
TEST_F(CliSessions, ShellOnATerminalHasItsSizeAndKeysAndGivesItBackAsItWas) {
  Screen screen({31, 77, 0, 0});
  const termios before = screen.Settings();
  const pid_t child = StartOnTerminal(screen, {"workspace", "shell", "dev-1"});
  const auto type = [&](const std::string& keys) { EXPECT_TRUE(screen.Type(keys)); };
  const auto see = [&](const std::string& text) {
    return Eventually([&] { return screen.Shows(text); });
  };
  // The shell's prompt is the sign that keys go there.
  ASSERT_TRUE(see("$ ")) << screen.seen();
  EXPECT_EQ(screen.Settings().c_lflag & (ICANON | ECHO | ISIG), 0u);
  type("stty size\r");
  EXPECT_TRUE(see("31 77")) << screen.seen();
  screen.Resize({40, 99, 0, 0});
  // Said by what is in the foreground then: keys that are typed before act on the shell.
  type(
      "while ! stty size | grep -q '40 99'; do :; done; sh -c \"echo now si''zed; exec sleep "
      "1000\"\r");
  EXPECT_TRUE(see("now sized")) << screen.seen();
  type("\x03");
  type("echo still $((40 + 2)); exit 9\r");
  EXPECT_TRUE(see("still 42")) << screen.seen();
  int status = 0;
  EXPECT_TRUE(Eventually([&] {
    see("\n");
    return waitpid(child, &status, WNOHANG) == child;
  })) << screen.seen();
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 9);
  EXPECT_EQ(screen.Settings().c_lflag, before.c_lflag);
}

TEST_F(CliOverMemory, ATerminalShowsWhatIsTypedAgainAfterASecretThatWasGivenUp) {
  for (const char* key : {"\x03", "\x04"}) {
    Screen screen;
    const auto is_silent = [&] { return (screen.Settings().c_lflag & ECHO) == 0; };
    const pid_t child = StartOnTerminal(screen, {"secret", "set", "token"});
    ASSERT_TRUE(Eventually(is_silent));
    EXPECT_TRUE(screen.Type(key));
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), *key == '\x03' ? a4c_cli::kInterrupted : a4c_cli::kUsage);
    EXPECT_FALSE(is_silent());
  }
}

TEST_F(CliSessions, ATerminalIsAsItWasAlsoWhenA4cIsEndedByASignal) {
  const Screen screen;
  const pid_t child = StartOnTerminal(
      screen, {"workspace", "exec", "dev-1", "--", "sh", "-c", "echo begun; sleep 1000"});
  const auto is_raw = [&] { return (screen.Settings().c_lflag & ICANON) == 0; };
  ASSERT_TRUE(Eventually(is_raw));
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 128 + SIGTERM);
  EXPECT_FALSE(is_raw());
}

TEST_F(CliOverMemory, AnInstanceThatGoesIsToldWithItsReason) {
  const std::string err = home_ + "/.err2";
  const pid_t child =
      Start({"workspace", "exec", "-n", "dev-1", "--", "sh", "-c", "echo begun; sleep 1000"},
            {"/dev/null", home_ + "/.out2", err});
  ASSERT_TRUE(Eventually([&] { return ReadAll(home_ + "/.out2") == "begun\n"; })) << ReadAll(err);
  app_->Drain();
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, a4c_cli::kUnavailable);
  EXPECT_NE(ReadAll(err).find("this instance is ending"), std::string::npos) << ReadAll(err);
}

TEST_F(CliSessions, CpCopiesFilesAndTreesBothWaysAndIntoWhatIsThere) {
  fs::create_directories(home_ + "/tree/deep");
  std::ofstream(home_ + "/tree/deep/a file") << std::string(300'000, 'x');
  std::ofstream(home_ + "/one.txt") << "one";
  fs::create_symlink("../one.txt", home_ + "/tree/link");
  EXPECT_EQ(Run({"workspace", "cp", "one.txt", "dev-1:two.txt"}).exit_code, 0);
  EXPECT_EQ(Run({"workspace", "exec", "dev-1", "--", "cat", "two.txt"}).out, "one");
  const Ran up = Run({"workspace", "cp", "tree", "dev-1:"});
  EXPECT_EQ(up.exit_code, 0) << up.err;
  EXPECT_EQ(Run({"workspace", "cp", "one.txt", "dev-1:tree"}).exit_code, 0);
  EXPECT_EQ(Run({"workspace", "exec", "dev-1", "--", "cat", "tree/one.txt"}).out, "one");
  const Ran down = Run({"workspace", "cp", "dev-1:tree", "back"});
  EXPECT_EQ(down.exit_code, 0) << down.err;
  EXPECT_EQ(ReadAll(home_ + "/back/deep/a file"), std::string(300'000, 'x'));
  EXPECT_EQ(ReadAll(home_ + "/back/one.txt"), "one");
  EXPECT_EQ(fs::read_symlink(home_ + "/back/link"), "../one.txt");
  EXPECT_EQ(Run({"workspace", "cp", "dev-1:two.txt", "back"}).exit_code, 0);
  EXPECT_EQ(ReadAll(home_ + "/back/two.txt"), "one");
  const auto left = [&] {
    return std::ranges::any_of(fs::directory_iterator(home_), [](const auto& entry) {
      return entry.path().filename().string().starts_with(".a4c-cp-");
    });
  };
  EXPECT_FALSE(left());
  const Ran missing = Run({"workspace", "cp", "dev-1:nothing", "there"});
  EXPECT_EQ(missing.exit_code, a4c_cli::kNotFound) << "not what its tar answers";
  EXPECT_NE(missing.err.find("error: there is no nothing in dev-1"), std::string::npos)
      << missing.err;
  EXPECT_FALSE(fs::exists(home_ + "/there"));
  EXPECT_FALSE(left());
  EXPECT_EQ(Run({"workspace", "cp", "nothing", "dev-1:there"}).exit_code, a4c_cli::kNotFound);
  EXPECT_EQ(Run({"workspace", "cp", "dev-1:two.txt", "no/such/there"}).exit_code,
            a4c_cli::kNotFound);
  EXPECT_EQ(Run({"workspace", "cp", "one.txt", "two.txt"}).exit_code, a4c_cli::kUsage);
  EXPECT_EQ(Run({"workspace", "cp", "dev-1:..", "x"}).exit_code, a4c_cli::kUsage);
}

TEST_F(CliSessions, NothingButWhatWasAskedForComesOfACopy) {
  Make("dev-2", R"(,"env":{"PATH":"./bin:/usr/bin:/bin"})");
  // A tar in the workspace that also gives what nobody asked for.
  const std::string script =
      "mkdir bin && echo good > wanted && echo bad > planted && printf '#!/bin/sh\\nexec /bin/tar "
      "-c -f - "
      "planted wanted\\n' > bin/tar && chmod +x bin/tar";
  const Ran planted = Run({"workspace", "exec", "dev-2", "--", "sh", "-c", script});
  ASSERT_EQ(planted.exit_code, 0) << planted.err;
  fs::create_directories(home_ + "/into");
  const Ran copied = Run({"workspace", "cp", "dev-2:wanted", "into"});
  EXPECT_EQ(copied.exit_code, 0) << copied.err;
  EXPECT_EQ(ReadAll(home_ + "/into/wanted"), "good\n");
  EXPECT_FALSE(fs::exists(home_ + "/into/planted"));
  EXPECT_EQ(Run({"workspace", "delete", "dev-2", "--wait"}).exit_code, 0);
  // Nor anything that is more than a file.
  ASSERT_EQ(Run({"workspace", "exec", "dev-1", "--", "mkfifo", "pipe"}).exit_code, 0);
  EXPECT_NE(Run({"workspace", "cp", "dev-1:pipe", "into"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(fs::symlink_status(home_ + "/into/pipe")));
}

TEST_F(CliOverMemory, APortOfTheLoopbackLeadsToTheWorkspace) {
  Make("web", R"(,"env":{"PORT":"8080"})");
  const std::string err = home_ + "/.err2";
  const pid_t child = Start({"workspace", "port-forward", "web", "0:8080", "0:8081"},
                            {"/dev/null", "/dev/null", err});
  ASSERT_TRUE(Eventually([&] {
    const std::string said = ReadAll(err);
    return std::ranges::count(said, '\n') == 2;
  })) << ReadAll(err);
  const std::string said = ReadAll(err);
  const auto connect = [](const std::string& from) {
    const int port = std::atoi(from.substr(from.find("127.0.0.1:") + 10).c_str());
    Poco::Net::StreamSocket socket(
        Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port)));
    socket.setReceiveTimeout(Poco::Timespan(60, 0));
    return socket;
  };
  std::string bytes;
  for (int i = 0; bytes.size() < 300'000; ++i) bytes += std::to_string(i);
  for (int round = 0; round < 3; ++round) {
    Poco::Net::StreamSocket socket = connect(said);
    std::thread writer([&] { socket.sendBytes(bytes.data(), static_cast<int>(bytes.size())); });
    std::string got;
    char piece[4096];
    while (got.size() < bytes.size()) {
      const int count = socket.receiveBytes(piece, sizeof(piece));
      if (count <= 0) break;
      got.append(piece, static_cast<size_t>(count));
    }
    writer.join();
    EXPECT_TRUE(got == bytes) << got.size();
  }
  // Nobody listens on the other: its connections end, and it is said why.
  Poco::Net::StreamSocket refused = connect(said.substr(said.find('\n')));
  char byte = 0;
  EXPECT_EQ(refused.receiveBytes(&byte, 1), 0);
  EXPECT_TRUE(Eventually([&] { return ReadAll(err).find("8081") != std::string::npos; }));
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
}

TEST_F(CliOverMemory, ALogThatIsFollowedOverBreaksIsWholeAndHasNothingTwice) {
  // Each connection ends soon.
  StartWith("api: {session_duration_max: 300ms}\n");
  std::string script;
  std::string whole;
  for (int i = 1; i <= 8; ++i) {
    script += "echo " + std::to_string(i) + "; sleep 0.2; ";
    whole += std::to_string(i) + "\n";
  }
  Make("talker", "", R"(["sh","-c",")" + script + R"(sleep 600"])");
  const std::string out = home_ + "/.out2";
  const pid_t child = Start({"workspace", "logs", "-f", "talker"}, {"/dev/null", out, "/dev/null"});
  EXPECT_TRUE(Eventually([&] { return ReadAll(out).size() >= whole.size(); })) << ReadAll(out);
  EXPECT_EQ(ReadAll(out), whole);
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
}

// Behind the system's by some minutes, until it leaps to it: what waits waits no longer for that.
class LateClock final : public a4c::Clock {
 public:
  explicit LateClock(const a4c::Clock& clock) : clock_(clock) {}
  int64_t NowMs() const override { return clock_.NowMs(); }
  int64_t MonotonicNs() const override { return clock_.MonotonicNs() - late_ns_; }
  void Leap() { late_ns_ = 0; }

 private:
  const a4c::Clock& clock_;
  std::atomic<int64_t> late_ns_ = 120'000'000'000;
};

// As by a server that is down: a problem at once, each time.
TEST_F(CliOverMemory, ALogOfWhichThereIsNeverAWordIsGivenUp) {
  StartWith("api: {session_duration_max: 300ms}\n");
  Make("quiet");
  a4c::testing::QuickTime quick(10);
  a4c_cli::Session session(quick.Runtime(a4c::NullLogSink(), a4c::NullMetricSink()));
  session.endpoint.url = "http://127.0.0.1:" + std::to_string(port_);
  session.endpoint.api_key_file = key_file_;
  std::atomic<bool> ended = false;
  std::jthread follower([&] {
    a4c_cli::FollowWorkspaceLog(session, "quiet", {});
    ended = true;
  });
  EXPECT_TRUE(Eventually([&] { return ended.load(); }));
  if (!ended) {
    EXPECT_EQ(Send("DELETE", "/v1/workspaces/quiet").status, 202);
  }
}

// Its minutes without a word were once taken for minutes without a server.
TEST_F(CliOverMemory, AQuietLogIsFollowedOverABreakToo) {
  Make("quiet");
  const a4c::Runtime system = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  LateClock clock(system.clock);
  a4c_cli::Session session({clock, system.random, system.threads, system.log, system.metrics});
  session.endpoint.url = "http://127.0.0.1:" + std::to_string(port_);
  session.endpoint.api_key_file = key_file_;
  std::atomic<bool> ended = false;
  std::jthread follower([&] {
    a4c_cli::FollowWorkspaceLog(session, "quiet", {});
    ended = true;
  });
  const auto says = [&](const char* text) {
    return Get("/metrics").text.find(text) != std::string::npos;
  };
  ASSERT_TRUE(Eventually([&] { return says("a4c_sessions_open 1\n"); }));
  clock.Leap();
  EXPECT_TRUE(Eventually(
      [&] { return ended || (says("a4c_sessions_total{") && says("a4c_sessions_open 1\n")); }));
  EXPECT_FALSE(ended);
  EXPECT_EQ(Send("DELETE", "/v1/workspaces/quiet").status, 202);
  EXPECT_TRUE(Eventually([&] { return ended.load(); }));
}

TEST_F(CliSessions, ALogBeginsWithItsLastLinesAndGoesOn) {
  const std::string logs = "/v1/workspaces/talker/logs";
  Make("talker", "", R"(["sh","-c","echo one; echo two; sleep 600"])");
  ASSERT_TRUE(Eventually([&] { return Get(logs).text == "one\ntwo\n"; }));
  EXPECT_EQ(Run({"workspace", "logs", "talker", "--tail", "1"}).out, "two\n");
  EXPECT_EQ(Run({"workspace", "logs", "talker", "--tail", "0"}).out, "");
  Make("ticker", "", R"(["sh","-c","echo one; while sleep 0.1; do echo more; done"])");
  ASSERT_TRUE(Eventually([&] { return Get("/v1/workspaces/ticker/logs").text.size() > 4; }));
  for (const auto* tail : {"0", "1"}) {
    const std::string out = home_ + "/.out" + tail;
    const pid_t child = Start({"workspace", "logs", "ticker", "-f", "--tail", tail},
                              {"/dev/null", out, "/dev/null"});
    EXPECT_TRUE(Eventually([&] { return ReadAll(out).size() >= 15; })) << ReadAll(out);
    EXPECT_TRUE(ReadAll(out).starts_with("more\nmore\nmore\n")) << ReadAll(out);
    kill(child, SIGTERM);
    int status = 0;
    waitpid(child, &status, 0);
  }
}

std::string PageOfLog(const std::string& text) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nA4C-Log-Next: 7\r\nContent-Length: " +
         std::to_string(text.size()) + "\r\nConnection: close\r\n\r\n" + text;
}

// Of a workspace that never falls silent.
TEST_F(CliOverMemory, ALogThatGrowsAllTheTimeIsShownToWhereItEnded) {
  const std::string full(1 << 20, 'x');
  const a4c::testing::Canned server(
      {PageOfLog(full), PageOfLog("one\n"), PageOfLog("two\n"), PageOfLog("")});
  url_ = server.url();
  EXPECT_EQ(Run({"workspace", "logs", "dev-1"}).out, full + "one\n");
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(CliOverMemory, TheLastLinesOfALogAreNoMoreThanWereAskedFor) {
  const std::vector<std::string> pages = {PageOfLog("one\ntwo\n"), PageOfLog("three\nfour\n"),
                                          PageOfLog("five\n"), PageOfLog("")};
  const a4c::testing::Canned workspace(pages);
  url_ = workspace.url();
  EXPECT_EQ(Run({"workspace", "logs", "dev-1", "--tail", "3"}).out, "one\ntwo\n");
  EXPECT_EQ(workspace.requests().size(), 1u) << "of a workspace they come at once";
  const a4c::testing::Canned job(pages);
  url_ = job.url();
  EXPECT_EQ(Run({"job", "logs", "j", "--tail", "3"}).out, "one\ntwo\nthree\n");
  EXPECT_EQ(job.requests().size(), 2u) << "of a job they may be more than a page";
  const a4c::testing::Canned none({PageOfLog(""), PageOfLog("one\n")});
  url_ = none.url();
  EXPECT_EQ(Run({"job", "logs", "j", "--tail", "0"}).out, "");
  EXPECT_EQ(none.requests().size(), 1u);
}

TEST_F(CliOverMemory, ALogBeginsAtATimeAndGoesOn) {
  std::string script = "echo one; ";
  for (int i = 0; i < 100; ++i) script += "sleep 0.1; echo more; ";
  Make("ticker", "", R"(["sh","-c",")" + script + R"(sleep 600"])");
  ASSERT_TRUE(Eventually([&] { return Get("/v1/workspaces/ticker/logs").text.size() > 4; }));
  const auto since = [&](const std::string& text) {
    return Run({"workspace", "logs", "ticker", "--since", text}).out;
  };
  EXPECT_TRUE(since("1h").starts_with("one\nmore\n"));
  EXPECT_EQ(since("2999-01-01"), "");
  const std::string out = home_ + "/.out-since";
  const pid_t child = Start({"workspace", "logs", "ticker", "-f", "--since", "0s"},
                            {"/dev/null", out, "/dev/null"});
  EXPECT_TRUE(Eventually([&] { return ReadAll(out).size() >= 15; })) << ReadAll(out);
  EXPECT_TRUE(ReadAll(out).starts_with("more\nmore\nmore\n")) << ReadAll(out);
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
}

TEST_F(CliSessions, ALogWithoutTimesIsRefusedFromATimeOn) {
  for (const bool follow : {false, true}) {
    std::vector<std::string> words = {"workspace", "logs", "dev-1", "--since", "10m"};
    if (follow) words.emplace_back("-f");
    const Ran ran = Run(words);
    EXPECT_NE(ran.exit_code, 0);
    EXPECT_NE(ran.err.find("no times"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("--tail 100"), std::string::npos) << ran.err;
  }
}

TEST_F(CliOverMemory, AnEndOfALogThatCannotBeIsRefused) {
  for (const char* tail : {"-1", "100001", "ten"}) {
    const Ran ran = Run({"workspace", "logs", "dev-1", "--tail", tail});
    EXPECT_EQ(ran.exit_code, 2) << tail;
    EXPECT_NE(ran.err.find("--tail"), std::string::npos) << ran.err;
  }
}

}  // namespace
}  // namespace a4cd
