#include "a4c/scan_rules.h"
#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreScanRefusals : public StoreSuite {
 protected:
  // "" if the scan was answered.
  std::string Refusal(const ScanRequest& request) {
    const Result<ScanAnswer> answer = store().Scan(Within(), request);
    if (answer) return "";
    EXPECT_FALSE(answer.error().message().empty());
    return std::string(CodeName(answer.error().code()));
  }
};

TEST_F(StoreScanRefusals, WhatDoesNotExistIsInvalid) {
  EXPECT_EQ(Refusal({.kind = "unheard_of"}), "invalid");
  EXPECT_EQ(Refusal(ByScoped("unheard_of")), "invalid");
}

TEST_F(StoreScanRefusals, WhatDoesNotFitIsInvalid) {
  EXPECT_EQ(Refusal(By("by_state")), "invalid") << "a scoped index needs a scope";
  EXPECT_EQ(Refusal(ByScoped("by_due")), "invalid") << "an unscoped one has none";
  ScanRequest request = By("by_due");
  request.prefix = {"text"};
  EXPECT_EQ(Refusal(request), "invalid");
  request.prefix = {int64_t{1}, int64_t{2}};
  EXPECT_EQ(Refusal(request), "invalid");
  request.prefix = {};
  request.upper = 1.5;
  EXPECT_EQ(Refusal(request), "invalid");
  request.upper = int64_t{1};
  EXPECT_EQ(Refusal(request), "");
  request.prefix = {int64_t{1}};
  EXPECT_EQ(Refusal(request), "invalid") << "there is nothing left to bound";
}

TEST_F(StoreScanRefusals, LimitsAreFromOneToTenThousand) {
  for (const int limit : {1, 10'000}) {
    EXPECT_EQ(Refusal({.kind = kind(), .limit = limit}), "") << limit;
  }
  for (const int limit : {0, -1, 10'001}) {
    EXPECT_EQ(Refusal({.kind = kind(), .limit = limit}), "invalid") << limit;
  }
}

TEST_F(StoreScanRefusals, ForeignAndDamagedCursorsAreInvalid) {
  for (int i = 0; i < 3; ++i) {
    Create("a" + std::to_string(i), R"({"state":"x","due":1,"size":)" + std::to_string(i) + "}");
  }
  ScanRequest request = ByScoped("by_state");
  request.prefix = {"x"};
  request.limit = 1;
  const std::string cursor = Page(request).next;
  ASSERT_NE(cursor, "");
  request.after = cursor;
  EXPECT_EQ(Refusal(request), "");
  for (const std::string& wrong :
       {cursor.substr(1), cursor.substr(0, cursor.size() / 2), cursor + "x" + cursor,
        std::string("'; drop table --"), std::string("\0\xff", 2), std::string(100'000, 'A')}) {
    request.after = wrong;
    EXPECT_EQ(Refusal(request), "invalid");
  }
  const auto foreign = [&](ScanRequest other) {
    other.after = cursor;
    return Refusal(other);
  };
  ScanRequest other = request;
  other.prefix = {"y"};
  EXPECT_EQ(foreign(other), "invalid");
  other = request;
  other.scope = "s";
  EXPECT_EQ(foreign(other), "invalid");
  other = request;
  other.descending = true;
  EXPECT_EQ(foreign(other), "invalid");
  EXPECT_EQ(foreign(By("by_size")), "invalid");
  EXPECT_EQ(foreign({.kind = kind()}), "invalid");
}

// Whoever has seen a cursor can make others.
TEST_F(StoreScanRefusals, ACursorLeadsToNothingButItsRequest) {
  Create("ours", R"({"state":"x","due":1})");
  Create("theirs", R"({"state":"x","due":2})", {}, "s");
  ScanRequest request = ByScoped("by_state");
  request.prefix = {"x"};
  const ScanPosition outside[] = {{{"x", int64_t{1}}, {"s", "a"}}, {{"w", int64_t{1}}, {"", "a"}}};
  for (const bool descending : {false, true}) {
    request.descending = descending;
    for (const ScanPosition& position : outside) {
      request.after = ScanCursor(request, position);
      EXPECT_EQ(Refusal(request), "invalid");
    }
  }
}

}  // namespace
}  // namespace a4c::conformance
