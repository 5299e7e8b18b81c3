#include <algorithm>
#include <utility>

#include "plugin/guard.h"
#include "plugin/guarded.h"
#include "plugin/guarded_digests.h"
#include "plugin/guarded_rebuild.h"

namespace a4c::plugin {
namespace {

// What is wrong with a document's result, or nothing.
std::string FaultOf(const BulkResult& result) {
  switch (result.outcome) {
    case BulkOutcome::kApplied:
      return {};
    case BulkOutcome::kStale:
      return result.stored ? "" : "stale, without what is stored";
    case BulkOutcome::kRejected:
    case BulkOutcome::kRetry:
      return result.error ? "" : "a failure without an error";
  }
  return "an outcome that does not exist";
}

// One result per item, each of which makes sense: what does not is sent again.
void CheckBulk(const CallSite& site, size_t items, std::string_view noun,
               Result<std::vector<BulkResult>>& answer) {
  if (!answer) return;
  if (answer->size() != items) {
    answer = Malformed(site, Counted(items, noun), Counted(answer->size(), "result"));
    return;
  }
  for (BulkResult& result : *answer) {
    const std::string fault = FaultOf(result);
    if (fault.empty()) continue;
    result = BulkResult{.outcome = BulkOutcome::kRetry,
                        .error = Malformed(site, "a " + std::string(noun), fault)};
  }
}

class GuardedSearchIndex final : public SearchIndex {
 public:
  GuardedSearchIndex(std::unique_ptr<SearchIndex> inner, PluginRecord& plugin)
      : plugin_(plugin),
        inner_(std::move(inner)),
        ensure_(plugin.Site("Ensure")),
        bulk_(plugin.Site("Bulk")),
        remove_(plugin.Site("Remove")),
        search_(plugin.Site("Search")),
        refresh_(plugin.Site("Refresh")) {}
  ~GuardedSearchIndex() override { DestroyGuarded(plugin_, inner_); }

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    return Guarded(ensure_, call, [&] { return inner_->Ensure(call, kinds); });
  }

  Result<std::vector<BulkResult>> Bulk(const Call& call,
                                       std::span<const Document> documents) override {
    return Guarded(bulk_, call, [&] {
      auto answer = inner_->Bulk(call, documents);
      CheckBulk(bulk_, documents.size(), "document", answer);
      return answer;
    });
  }

  Result<std::vector<BulkResult>> Remove(const Call& call, std::span<const Purge> purges) override {
    return Guarded(remove_, call, [&] {
      auto answer = inner_->Remove(call, purges);
      CheckBulk(remove_, purges.size(), "purge", answer);
      return answer;
    });
  }

  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override {
    return Guarded(search_, call, [&] {
      auto answer = inner_->Search(call, request);
      if (!answer) return answer;
      if (answer->facets.size() != request.facets.size()) {
        answer = Malformed(search_, Counted(request.facets.size(), "facet"),
                           Counted(answer->facets.size(), "list"));
      } else if (answer->hits.size() > static_cast<size_t>(std::max(request.limit, 0))) {
        answer = Malformed(search_, "a limit of " + std::to_string(request.limit),
                           Counted(answer->hits.size(), "hit"));
      } else if (!std::ranges::all_of(answer->hits, [&](const Hit& hit) {
                   return !request.scope || hit.ref.key.scope == *request.scope;
                 })) {
        answer = Malformed(search_, "a scope", "a hit of another one");
      }
      return answer;
    });
  }

  Result<void> Refresh(const Call& call, const std::string& kind) override {
    return Guarded(refresh_, call, [&] { return inner_->Refresh(call, kind); });
  }

 private:
  void* Extension(std::string_view name) override {
    if (name == Digests::kExtension) return digests_.Of(*inner_, plugin_);
    if (name == Rebuild::kExtension) return rebuild_.Of(*inner_, plugin_);
    return nullptr;
  }

  PluginRecord& plugin_;
  std::unique_ptr<SearchIndex> inner_;
  ExtensionGuard<Digests, GuardedDigests> digests_;
  ExtensionGuard<Rebuild, GuardedRebuild> rebuild_;
  const CallSite& ensure_;
  const CallSite& bulk_;
  const CallSite& remove_;
  const CallSite& search_;
  const CallSite& refresh_;
};

}  // namespace

std::unique_ptr<SearchIndex> Guard(std::unique_ptr<SearchIndex> index, PluginRecord& plugin) {
  return std::make_unique<GuardedSearchIndex>(std::move(index), plugin);
}

}  // namespace a4c::plugin
