// HostStreams on real servers.
#include <poll.h>

#include <stop_token>
#include <thread>

#include "a4c/host_streams.h"
#include "docker_server.h"
#include "ssh/socket.h"
#include "tests/server_fixture.h"
#include "tests/support/cutting_proxy.h"

namespace a4c::baremetal {
namespace {

using a4c::testing::CuttingProxy;

using From = StreamPiece::From;

class ServerStreams : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (provider_ == nullptr) return;
    const auto status = provider_->Ensure(Soon(), unit_);
    ASSERT_TRUE(status) << status.error().ToString();
  }

  std::unique_ptr<HostCommand> Open(HostProvider& provider, std::vector<std::string> command,
                                    std::optional<TerminalSize> terminal = {}) {
    auto opened = provider.As<HostStreams>()->OpenCommand(
        Soon(), {.exec = {.host = unit_.host, .unit = unit_.name, .command = std::move(command)},
                 .terminal = terminal});
    EXPECT_TRUE(opened) << opened.error().ToString();
    return opened ? *std::move(opened) : nullptr;
  }

  static void Rest(HostStream& stream, bool writing) {
    const Call call = Soon();
    const auto wait = stream.WaitFor(call, true, writing);
    ASSERT_TRUE(wait) << wait.error().ToString();
    pollfd entry{wait->fd, wait->events, 0};
    poll(&entry, 1, 1'000);
  }

  // Until the output has it; false at the end of the stream.
  static bool ReadUntil(HostStream& stream, const std::string& text, std::string& output) {
    const Call call = Soon();
    while (output.find(text) == std::string::npos && !call.Expired()) {
      const auto piece = stream.Read(call);
      if (!piece || piece->from == From::kEnd) return false;
      output += piece->bytes;
      if (piece->from == From::kNothing) Rest(stream, false);
    }
    return output.find(text) != std::string::npos;
  }

  static void Type(HostStream& stream, std::string_view keys) {
    while (!keys.empty()) {
      const auto taken = stream.Write(Soon(), keys);
      ASSERT_TRUE(taken) << taken.error().ToString();
      keys.remove_prefix(*taken);
    }
  }

  std::unique_ptr<HostProvider> Through(const CuttingProxy& proxy) const {
    BaremetalOptions through = options_;
    through.servers[0].address = "127.0.0.1";
    through.servers[0].port = proxy.port();
    return NewBaremetalHostProvider(TestRuntime(), through);
  }

  // Of a job, in a thread; it is there once this returns.
  std::jthread RunForJob(HostProvider& provider, const std::string& seconds, const Call& call) {
    const std::string script = "trap '' HUP TERM; sleep " + seconds + " & wait; wait";
    std::jthread caller([this, &provider, script, call] {
      const auto code =
          provider.As<HostExec>()->Run(call, OfJob({"sh", "-c", script}), [](std::string_view) {});
      EXPECT_FALSE(code) << "it was to be given up";
    });
    const Call watched = Soon();
    while (Output({"ps"}).find("sleep " + seconds) == std::string::npos && !watched.Expired()) {
    }
    return caller;
  }
  ExecRequest OfJob(std::vector<std::string> command) const {
    return {.host = unit_.host,
            .unit = unit_.name,
            .command = std::move(command),
            .env = {{"A4C_JOB", "job-1"}},
            .working_dir = {}};
  }

  // Whether a process with this in its command line is left in the unit; asked for a while.
  bool IsGone(const std::string& word) {
    for (const Call call = Soon(); !call.Expired();) {
      if (Output({"ps"}).find(word) == std::string::npos) return true;
    }
    return false;
  }
};

// The byte at that place of a stream that repeats only after long.
char ByteAt(int64_t at) {
  return static_cast<char>((at * 2'654'435'761) >> 7);
}

TEST_F(ServerStreams, AHundredMegabytesComeBackAsTheyWereAndFewAreOnTheWayAtATime) {
  constexpr int64_t kBytes = 100'000'000;
  const auto cat = Open(*provider_, {"cat"});
  ASSERT_NE(cat, nullptr);
  int64_t most = 0;  // on the way: whoever does not read lets the other side wait
  int64_t sent = 0;
  int64_t got = 0;
  int64_t wrong = 0;
  bool input_ended = false;
  std::string unsent;
  const Call call = Soon(280'000);
  while (!call.Expired()) {
    if (unsent.empty() && sent < kBytes) {
      for (int64_t end = std::min(sent + 65'536, kBytes); sent < end; ++sent)
        unsent += ByteAt(sent);
    }
    size_t taken = 0;
    if (!unsent.empty()) {
      const auto written = cat->Write(call, unsent);
      ASSERT_TRUE(written) << written.error().ToString();
      taken = *written;
      unsent.erase(0, taken);
    } else if (!input_ended) {
      const auto ended = cat->EndInput(call);
      ASSERT_TRUE(ended) << ended.error().ToString();
      input_ended = *ended;
    }
    const auto piece = cat->Read(call);
    ASSERT_TRUE(piece) << piece.error().ToString();
    if (piece->from == From::kEnd) break;
    for (const char byte : piece->bytes) wrong += byte == ByteAt(got++) ? 0 : 1;
    if (piece->from == From::kNothing && taken == 0) Rest(*cat, !unsent.empty() || !input_ended);
    most = std::max(most, sent - got);
  }
  EXPECT_EQ(got, kBytes);
  EXPECT_EQ(wrong, 0);
  const auto code = cat->Exit(Soon());
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_EQ(*code, 0);
  EXPECT_LT(most, 32 << 20);
}

TEST_F(ServerStreams, ATerminalHasASizeThatChangesAndKeysThatActOnIt) {
  const auto shell = Open(*provider_, {"sh"}, TerminalSize{31, 77});
  ASSERT_NE(shell, nullptr);
  std::string output;
  Type(*shell, "stty size\n");
  EXPECT_TRUE(ReadUntil(*shell, "31 77", output)) << output;
  ASSERT_TRUE(shell->Resize(Soon(), {40, 99}));
  Type(*shell, "stty size\n");
  EXPECT_TRUE(ReadUntil(*shell, "40 99", output)) << output;
  // Said by what is in the foreground then: keys that are typed before act on the shell.
  Type(*shell, "sh -c \"echo it sl''eeps; exec sleep 1000\"\n");
  EXPECT_TRUE(ReadUntil(*shell, "it sleeps", output)) << output;
  Type(*shell, "\x03");
  Type(*shell, "echo still $((40 + 2))\n");
  EXPECT_TRUE(ReadUntil(*shell, "still 42", output)) << output;
  Type(*shell, "exit 9\n");
  while (ReadUntil(*shell, "never said", output)) {
  }
  const auto code = shell->Exit(Soon());
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_EQ(*code, 9);
}

TEST_F(ServerStreams, WhoseUserGoesIsEndedWithAllThatItStarted) {
  for (const bool terminal : {false, true}) {
    auto command =
        Open(*provider_, {"sh", "-c", "trap '' HUP TERM; sleep 4321 & echo begun; wait; wait"},
             terminal ? std::optional(TerminalSize{}) : std::nullopt);
    ASSERT_NE(command, nullptr);
    std::string output;
    ASSERT_TRUE(ReadUntil(*command, "begun", output)) << output;
    ASSERT_NE(Output({"ps"}).find("sleep 4321"), std::string::npos);
    command.reset();
    EXPECT_TRUE(IsGone("4321"));
  }
  EXPECT_NE(Output({"ps"}).find("sleep 600"), std::string::npos) << "the unit itself runs on";
}

TEST_F(ServerStreams, AConnectionThatIsCutIsToldAndItsCommandEnded) {
  CuttingProxy proxy(TestRuntime().threads, options_.servers[0].address, options_.servers[0].port);
  const auto provider = Through(proxy);
  auto command = Open(*provider, {"sh", "-c", "echo begun; sleep 5432; true"});
  ASSERT_NE(command, nullptr);
  std::string output;
  ASSERT_TRUE(ReadUntil(*command, "begun", output)) << output;
  proxy.CutAfter(0);
  ASSERT_TRUE(command->Write(Soon(), "x"));
  Result<StreamPiece> piece = StreamPiece{};
  for (const Call call = Soon(); piece && !call.Expired(); piece = command->Read(call)) {
    ASSERT_NE(piece->from, From::kEnd);
    if (const auto wait = command->WaitFor(call, true, false)) {
      pollfd entry{wait->fd, wait->events, 0};
      poll(&entry, 1, 1'000);
    }
  }
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().code(), Code::kUnavailable) << piece.error().ToString();
  EXPECT_NE(Output({"ps"}).find("sleep 5432"), std::string::npos) << "dockerd leaves it alone";
  proxy.Heal();
  command.reset();
  EXPECT_TRUE(IsGone("5432"));
}

TEST_F(ServerStreams, ACommandOfAJobThatIsGivenUpIsEnded) {
  std::stop_source stop;
  Call call = Soon();
  call.stop = stop.get_token();
  {
    const std::jthread caller = RunForJob(*provider_, "6543", call);
    stop.request_stop();
  }
  EXPECT_TRUE(IsGone("sleep 6543"));
  EXPECT_NE(Output({"ps"}).find("sleep 600"), std::string::npos) << "the unit itself runs on";
}

// Its a4cd was cut off, and could tell nobody.
TEST_F(ServerStreams, AnAttemptThatStillRunsIsGoneBeforeTheNextBegins) {
  CuttingProxy proxy(TestRuntime().threads, options_.servers[0].address, options_.servers[0].port);
  const auto provider = Through(proxy);
  {
    const std::jthread caller = RunForJob(*provider, "7654", Soon());
    proxy.CutAfter(0);
  }
  ASSERT_NE(Output({"ps"}).find("sleep 7654"), std::string::npos) << "dockerd leaves it alone";
  std::string seen;
  const auto code = provider_->As<HostExec>()->Run(Soon(), OfJob({"ps"}),
                                                   [&](std::string_view bytes) { seen += bytes; });
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_EQ(seen.find("sleep 7654"), std::string::npos) << seen;
  EXPECT_NE(seen.find("sleep 600"), std::string::npos) << seen;
}

TEST_F(ServerStreams, APortOfAUnitInANetworkIsReached) {
  BaremetalOptions in_network = options_;
  in_network.unit.network = "bridge";
  const auto provider = NewBaremetalHostProvider(TestRuntime(), in_network);
  auto* streams = provider->As<HostStreams>();
  Unit unit = unit_;
  unit.name = Word("unit");
  unit.spec.command = {"nc", "-ll", "-p", "8080", "-e", "cat"};
  const auto status = provider->Ensure(Soon(), unit);
  ASSERT_TRUE(status) << status.error().ToString();
  auto port = streams->OpenPort(Soon(), unit.host, unit.name, 8080);
  for (const Call call = Soon(); !port && !call.Expired();) {  // until it listens
    ASSERT_EQ(port.error().code(), Code::kUnavailable) << port.error().ToString();
    port = streams->OpenPort(Soon(), unit.host, unit.name, 8080);
  }
  ASSERT_TRUE(port) << port.error().ToString();
  std::string output;
  Type(**port, "through the tunnel\n");
  EXPECT_TRUE(ReadUntil(**port, "through the tunnel\n", output)) << output;
  const auto ended = (*port)->EndInput(Soon());
  EXPECT_TRUE(ended && *ended);
  EXPECT_FALSE(ReadUntil(**port, "never said", output));
  const auto none = streams->OpenPort(Soon(), unit.host, unit.name, 8081);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kUnavailable) << none.error().ToString();
  EXPECT_TRUE(provider->Remove(Soon(), unit.host, unit.name, 1'000'000));
}

// Two sessions are kept that have died, as all have after a restart of sshd.
TEST_F(ServerStreams, APortIsOpenedAlsoWhenKeptSessionsHaveDied) {
  CuttingProxy proxy(TestRuntime().threads, options_.servers[0].address, options_.servers[0].port);
  ServerOptions server = options_.servers[0];
  server.address = "127.0.0.1";
  server.port = proxy.port();
  DockerServer through(TestRuntime(), server, options_);
  const int sshd = options_.servers[0].port;
  {
    const auto one = through.OpenPort(Soon(), options_.servers[0].address, sshd);
    const auto two = through.OpenPort(Soon(), options_.servers[0].address, sshd);
    ASSERT_TRUE(one && two);
  }
  auto watch = ConnectTcp(Soon(), "127.0.0.1", proxy.port(), 15'000);
  ASSERT_TRUE(watch) << watch.error().ToString();
  const auto watched = NewSocketChannel(*std::move(watch));
  char piece[64];
  ASSERT_TRUE(watched->Read(Soon(), piece, sizeof(piece)));  // so the proxy has it too
  proxy.BreakOnce();
  for (size_t count = 1; count > 0;) {
    const auto read = watched->Read(Soon(), piece, sizeof(piece));
    count = read ? *read : 0;
  }
  const auto again = through.OpenPort(Soon(), options_.servers[0].address, sshd);
  EXPECT_TRUE(again) << again.error().ToString();
}

}  // namespace
}  // namespace a4c::baremetal
