// The generations of a search index, guarded; so is every index that is opened.
#pragma once

#include <memory>
#include <vector>

#include "a4c/rebuild.h"
#include "plugin/guard.h"
#include "plugin/guarded.h"

namespace a4c::plugin {

class GuardedRebuild final : public Rebuild {
 public:
  GuardedRebuild(Rebuild& inner, PluginRecord& plugin)
      : plugin_(plugin),
        inner_(inner),
        generations_(plugin.Site("Rebuild.Generations")),
        create_(plugin.Site("Rebuild.Create", Code::kUnknownOutcome)),
        open_(plugin.Site("Rebuild.Open")),
        swap_(plugin.Site("Rebuild.Swap", Code::kUnknownOutcome)),
        drop_(plugin.Site("Rebuild.Drop", Code::kUnknownOutcome)) {}

  Result<std::vector<IndexGeneration>> Generations(const Call& call, const Kind& kind) override {
    return Guarded(generations_, call, [&] { return inner_.Generations(call, kind); });
  }
  Result<void> Create(const Call& call, const Kind& kind, int64_t number) override {
    return Guarded(create_, call, [&] { return inner_.Create(call, kind, number); });
  }
  Result<std::unique_ptr<SearchIndex>> Open(const Call& call, const Kind& kind,
                                            int64_t number) override {
    auto opened = Guarded(open_, call, [&] {
      auto bare = inner_.Open(call, kind, number);
      if (bare && *bare == nullptr) bare = Malformed(open_, "a generation", "no index");
      return bare;
    });
    if (!opened) return opened.error();
    return Guard(*std::move(opened), plugin_);
  }
  Result<void> Swap(const Call& call, const Kind& kind, int64_t number) override {
    return Guarded(swap_, call, [&] { return inner_.Swap(call, kind, number); });
  }
  Result<void> Drop(const Call& call, const Kind& kind, int64_t number) override {
    return Guarded(drop_, call, [&] { return inner_.Drop(call, kind, number); });
  }

 private:
  PluginRecord& plugin_;
  Rebuild& inner_;
  const CallSite& generations_;
  const CallSite& create_;
  const CallSite& open_;
  const CallSite& swap_;
  const CallSite& drop_;
};

}  // namespace a4c::plugin
