#include "a4c/host_extensions.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderExec : public HostTest {
 protected:
  Result<int> Run(const Unit& unit, std::vector<std::string> command, int64_t timeout_ms = 30'000) {
    output_.clear();
    const ExecRequest request{.host = unit.host,
                              .unit = unit.name,
                              .command = std::move(command),
                              .env = {{"GREETING", "hello"}}};
    return provider().As<HostExec>()->Run(Within(timeout_ms), request,
                                          [&](std::string_view piece) { output_ += piece; });
  }

  std::string output_;
};

TEST_F(HostProviderExec, TheExtensionIsThereUnlessAbsent) {
  EXPECT_EQ(provider().As<HostExec>() == nullptr, Absent("exec"));
}

TEST_F(HostProviderExec, GivesOutputAndExitCode) {
  if (Absent("exec")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  const auto code = Run(unit, {"sh", "-c", "echo $GREETING; exit 7"});
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_EQ(*code, 7);
  EXPECT_EQ(output_, "hello\n");
  const auto zero = Run(unit, {"true"});
  ASSERT_TRUE(zero) << zero.error().ToString();
  EXPECT_EQ(*zero, 0);
  EXPECT_EQ(output_, "");
}

TEST_F(HostProviderExec, HandsOnMuchOutputWhole) {
  if (Absent("exec")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  const auto code = Run(unit, {"seq", "1", "20000"});
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_EQ(output_.size(), 108'894u);
  EXPECT_TRUE(output_.ends_with("19999\n20000\n"));
}

TEST_F(HostProviderExec, ArgumentsAreNotReadByAShell) {
  if (Absent("exec")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  const auto code = Run(unit, {"echo", "a b", "$(false);", "\"q\"", "'"});
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_EQ(output_, "a b $(false); \"q\" '\n");
}

TEST_F(HostProviderExec, AProgramThatIsNotThereIsCode126Or127) {
  if (Absent("exec")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  const auto code = Run(unit, {"/a4c/no/such/program"});
  ASSERT_TRUE(code) << code.error().ToString();
  EXPECT_TRUE(*code == 126 || *code == 127) << *code;
}

TEST_F(HostProviderExec, AUnitThatIsNotThereOrNotRunningIsRefused) {
  if (Absent("exec")) return;
  const auto missing = Run(NewUnit(), {"true"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kNotFound) << missing.error().ToString();
  Unit created = NewUnit();
  created.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(Ensure(created));
  const auto stopped = Run(created, {"true"});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), Code::kConflict) << stopped.error().ToString();
}

TEST_F(HostProviderExec, AnEmptyCommandIsRefused) {
  if (Absent("exec")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  const auto code = Run(unit, {});
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code(), Code::kInvalid) << code.error().ToString();
}

TEST_F(HostProviderExec, PastTheDeadlineTheOutcomeIsUnknown) {
  if (Absent("exec")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  const auto code = Run(unit, {"sh", "-c", "echo begun; sleep 30"}, 3'000);
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code(), Code::kUnknownOutcome) << code.error().ToString();
  EXPECT_EQ(output_, "begun\n");
}

}  // namespace
}  // namespace a4c::conformance
