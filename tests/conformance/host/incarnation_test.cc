#include "a4c/host_extensions.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

constexpr const char* kFirst = "firsttoken000000";
constexpr const char* kSecond = "secondtoken00000";
constexpr const char* kThird = "thirdtoken000000";
constexpr const char* kOther = "anothertoken0000";

// Every test leaves the server without a token, so that the others are asked for none.
class HostProviderIncarnation : public HostTest {
 protected:
  void TearDown() override {
    if (!Lacks("incarnation_check")) {
      EXPECT_TRUE(tokens().Adopt(Within(), host(), ""));
    }
    HostTest::TearDown();
  }
  HostIncarnation& tokens() { return *provider().As<HostIncarnation>(); }
  Result<void> Present(const char* current, const char* next) {
    return tokens().Present(Within(), host(), current, next);
  }
  void ExpectDenied(const Result<void>& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Code::kDenied) << result.error().ToString();
  }
};

TEST_F(HostProviderIncarnation, WithoutTheCapabilityItIsRefused) {
  if (!Lacks("incarnation_check")) return;
  auto* extension = provider().As<HostIncarnation>();
  if (extension == nullptr) return;
  const auto presented = extension->Present(Within(), host(), kFirst, kSecond);
  ASSERT_FALSE(presented);
  EXPECT_EQ(presented.error().code(), Code::kUnsupported) << presented.error().ToString();
}

TEST_F(HostProviderIncarnation, TokensAreRotatedAndEachStepMayBeRepeated) {
  if (Lacks("incarnation_check")) return;
  ASSERT_TRUE(tokens().Adopt(Within(), host(), kFirst));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Present(kFirst, kSecond));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Present(kSecond, kThird));
  EXPECT_TRUE(Ensure(NewUnit()));
}

TEST_F(HostProviderIncarnation, AStoreThatWentBackIsDeniedAndChangesNothing) {
  if (Lacks("incarnation_check")) return;
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  ASSERT_TRUE(tokens().Adopt(Within(), host(), kFirst));
  ASSERT_TRUE(Present(kFirst, kSecond));
  ASSERT_TRUE(Present(kSecond, kThird));
  ExpectDenied(Present(kFirst, kSecond));
  ExpectDenied(Present(kFirst, kOther));
  ExpectDenied(Remove(unit, 1'000'000));
  const auto ensured = Ensure(NewUnit());
  ASSERT_FALSE(ensured);
  EXPECT_EQ(ensured.error().code(), Code::kDenied) << ensured.error().ToString();
  const auto listed = Listed(unit);
  ASSERT_TRUE(listed) << "what is there can still be seen";
  EXPECT_EQ(listed->state, UnitState::kRunning);
}

TEST_F(HostProviderIncarnation, OfTwoThatWentOnFromOneTokenTheSecondIsDenied) {
  if (Lacks("incarnation_check")) return;
  ASSERT_TRUE(tokens().Adopt(Within(), host(), kFirst));
  ASSERT_TRUE(Present(kFirst, kSecond));
  ExpectDenied(Present(kFirst, kOther));
  EXPECT_TRUE(Present(kFirst, kSecond)) << "the first of them goes on";
  EXPECT_TRUE(Ensure(NewUnit()));
}

TEST_F(HostProviderIncarnation, AdoptingAgainIsTheWayBack) {
  if (Lacks("incarnation_check")) return;
  ASSERT_TRUE(tokens().Adopt(Within(), host(), kFirst));
  ExpectDenied(Present(kOther, kSecond));
  ASSERT_TRUE(tokens().Adopt(Within(), host(), kOther));
  EXPECT_TRUE(Present(kOther, kSecond));
  EXPECT_TRUE(Ensure(NewUnit()));
}

TEST_F(HostProviderIncarnation, TokensOutOfFormAreInvalid) {
  if (Lacks("incarnation_check")) return;
  for (const char* token : {"short", "has spaces in it 0", "quote\"0000000000000"}) {
    const auto adopted = tokens().Adopt(Within(), host(), token);
    ASSERT_FALSE(adopted) << token;
    EXPECT_EQ(adopted.error().code(), Code::kInvalid) << adopted.error().ToString();
  }
}

}  // namespace
}  // namespace a4c::conformance
