// A call that is bound to scopes reads and writes nothing else, whatever key it names.
#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreScopes : public StoreSuite {
 protected:
  void SetUp() override {
    StoreSuite::SetUp();
    for (const char* scope : {"mine", "theirs"}) {
      Create("a", R"({"name":"x","due":1,"state":"s"})", {}, scope);
    }
  }

  Call Bound() const {
    Call call = Within();
    call.scopes = &mine_;
    return call;
  }
  std::string ApplyBound(std::vector<Op> ops) {
    const WriteBatch batch{std::move(ops)};
    const auto answer = store().Apply(Bound(), {&batch, 1});
    return answer ? Told(answer->results.at(0)) : std::string(CodeName(answer.error().code()));
  }
  std::string GetBound(const std::vector<RecordRef>& refs) {
    const auto answer = store().Get(Bound(), refs);
    if (!answer) return std::string(CodeName(answer.error().code()));
    return std::to_string(answer->records.size());
  }
  std::string ScanBound(const ScanRequest& request) {
    const auto answer = store().Scan(Bound(), request);
    if (!answer) return std::string(CodeName(answer.error().code()));
    return std::to_string(answer->records.size());
  }

 private:
  const ScopeSet mine_ = {"mine", "mine too"};
};

TEST_F(StoreScopes, ItsOwnAreReadAndWrittenAsByAnybody) {
  EXPECT_EQ(ApplyBound({Put{.ref = Ref("a", "mine"), .body = "{}", .expect = Expect::Rev(1)},
                        Put{.ref = Ref("b", "mine too"), .body = "{}"}}),
            "applied 2 1");
  EXPECT_EQ(GetBound({Ref("a", "mine"), Ref("b", "mine too")}), "2");
  EXPECT_EQ(ScanBound({.kind = kind(), .scope = "mine"}), "1");
  EXPECT_EQ(ScanBound({.kind = kind(), .index = "by_name", .scope = "mine too"}), "0");
}

TEST_F(StoreScopes, ABatchThatNamesAnotherIsRefusedWhole) {
  const RecordRef theirs = Ref("a", "theirs");
  for (const Op& op : std::vector<Op>{Put{.ref = theirs, .body = "{}"},
                                      Put{.ref = theirs, .quiet = {{"count", int64_t{1}}}},
                                      Delete{.ref = theirs}, Check{.ref = theirs, .rev = 1}}) {
    EXPECT_EQ(ApplyBound({Put{.ref = Ref("a", "mine"), .body = "{}"}, op}),
              "invalid 1:invalid(scope)");
  }
  EXPECT_EQ(ApplyBound({Put{.ref = Ref("n", "mine"), .body = "{}", .expect = Expect::Absent()},
                        Add{.ref = theirs, .field = "count", .delta = 1}}),
            "invalid 1:invalid(scope)");
  EXPECT_EQ(Read("a", "mine")->rev, 1);
  EXPECT_EQ(Read("a", "theirs")->rev, 1);
  EXPECT_FALSE(Read("n", "mine").has_value());
}

TEST_F(StoreScopes, BatchesOfOneCallAreRefusedOneByOne) {
  const std::vector<WriteBatch> batches = {{{Put{.ref = Ref("b", "mine"), .body = "{}"}}},
                                           {{Put{.ref = Ref("b", "theirs"), .body = "{}"}}}};
  const auto answer = store().Apply(Bound(), batches);
  ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
  EXPECT_EQ(Told(answer->results.at(0)), "applied 1");
  EXPECT_EQ(Told(answer->results.at(1)), "invalid 0:invalid(scope)");
  EXPECT_NE(answer->results[1].failures.at(0).message.find("\"theirs\""), std::string::npos);
}

TEST_F(StoreScopes, ReadingAnotherIsDeniedByName) {
  EXPECT_EQ(GetBound({Ref("a", "mine"), Ref("a", "theirs")}), "denied");
  EXPECT_EQ(GetBound({Ref("nothing", "")}), "denied");
  EXPECT_EQ(ScanBound({.kind = kind(), .scope = "theirs"}), "denied");
  EXPECT_EQ(ScanBound({.kind = kind(), .index = "by_name", .scope = "theirs"}), "denied");
  const RecordRef theirs = Ref("a", "theirs");
  const auto answer = store().Get(Bound(), {&theirs, 1});
  ASSERT_FALSE(answer.has_value());
  EXPECT_NE(answer.error().message().find("\"theirs\""), std::string::npos);
}

TEST_F(StoreScopes, NothingIsScannedOverAllOfThem) {
  EXPECT_EQ(ScanBound({.kind = kind()}), "denied");
  EXPECT_EQ(ScanBound(By("by_due")), "denied");
}

}  // namespace
}  // namespace a4c::conformance
