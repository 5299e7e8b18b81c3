#include "apps/a4cd/api/tenant_places.h"

#include <algorithm>

namespace a4cd {

std::optional<Problem> TenantPlaces::Enter(const std::string& tenant, std::unique_ptr<Place>& place,
                                           int64_t size) {
  std::lock_guard lock(mutex_);
  if (count_ + size > bounds_.max) return Full(503, count_, "this instance", "_max");
  const auto known = of_tenant_.find(tenant);
  const int64_t of_tenant = known == of_tenant_.end() ? 0 : known->second;
  if (of_tenant + size > bounds_.per_tenant_max) {
    return Full(429, of_tenant, "on this instance the tenant", "_per_tenant_max");
  }
  place = std::make_unique<Place>(*this, tenant, size);
  of_tenant_[tenant] = of_tenant + size;
  tell_(count_ += size);
  return std::nullopt;
}

Problem TenantPlaces::Full(int status, int64_t count, const std::string& whose,
                           const std::string& key) const {
  std::string what = bounds_.name;
  std::ranges::replace(what, '_', ' ');
  return {.status = status,
          .type = "exhausted",
          .detail = whose + " has " + std::to_string(count) + " " + what + ", its bound",
          .hint = std::string(status == 503 ? "come back, maybe to another instance"
                                            : "end some, or come back when some have ended") +
                  "; the bound is api." + bounds_.name + key,
          .errors = {},
          .retry_after_s = 5};
}

void TenantPlaces::Leave(const std::string& tenant, int64_t size) {
  std::lock_guard lock(mutex_);
  tell_(count_ -= size);
  const auto found = of_tenant_.find(tenant);
  found->second -= size;
  if (found->second == 0) of_tenant_.erase(found);
}

}  // namespace a4cd
