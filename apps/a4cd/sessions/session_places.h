// How many sessions there may be on this instance, in all and per tenant.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "a4c/result.h"
#include "a4c/sinks.h"

namespace a4cd {

// [any thread]; outlives the places that it gave.
class SessionPlaces {
 public:
  SessionPlaces(a4c::MetricSink& metrics, int sessions_max, int per_tenant_max)
      : metrics_(metrics), sessions_max_(sessions_max), per_tenant_max_(per_tenant_max) {}

  // Given back when it goes.
  class Place {
   public:
    Place(SessionPlaces& places, std::string tenant)
        : places_(places), tenant_(std::move(tenant)) {}
    ~Place() { places_.Leave(tenant_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    SessionPlaces& places_;
    const std::string tenant_;
  };

  // kExhausted says which bound is reached.
  a4c::Result<std::unique_ptr<Place>> Enter(const std::string& tenant);

 private:
  void Leave(const std::string& tenant);

  a4c::MetricSink& metrics_;
  const int sessions_max_;
  const int per_tenant_max_;
  std::mutex mutex_;
  int count_ = 0;  // guarded by mutex_, as is the next
  std::map<std::string, int> of_tenant_;
};

}  // namespace a4cd
