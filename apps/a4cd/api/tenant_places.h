// How many there may be at once on this instance, in all and of one tenant, who so leaves some to
// the others: of sessions, of streams, of requests that hold a thread for long, and of bytes that
// answers wait with.
//
//   std::unique_ptr<TenantPlaces::Place> place;
//   if (auto full = places.Enter(tenant, place)) return ProblemResponse(*full);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "apps/a4cd/api/problem.h"

namespace a4cd {

// [any thread]; outlives the places that it gave.
class TenantPlaces {
 public:
  struct Bounds {
    std::string name;  // as in the config: "sessions" of api.sessions_max, _per_tenant_max
    int64_t max = 0;
    int64_t per_tenant_max = 0;
  };
  // tell: called with how many there are, one call at a time.
  TenantPlaces(Bounds bounds, std::function<void(int64_t count)> tell)
      : bounds_(std::move(bounds)), tell_(std::move(tell)) {}

  // Given back when it goes.
  class Place {
   public:
    Place(TenantPlaces& places, std::string tenant, int64_t size)
        : places_(places), tenant_(std::move(tenant)), size_(size) {}
    ~Place() { places_.Leave(tenant_, size_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    TenantPlaces& places_;
    const std::string tenant_;
    const int64_t size_;
  };

  // Which bound is reached, if one is: 429 of the tenant's, 503 of the instance's. size: how many
  // it counts for.
  std::optional<Problem> Enter(const std::string& tenant, std::unique_ptr<Place>& place,
                               int64_t size = 1);

 private:
  Problem Full(int status, int64_t count, const std::string& whose, const std::string& key) const;
  void Leave(const std::string& tenant, int64_t size);

  const Bounds bounds_;
  const std::function<void(int64_t count)> tell_;
  std::mutex mutex_;
  int64_t count_ = 0;  // guarded by mutex_, as is the next
  std::map<std::string, int64_t> of_tenant_;
};

}  // namespace a4cd
