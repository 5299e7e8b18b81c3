// Digests are offered by stores and by search indexes.
#pragma once

#include "a4c/digests.h"
#include "plugin/guard.h"

namespace a4c::plugin {

class GuardedDigests final : public Digests {
 public:
  GuardedDigests(Digests& inner, PluginRecord& plugin)
      : inner_(inner), sums_(plugin.Site("Digests.Sums")), rows_(plugin.Site("Digests.Rows")) {}

  Result<DigestSums> Sums(const Call& call, const Kind& kind) override {
    return Guarded(sums_, call, [&] { return inner_.Sums(call, kind); });
  }
  Result<std::vector<DigestRow>> Rows(const Call& call, const Kind& kind,
                                      std::span<const int> buckets) override {
    return Guarded(rows_, call, [&] { return inner_.Rows(call, kind, buckets); });
  }

 private:
  Digests& inner_;
  const CallSite& sums_;
  const CallSite& rows_;
};

}  // namespace a4c::plugin
