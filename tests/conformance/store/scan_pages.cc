#include <atomic>
#include <map>

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreScanPages : public StoreSuite {
 protected:
  // x1 … x3 in state x with due 1 … 3, x0 without a due; y1 and y2 likewise.
  void CreateStates() {
    Create("x0", R"({"state":"x"})");
    for (const char* state : {"x", "y"}) {
      for (int due = 1; due <= (*state == 'x' ? 3 : 2); ++due) {
        Create(state + std::to_string(due),
               R"({"state":")" + std::string(state) + R"(","due":)" + std::to_string(due) + "}");
      }
    }
  }
  ScanRequest InState(const std::string& state, Scalar lower = {}, Scalar upper = {}) {
    ScanRequest request = ByScoped("by_state");
    request.prefix = {state};
    request.lower = std::move(lower);
    request.upper = std::move(upper);
    return request;
  }
  std::string Both(ScanRequest request) {
    std::string text = Ids(request, 1);
    request.descending = true;
    return text + " | " + Ids(request, 2);
  }
};

TEST_F(StoreScanPages, APrefixNarrows) {
  CreateStates();
  EXPECT_EQ(Both(InState("x")), "x0 x1 x2 x3 | x3 x2 x1 x0");
  EXPECT_EQ(Both(InState("y")), "y1 y2 | y2 y1");
  EXPECT_EQ(Both(InState("")), " | ");
  ScanRequest whole = InState("x");
  whole.prefix.push_back(int64_t{2});
  EXPECT_EQ(Both(whole), "x2 | x2");
}

TEST_F(StoreScanPages, BoundsTakeTheLowerAndLeaveTheUpper) {
  CreateStates();
  EXPECT_EQ(Both(InState("x", int64_t{1}, int64_t{3})), "x1 x2 | x2 x1");
  EXPECT_EQ(Both(InState("x", int64_t{2})), "x2 x3 | x3 x2");
  EXPECT_EQ(Both(InState("x", {}, int64_t{2})), "x1 | x1") << "what has no value lies in no range";
  EXPECT_EQ(Both(InState("x", int64_t{3}, int64_t{1})), " | ");
  EXPECT_EQ(Both(InState("x", int64_t{2}, int64_t{2})), " | ");
}

TEST_F(StoreScanPages, BoundsOnTheFirstField) {
  CreateStates();
  ScanRequest request = By("by_due");
  request.lower = int64_t{2};
  request.upper = int64_t{3};
  EXPECT_EQ(Both(request), "x2 y2 | y2 x2");
  request = ByScoped("by_state");
  request.lower = "x\x01";
  EXPECT_EQ(Both(request), "y1 y2 | y2 y1");
}

TEST_F(StoreScanPages, TheLastPageSaysSo) {
  CreateStates();
  ScanRequest request = InState("x");
  request.limit = 4;
  ScanAnswer page = Page(request);
  EXPECT_EQ(page.records.size(), 4u);
  EXPECT_EQ(page.next, "") << "there is no fifth";
  request.limit = 3;
  page = Page(request);
  EXPECT_EQ(page.records.size(), 3u);
  ASSERT_NE(page.next, "");
  request.after = page.next;
  page = Page(request);
  ASSERT_EQ(page.records.size(), 1u);
  EXPECT_EQ(page.records[0].ref.key.id, "x3");
  EXPECT_EQ(page.next, "");
}

TEST_F(StoreScanPages, ACursorOutlivesItsRecord) {
  CreateStates();
  ScanRequest request = InState("x");
  request.limit = 2;
  request.after = Page(request).next;
  EXPECT_EQ(Apply({Delete{Ref("x1")}}), "applied 1");
  const ScanAnswer page = Page(request);
  ASSERT_EQ(page.records.size(), 2u);
  EXPECT_EQ(page.records[0].ref.key.id, "x2");
}

TEST_F(StoreScanPages, TheUpperBoundMayMoveBetweenPages) {
  CreateStates();
  ScanRequest request = InState("x", {}, int64_t{3});
  request.limit = 1;
  request.after = Page(request).next;
  request.upper = int64_t{4};
  request.limit = 10;
  const ScanAnswer page = Page(request);
  ASSERT_EQ(page.records.size(), 2u);
  EXPECT_EQ(page.records[1].ref.key.id, "x3");
}

// Others come and go between and within the pages; those that stay are told once each.
TEST_F(StoreScanPages, StayStableUnderWrites) {
  std::vector<WriteBatch> batches;
  for (int i = 0; i < 300; ++i) {
    batches.push_back({{Put{.ref = Ref("stay" + std::to_string(i)),
                            .body = R"({"size":)" + std::to_string(i % 7) + "}"}}});
  }
  for (const BatchResult& result : ApplyAll(batches)) ASSERT_EQ(Told(result), "applied 1");
  std::atomic<bool> done = false;
  OnThreads(2, [&](int thread) {
    if (thread == 1) {
      for (int i = 0; !done; ++i) {
        const RecordRef ref = Ref("move" + std::to_string(i % 40));
        const std::string body = R"({"size":)" + std::to_string(i % 11) + "}";
        if (i % 3 == 2) {
          ApplySurely({{Delete{ref}}});
        } else {
          ApplySurely({{Put{.ref = ref, .body = body}}});
        }
        // Rewritten where they are: neither body nor quiet value moves them.
        ApplySurely({{Put{.ref = Ref("stay" + std::to_string(i % 300)),
                          .quiet = {{"count", int64_t{i}}}}}});
      }
      return;
    }
    for (int round = 0; round < 6; ++round) {
      std::map<std::string, int> seen;
      ScanRequest request = round % 3 == 0 ? ScanRequest{.kind = kind()} : By("by_size");
      request.descending = round % 2 == 1;
      request.limit = 7;
      do {
        const ScanAnswer page = Page(request);
        for (const Record& record : page.records) {
          if (record.ref.key.id.starts_with("stay")) ++seen[record.ref.key.id];
        }
        request.after = page.next;
      } while (!request.after.empty());
      EXPECT_EQ(seen.size(), 300u);
      for (const auto& [id, times] : seen) EXPECT_EQ(times, 1) << id;
    }
    done = true;
  });
}

}  // namespace
}  // namespace a4c::conformance
