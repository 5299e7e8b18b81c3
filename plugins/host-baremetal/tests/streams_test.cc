// HostStreams over a dockerd that is only pretended: what is asked of it, and what becomes of its
// answers.
#include <poll.h>

#include "a4c/host_streams.h"
#include "tests/engine_fixture.h"

namespace a4c::baremetal {
namespace {

using From = StreamPiece::From;

class EngineStreams : public EngineTest {
 protected:
  Result<std::unique_ptr<HostCommand>> Open(std::optional<TerminalSize> terminal = {}) {
    return provider_->As<HostStreams>()->OpenCommand(
        Soon(), {.exec = {.host = "one", .unit = "unit-1", .command = {"sh", "-c", "x"}},
                 .terminal = terminal});
  }

  // Reads to the end, or until it fails.
  static Result<void> ReadAll(HostStream& stream, std::string& output, std::string& errors) {
    const Call call = Soon();
    while (!call.Expired()) {
      A4C_TRY(const StreamPiece piece, stream.Read(call));
      if (piece.from == From::kEnd) return {};
      (piece.from == From::kErrors ? errors : output) += piece.bytes;
    }
    return Error(Code::kTimeout, "no end");
  }
};

std::string Frame(char stream, const std::string& bytes) {
  return std::string({stream, 0, 0, 0, 0, 0, static_cast<char>(bytes.size() >> 8),
                      static_cast<char>(bytes.size())}) +
         bytes;
}

TEST_F(EngineStreams, FramesBecomeOutputAndErrorsAndTheExitCodeIsAsked) {
  engine_.SetStream(Frame(1, "out") + Frame(2, "wrong") + Frame(1, " more"), true);
  engine_.SetExitCode(3);
  auto command = Open();
  ASSERT_TRUE(command) << command.error().ToString();
  std::string output;
  std::string errors;
  const auto read = ReadAll(**command, output, errors);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(output, "out more");
  EXPECT_EQ(errors, "wrong");
  const auto code = (*command)->Exit(Soon());
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_EQ(*code, 3);
  EXPECT_NE(engine_.Heard().find("Upgrade: tcp"), std::string::npos);
  EXPECT_NE(engine_.Heard().find(R"("AttachStdin":true)"), std::string::npos);
  EXPECT_NE(engine_.Heard().find("A4C_STREAM="), std::string::npos);
}

// A file by sftp stood still until the next sign of life: the SSH connection had taken in the rest
// of a frame, and no event told of it.
TEST_F(EngineStreams, AFrameThatHasComeIsGivenHoweverManyReadsItTakes) {
  const std::string bytes(60'000, 'x');
  engine_.SetStream(Frame(1, bytes), true);
  auto command = Open();
  ASSERT_TRUE(command) << command.error().ToString();
  const auto wait = (*command)->WaitFor(Soon(), true, false);
  ASSERT_TRUE(wait) << wait.error().ToString();
  pollfd all{wait->fd, POLLRDHUP, 0};
  ASSERT_EQ(poll(&all, 1, 60'000), 1);
  const auto piece = (*command)->Read(Soon());
  ASSERT_TRUE(piece) << piece.error().ToString();
  EXPECT_EQ(piece->bytes.size(), bytes.size());
}

TEST_F(EngineStreams, ATerminalIsOneStreamAndIsGivenItsSize) {
  engine_.SetStream("\x01 raw \x02", true);
  auto command = Open(TerminalSize{31, 77});
  ASSERT_TRUE(command) << command.error().ToString();
  std::string output;
  std::string errors;
  ASSERT_TRUE(ReadAll(**command, output, errors));
  EXPECT_EQ(output, "\x01 raw \x02");
  EXPECT_NE(engine_.Heard().find("/exec/exec-1/resize?h=31&w=77"), std::string::npos);
  EXPECT_NE(engine_.Heard().find(R"("Tty":true)"), std::string::npos);
}

TEST_F(EngineStreams, AConnectionThatBreaksWithinAFrameIsNoEnd) {
  engine_.SetStream(Frame(1, "begun").substr(0, 10), true);
  auto command = Open();
  ASSERT_TRUE(command) << command.error().ToString();
  std::string output;
  std::string errors;
  const auto read = ReadAll(**command, output, errors);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Code::kUnavailable) << read.error().ToString();
}

TEST_F(EngineStreams, OneWhoseUserGoesIsEndedByItsMark) {
  engine_.SetStream(Frame(1, "runs"), false);
  auto command = Open();
  ASSERT_TRUE(command) << command.error().ToString();
  const std::string heard = engine_.Heard();
  const size_t at = heard.find("A4C_STREAM=");
  const std::string mark = heard.substr(at, 11 + 32);
  command->reset();
  const std::string later = engine_.Heard().substr(heard.size());
  EXPECT_NE(later.find("/bin/sh"), std::string::npos) << later;
  EXPECT_NE(later.find("\"" + mark + "\""), std::string::npos) << later;
  EXPECT_NE(later.find(R"({"Detach":true})"), std::string::npos) << later;
}

TEST_F(EngineStreams, OneMoreThanMayBeIsExhaustedAndWaitsForNobody) {
  engine_.SetStream("", false);
  auto first = Open();
  auto second = Open();
  ASSERT_TRUE(first && second);
  const auto third = Open();
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code(), Code::kExhausted) << third.error().ToString();
}

TEST_F(EngineStreams, AUnitWithoutANetworkHasNoPorts) {
  const auto port = provider_->As<HostStreams>()->OpenPort(Soon(), "one", "unit-1", 80);
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().code(), Code::kUnsupported) << port.error().ToString();
  EXPECT_NE(port.error().hint().find("network"), std::string::npos);
}

}  // namespace
}  // namespace a4c::baremetal
