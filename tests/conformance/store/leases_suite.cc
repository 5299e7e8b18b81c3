#include "tests/conformance/store/leases_suite.h"

namespace a4c::conformance {

void LeasesSuite::SetUp() {
  StoreSuite::SetUp();
  work_ = {.name = Unique("work"),
           .fields = {{.name = "subject"},
                      {.name = "created", .type = FieldType::kTime},
                      {.name = "queue"},
                      {.name = "due", .type = FieldType::kTime}},
           .indexes = {{.name = "by_subject", .fields = {"subject", "created"}},
                       {.name = "by_due", .fields = {"due"}, .scoped = false},
                       {.name = "by_queue", .fields = {"queue", "due"}}},
           .serial_key_field = "subject",
           .serial_index = "by_subject"};
  const Result<void> ensured = store().Ensure(Within(), KindsOfInstances());
  ASSERT_TRUE(ensured.has_value()) << ensured.error().ToString();
  leases_ = &LeasesOver(store(), generic_);
}

std::vector<Kind> LeasesSuite::KindsOfInstances() const {
  return {kind_data(), work_, LeaseKind(work_)};
}

Leases& LeasesSuite::LeasesOver(Store& store, std::unique_ptr<Leases>& generic) {
  Leases* const offered = GetParam() == LeasesOf::kStore ? store.As<Leases>() : nullptr;
  if (offered != nullptr) return *offered;
  generic = NewLeases(store);
  return *generic;
}

void LeasesSuite::OnLeases(int threads, const std::function<void(Leases&, Store&, int)>& body) {
  OnInstances(threads, [&](Store& own, int i) {
    std::unique_ptr<Leases> generic;
    body(&own == &store() ? *leases_ : LeasesOver(own, generic), own, i);
  });
}

void LeasesSuite::AddWork(const std::string& id, const std::string& subject, int64_t created,
                          int64_t due, const std::string& scope) {
  const std::string body = R"({"subject":")" + subject + R"(","created":)" +
                           std::to_string(created) + R"(,"queue":"q","due":)" +
                           std::to_string(due) + "}";
  EXPECT_EQ(Apply({Put{.ref = Work(id, scope), .body = body, .expect = Expect::Absent()}}),
            "applied 1");
}

ClaimRequest LeasesSuite::Request(const std::string& holder, int count, int64_t lease_ms) {
  return {.kind = work_,
          .index = "by_due",
          .upper = int64_t{1000},
          .count = count,
          .holder = holder,
          .lease_ms = lease_ms};
}

std::vector<Claimed> LeasesSuite::Claim(Leases& leases, const ClaimRequest& request) {
  Result<std::vector<Claimed>> claimed = leases.Claim(Within(), request);
  if (claimed) return *std::move(claimed);
  ADD_FAILURE() << claimed.error().ToString();
  return {};
}

std::string LeasesSuite::Told(const std::vector<Claimed>& claimed) {
  std::string text;
  for (const Claimed& one : claimed) {
    if (!text.empty()) text += ' ';
    text += one.record.ref.key.id + "@" + one.lease.subject.key.id + ":" +
            std::to_string(one.lease.epoch) + (one.took_over ? "!" : "");
  }
  return text;
}

bool LeasesSuite::Renew(Leases& leases, const Lease& lease, int64_t lease_ms) {
  const Result<std::vector<bool>> renewed = leases.Renew(Within(), {&lease, 1}, lease_ms);
  if (renewed && renewed->size() == 1) return renewed->at(0);
  ADD_FAILURE() << (renewed ? "not one answer for one lease" : renewed.error().ToString());
  return false;
}

bool LeasesSuite::Release(Leases& leases, const Lease& lease) {
  const Result<std::vector<bool>> released = leases.Release(Within(), {&lease, 1});
  if (released && released->size() == 1) return released->at(0);
  ADD_FAILURE() << (released ? "not one answer for one lease" : released.error().ToString());
  return false;
}

std::vector<Claimed> LeasesSuite::ClaimSoon(const ClaimRequest& request) {
  const Call call = Within(60'000);
  while (!call.Expired()) {
    std::vector<Claimed> claimed = Claim(request);
    if (!claimed.empty()) return claimed;
  }
  ADD_FAILURE() << "nothing was claimed";
  return {};
}

int64_t LeasesSuite::StoreTime() {
  const Result<GetAnswer> answer = store().Get(Within(), {});
  return answer ? answer->store_time_ms : 0;
}

}  // namespace a4c::conformance
