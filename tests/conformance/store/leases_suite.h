// A store with work on subjects, and leases over it: those that the store offers, or the generic
// ones of core, which pass the same suites.
#pragma once

#include "a4c/leases.h"
#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {

enum class LeasesOf : uint8_t {
  kCore,   // NewLeases()
  kStore,  // store.As<Leases>(); the generic ones again if it offers none
};

class LeasesSuite : public StoreSuite, public testing::WithParamInterface<LeasesOf> {
 protected:
  void SetUp() override;

  Leases& leases() { return *leases_; }
  const Kind& work() const { return work_; }
  RecordRef Work(const std::string& id, const std::string& scope = "") const {
    return {work_.name, {scope, id}};
  }
  // Unfinished work on a subject.
  void AddWork(const std::string& id, const std::string& subject, int64_t created, int64_t due,
               const std::string& scope = "");
  // Takes the record off every index.
  static std::string Finished() { return "{}"; }
  ClaimRequest Request(const std::string& holder, int count = 10, int64_t lease_ms = 600'000);
  std::vector<Claimed> Claim(const ClaimRequest& request) { return Claim(*leases_, request); }
  static std::vector<Claimed> Claim(Leases& leases, const ClaimRequest& request);
  // "a@s:1 b@t:2!": id, subject and epoch of each; a mark if it was taken over.
  static std::string Told(const std::vector<Claimed>& claimed);
  std::string ClaimTold(const ClaimRequest& request) { return Told(Claim(request)); }
  bool Renew(const Lease& lease, int64_t lease_ms) { return Renew(*leases_, lease, lease_ms); }
  static bool Renew(Leases& leases, const Lease& lease, int64_t lease_ms);
  bool Release(const Lease& lease) { return Release(*leases_, lease); }
  static bool Release(Leases& leases, const Lease& lease);
  // As OnInstances, with the leases over the instance.
  void OnLeases(int threads, const std::function<void(Leases&, Store&, int)>& body);
  // Claims until something is got; fails the test if it takes a minute.
  std::vector<Claimed> ClaimSoon(const ClaimRequest& request);
  int64_t StoreTime();

 private:
  std::vector<Kind> KindsOfInstances() const override;
  // Those that the store offers, or the generic ones, which `generic` keeps.
  static Leases& LeasesOver(Store& store, std::unique_ptr<Leases>& generic);

  Kind work_;
  std::unique_ptr<Leases> generic_;
  Leases* leases_ = nullptr;
};

}  // namespace a4c::conformance
