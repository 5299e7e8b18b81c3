#include "apps/a4cd/sessions/session_places.h"

namespace a4cd {

using a4c::Code;
using a4c::Error;
using a4c::Result;

Result<std::unique_ptr<SessionPlaces::Place>> SessionPlaces::Enter(const std::string& tenant) {
  std::lock_guard lock(mutex_);
  if (count_ >= sessions_max_) {
    return Error(Code::kExhausted,
                 "this instance has " + std::to_string(count_) + " sessions open, its bound",
                 "come back, maybe to another instance; the bound is api.sessions_max");
  }
  int& of_tenant = of_tenant_[tenant];
  if (of_tenant >= per_tenant_max_) {
    return Error(Code::kExhausted,
                 "the tenant has " + std::to_string(of_tenant) +
                     " sessions open on this instance, its bound",
                 "end some; the bound is api.sessions_per_tenant_max");
  }
  ++of_tenant;
  metrics_.Gauge("a4c_sessions_open", {}, ++count_);
  return std::make_unique<Place>(*this, tenant);
}

void SessionPlaces::Leave(const std::string& tenant) {
  std::lock_guard lock(mutex_);
  metrics_.Gauge("a4c_sessions_open", {}, --count_);
  const auto found = of_tenant_.find(tenant);
  if (--found->second == 0) of_tenant_.erase(found);
}

}  // namespace a4cd
