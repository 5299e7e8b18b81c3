#include <poll.h>

#include <algorithm>

#include "a4c/host_streams.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

using From = StreamPiece::From;

class HostProviderStreams : public HostTest {
 protected:
  Result<std::unique_ptr<HostCommand>> Open(const Unit& unit, std::vector<std::string> command,
                                            std::optional<TerminalSize> terminal = {}) {
    return provider().As<HostStreams>()->OpenCommand(Within(30'000),
                                                     {.exec = {.host = unit.host,
                                                               .unit = unit.name,
                                                               .command = std::move(command),
                                                               .env = {{"GREETING", "hello"}}},
                                                      .terminal = terminal});
  }

  // Until the stream says that it wants to go on, at most as long as it says.
  static void Rest(HostStream& stream, bool writing) {
    const Call call = Within(60'000);
    const auto wait = stream.WaitFor(call, true, writing);
    ASSERT_TRUE(wait) << wait.error().ToString();
    const int64_t until_ms = std::min(wait->until_ms, call.clock.MonotonicMs() + 1'000);
    pollfd entry{wait->fd, wait->events, 0};
    poll(&entry, 1, static_cast<int>(std::max<int64_t>(0, until_ms - call.clock.MonotonicMs())));
  }

  // Writes the input, then its end, and reads to the end; the exit code.
  Result<int> Converse(HostCommand& command, std::string_view input, bool end_input = true) {
    output_.clear();
    errors_.clear();
    const Call call = Within(60'000);
    while (!call.Expired()) {
      A4C_TRY(StreamPiece piece, command.Read(call));
      if (piece.from == From::kEnd) return command.Exit(call);
      (piece.from == From::kErrors ? errors_ : output_) += piece.bytes;
      size_t taken = 0;
      if (!input.empty()) {
        A4C_TRY(taken, command.Write(call, input));
        input.remove_prefix(taken);
      } else if (end_input) {
        A4C_TRY(const bool ended, command.EndInput(call));
        end_input = !ended;
      }
      if (piece.from == From::kNothing && taken == 0) Rest(command, !input.empty() || end_input);
    }
    return Error(Code::kTimeout, "the command did not end");
  }

  std::string output_;
  std::string errors_;
};

TEST_F(HostProviderStreams, TheExtensionIsThereUnlessAbsent) {
  EXPECT_EQ(provider().As<HostStreams>() == nullptr, Absent("streams"));
}

TEST_F(HostProviderStreams, InputReachesTheCommandAndItsEndEndsIt) {
  if (Absent("streams")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  auto cat = Open(unit, {"cat"});
  ASSERT_TRUE(cat) << cat.error().ToString();
  std::string input;
  for (int i = 0; input.size() < 3'000'000; ++i) input += std::to_string(i) + '\0' + "\xff\n";
  const auto code = Converse(**cat, input);
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_EQ(*code, 0);
  EXPECT_TRUE(output_ == input) << output_.size() << " of " << input.size() << " bytes";
}

TEST_F(HostProviderStreams, OutputAndErrorsAreApartAndTheExitCodeIsTold) {
  if (Absent("streams")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  auto command = Open(unit, {"sh", "-c", "echo $GREETING; echo wrong >&2; exit 7"});
  ASSERT_TRUE(command) << command.error().ToString();
  const auto code = Converse(**command, "");
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_EQ(*code, 7);
  EXPECT_EQ(output_, "hello\n");
  EXPECT_EQ(errors_, "wrong\n");
}

TEST_F(HostProviderStreams, ATerminalHasTheSizeThatItWasGiven) {
  if (Absent("streams")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  // Some engines learn the size only once the command runs.
  auto command = Open(unit, {"sh", "-c", "sleep 1; stty size"}, TerminalSize{31, 77});
  ASSERT_TRUE(command) << command.error().ToString();
  const auto code = Converse(**command, "", false);
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_EQ(*code, 0);
  EXPECT_TRUE(output_.starts_with("31 77")) << output_;
}

TEST_F(HostProviderStreams, WithoutATerminalThereIsNoSizeAndWithOneNoEndOfInput) {
  if (Absent("streams")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  auto plain = Open(unit, {"cat"});
  ASSERT_TRUE(plain) << plain.error().ToString();
  EXPECT_EQ((*plain)->Resize(Within(10'000), {}).error().code(), Code::kUnsupported);
  auto terminal = Open(unit, {"cat"}, TerminalSize{});
  ASSERT_TRUE(terminal) << terminal.error().ToString();
  EXPECT_EQ((*terminal)->EndInput(Within(10'000)).error().code(), Code::kUnsupported);
  const auto code = Converse(**terminal, "typed\n\x04", false);
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_EQ(*code, 0);
  EXPECT_NE(output_.find("typed"), std::string::npos) << output_;
}

TEST_F(HostProviderStreams, AProgramThatIsNotThereIsCode126Or127) {
  if (Absent("streams")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  for (const auto& terminal : {std::optional<TerminalSize>(), std::optional(TerminalSize{})}) {
    auto command = Open(unit, {"/a4c/no/such/program"}, terminal);
    ASSERT_TRUE(command) << command.error().ToString();
    const auto code = Converse(**command, "", !terminal);
    ASSERT_TRUE(code) << code.error().ToString();
    EXPECT_TRUE(*code == 126 || *code == 127) << *code;
  }
}

TEST_F(HostProviderStreams, AUnitThatIsNotThereOrNotRunningIsRefused) {
  if (Absent("streams")) return;
  const auto missing = Open(NewUnit(), {"true"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kNotFound) << missing.error().ToString();
  Unit created = NewUnit();
  created.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(Ensure(created));
  const auto stopped = Open(created, {"true"});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), Code::kConflict) << stopped.error().ToString();
  const auto empty = Open(created, {});
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code(), Code::kInvalid) << empty.error().ToString();
}

TEST_F(HostProviderStreams, AStoppedUnitEndsItsCommands) {
  if (Absent("streams")) return;
  Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  auto command = Open(unit, {"cat"});
  ASSERT_TRUE(command) << command.error().ToString();
  unit.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(Ensure(unit));
  const auto code = Converse(**command, "", false);
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_NE(*code, 0);
}

TEST_F(HostProviderStreams, APortNobodyListensOnIsUnavailableOrPortsAreUnsupported) {
  if (Absent("streams")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  const auto port = provider().As<HostStreams>()->OpenPort(Within(30'000), unit.host, unit.name, 9);
  ASSERT_FALSE(port);
  EXPECT_TRUE(port.error().code() == Code::kUnavailable ||
              port.error().code() == Code::kUnsupported)
      << port.error().ToString();
}

}  // namespace
}  // namespace a4c::conformance
