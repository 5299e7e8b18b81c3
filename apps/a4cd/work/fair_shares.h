// Fair shares: whose job a worker takes next. Each tenant has a share (1 unless its record says
// otherwise); of those with work to do, the one that was served least for its share goes first
// (start-time fair queuing). Who had nothing to do saves nothing up. Each instance is fair by
// itself; so all of them are.
//
//   A4C_TRY(std::vector<std::string> tenants, shares.Order(call, seen));
//   ... claim from the first that has something due ...
//   shares.Begin(tenant);
//   ... work ...
//   shares.End(tenant, elapsed_ms);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "a4c/clock.h"
#include "a4c/collection.h"

namespace a4cd {

// [any thread]
class FairShares {
 public:
  // The database outlives it.
  FairShares(a4c::Database& database, const a4c::Runtime& runtime);

  // All tenants, who is to be served first at the front. Those that had nothing to do a moment ago
  // are left out, unless they are among `seen`, which are known to have something due.
  a4c::Result<std::vector<std::string>> Order(const a4c::Call& call,
                                              const std::set<std::string>& seen);
  // How many of the next so many jobs are for the first of these, of all of which there is a lot to
  // do; they are in the order of Order. At least one.
  int Turns(const std::vector<std::string>& tenants, int jobs) const;
  // It had nothing due.
  void Idle(const std::string& tenant);
  // A job of its was claimed: that counts at once, so that other workers see it.
  void Begin(const std::string& tenant);
  // And what the job took.
  void End(const std::string& tenant, int64_t ms);

 private:
  struct Account {
    double share = 1;
    double served = 0;  // milliseconds for its share, on a scale that all have in common
    int64_t idle_until_ms = INT64_MIN;
  };
  a4c::Result<void> ReadTenants(const a4c::Call& call);
  bool IsOld() const;
  double StartOf(const Account& account) const;

  a4c::Database& database_;
  const a4c::Runtime runtime_;
  const std::unique_ptr<a4c::Waiter> waiter_;
  std::map<std::string, Account> accounts_;  // under waiter_, as are the next
  double now_ = 0;                           // where who was served last began
  int64_t read_ms_ = INT64_MIN;
};

}  // namespace a4cd
