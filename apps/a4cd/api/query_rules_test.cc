#include "apps/a4cd/api/query_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace a4cd {
namespace {

a4c::Result<void> Check(const char* path, const NameValues& query) {
  Request request;
  request.query = query;
  return CheckQuery(*MatchRoute(Routes(), "GET", path).route, request);
}

TEST(QueryRules, TakeWhatTheRouteHas) {
  EXPECT_TRUE(Check("/v1/jobs", {{"q", "x"}, {"limit", "5"}, {"highlight", "true"}}));
  EXPECT_TRUE(Check("/v1/jobs", {{"token", "a"}, {"token", "b"}, {"require_fresh", ""}}));
  EXPECT_TRUE(Check("/v1/hosts", {}));
}

TEST(QueryRules, RefuseANameThatTheRouteDoesNotHaveAndSayWhatWasMeant) {
  const auto misspelt = Check("/v1/jobs", {{"q", "x"}, {"limitt", "5"}});
  ASSERT_FALSE(misspelt);
  EXPECT_EQ(misspelt.error().code(), a4c::Code::kInvalid);
  EXPECT_EQ(misspelt.error().message(), "there is no query parameter limitt here");
  EXPECT_EQ(misspelt.error().hint(), "did you mean limit?");
  const auto far = Check("/v1/audit", {{"a-name-that-nobody-has", "5"}});
  ASSERT_FALSE(far);
  EXPECT_TRUE(far.error().hint().starts_with("there are: limit, cursor, ")) << far.error().hint();
  const auto none = Check("/v1/hosts/a", {{"limit", "5"}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().hint(), "this request has none");
}

TEST(QueryRules, RefuseTwoAnswersToOneQuestion) {
  EXPECT_FALSE(Check("/v1/jobs", {{"limit", "5"}, {"limit", "6"}}));
}

TEST(QueryRules, RefuseAFlagThatIsNeitherTrueNorFalse) {
  EXPECT_TRUE(Check("/v1/jobs", {{"highlight", "false"}}));
  const auto yes = Check("/v1/jobs", {{"highlight", "yes"}});
  ASSERT_FALSE(yes);
  EXPECT_EQ(yes.error().message(), "highlight is true or false");
}

TEST(QueryRules, LeaveProbesAlone) {
  EXPECT_TRUE(Check("/livez", {{"anything", "5"}}));
}

TEST(Flag, IsTrueWithoutAValue) {
  Request request;
  EXPECT_FALSE(Flag(request, "follow"));
  request.query = {{"follow", ""}, {"highlight", "false"}};
  EXPECT_TRUE(Flag(request, "follow"));
  EXPECT_FALSE(Flag(request, "highlight"));
}

}  // namespace
}  // namespace a4cd
