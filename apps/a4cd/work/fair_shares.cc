#include "apps/a4cd/work/fair_shares.h"

#include <algorithm>
#include <utility>

#include "a4c/json.h"
#include "apps/a4cd/auth/key_service.h"

namespace a4cd {

using a4c::Call;
using a4c::Result;
using a4c::Waiter;

namespace {

constexpr int64_t kTenantsPeriodMs = 5'000;
constexpr int64_t kIdleMs = 1'000;
constexpr double kClaimMs = 100;  // what a job costs that takes no time

}  // namespace

FairShares::FairShares(a4c::Database& database, const a4c::Runtime& runtime)
    : database_(database), runtime_(runtime), waiter_(runtime.threads.NewWaiter()) {}

double FairShares::StartOf(const Account& account) const {
  return std::max(account.served, now_);
}

bool FairShares::IsOld() const {
  Waiter::Lock lock(*waiter_);
  return read_ms_ == INT64_MIN || runtime_.clock.MonotonicMs() - read_ms_ >= kTenantsPeriodMs;
}

Result<std::vector<std::string>> FairShares::Order(const Call& call,
                                                   const std::set<std::string>& seen) {
  if (IsOld()) A4C_CHECK(ReadTenants(call));
  Waiter::Lock lock(*waiter_);
  // A tenant may be newer than the list.
  for (const std::string& tenant : seen) accounts_[tenant].idle_until_ms = INT64_MIN;
  const int64_t now_ms = runtime_.clock.MonotonicMs();
  std::vector<std::string> tenants;
  for (const auto& [tenant, account] : accounts_) {
    if (account.idle_until_ms <= now_ms) tenants.push_back(tenant);
  }
  std::ranges::stable_sort(tenants, {}, [&](const std::string& tenant) {
    const Account& account = accounts_.at(tenant);
    return std::pair(StartOf(account), account.served);
  });
  return tenants;
}

// Plays them: who began earliest gets the next one.
int FairShares::Turns(const std::vector<std::string>& tenants, int jobs) const {
  struct Player {
    double start = 0;
    double step = 0;
    int turns = 0;
  };
  std::vector<Player> players;
  Waiter::Lock lock(*waiter_);
  for (const std::string& tenant : tenants) {
    const auto account = accounts_.find(tenant);
    if (account == accounts_.end() || std::ssize(players) == jobs) break;
    players.push_back({StartOf(account->second), kClaimMs / account->second.share});
  }
  for (int i = 0; i < jobs && !players.empty(); ++i) {
    const auto next = std::ranges::min_element(players, {}, &Player::start);
    next->start += next->step;
    ++next->turns;
  }
  return players.empty() ? 1 : std::max(1, players[0].turns);
}

Result<void> FairShares::ReadTenants(const Call& call) {
  std::map<std::string, double> shares{{kDefaultTenant, 1.0}};
  a4c::ScanRequest scan{.kind = "tenant", .scope = "", .limit = 1'000};
  do {
    A4C_TRY(const a4c::ScanAnswer page, database_.Scan(call, scan));
    for (const a4c::Record& record : page.records) {
      A4C_TRY(const a4c::Json body, a4c::ParseJson(record.body));
      shares[record.ref.key.id] = static_cast<double>(std::max<int64_t>(1, body["share"].Int(1)));
    }
    scan.after = page.next;
  } while (!scan.after.empty());
  Waiter::Lock lock(*waiter_);
  std::erase_if(accounts_, [&](const auto& entry) { return !shares.contains(entry.first); });
  for (const auto& [tenant, share] : shares) accounts_[tenant].share = share;
  read_ms_ = runtime_.clock.MonotonicMs();
  return {};
}

void FairShares::Idle(const std::string& tenant) {
  Waiter::Lock lock(*waiter_);
  const auto account = accounts_.find(tenant);
  if (account == accounts_.end()) return;
  account->second.idle_until_ms = runtime_.clock.MonotonicMs() + kIdleMs;
}

void FairShares::Begin(const std::string& tenant) {
  Waiter::Lock lock(*waiter_);
  Account& account = accounts_[tenant];
  now_ = std::max(now_, StartOf(account));
  account.served = StartOf(account) + kClaimMs / account.share;
}

void FairShares::End(const std::string& tenant, int64_t ms) {
  Waiter::Lock lock(*waiter_);
  Account& account = accounts_[tenant];
  account.served += static_cast<double>(ms) / account.share;
}

}  // namespace a4cd
