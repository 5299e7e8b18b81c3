// Scans that may be a little old say how old, and are otherwise as any other. A store without the
// extension answers them as they are now.
#include "a4c/replicas.h"

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreReplicas : public StoreSuite {
 protected:
  Result<ReplicaScan> TryOld(const Call& call, ScanRequest request) {
    if (auto* replicas = store().As<Replicas>()) return replicas->ScanReplica(call, request);
    request.replica_ok = true;
    A4C_TRY(ScanAnswer now, store().Scan(call, request));
    return ReplicaScan{.scan = std::move(now)};
  }
  ReplicaScan Old(const ScanRequest& request) {
    Result<ReplicaScan> page = TryOld(Within(), request);
    if (page) return *std::move(page);
    ADD_FAILURE() << page.error().ToString();
    return {};
  }
  // The ids of all pages of two records.
  std::string OldIds(ScanRequest request) {
    request.limit = 2;
    std::string ids;
    do {
      const ScanAnswer page = Old(request).scan;
      for (const Record& record : page.records) ids += record.ref.key.id + " ";
      request.after = page.next;
    } while (!request.after.empty());
    return ids;
  }
  static std::string CodeOf(const Error& error) { return std::string(CodeName(error.code())); }
};

TEST_F(StoreReplicas, AScanLacksOnlyWhatIsYoungerThanItSays) {
  std::vector<int64_t> applied_ms;
  for (int i = 0; i < 100; ++i) {
    Create("t" + std::to_string(100 + i));
    applied_ms.push_back(TheRuntime().clock.MonotonicMs());
    const ReplicaScan page = Old({.kind = kind(), .limit = 1'000});
    ASSERT_LE(page.scan.records.size(), applied_ms.size());
    for (size_t missing = page.scan.records.size(); missing < applied_ms.size(); ++missing) {
      EXPECT_LE(applied_ms.back() - applied_ms[missing], page.stale_ms_max) << missing;
    }
  }
}

TEST_F(StoreReplicas, PagesAndOrderAreThoseOfAnyScan) {
  for (int due = 1; due <= 5; ++due) {
    Create("d" + std::to_string(due), R"({"due":)" + std::to_string(due) + "}");
  }
  const Call call = Within();
  while (Old({.kind = kind()}).scan.records.size() < 5) {
    ASSERT_FALSE(call.Expired()) << "it never shows what was written";
  }
  EXPECT_EQ(OldIds(By("by_due")), "d1 d2 d3 d4 d5 ");
  ScanRequest newest_first = By("by_due");
  newest_first.descending = true;
  newest_first.upper = int64_t{5};
  EXPECT_EQ(OldIds(newest_first), "d4 d3 d2 d1 ");
}

TEST_F(StoreReplicas, WhatAScanRefusesIsRefused) {
  const ScopeSet mine = {"mine"};
  Call bound = Within();
  bound.scopes = &mine;
  const ScanRequest of_another{.kind = kind(), .scope = "another"};
  const ScanRequest of_nothing{.kind = Unique("nothing")};
  for (const auto& [call, request] : {std::pair(bound, of_another), {Within(), of_nothing}}) {
    const Result<ReplicaScan> old = TryOld(call, request);
    const Result<ScanAnswer> now = store().Scan(call, request);
    ASSERT_FALSE(old) << request.kind;
    ASSERT_FALSE(now) << request.kind;
    EXPECT_EQ(CodeOf(old.error()), CodeOf(now.error()));
  }
}

}  // namespace
}  // namespace a4c::conformance
