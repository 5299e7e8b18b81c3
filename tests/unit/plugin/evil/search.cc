#include "a4c/digests.h"
#include "a4c/plugin.h"
#include "a4c/rebuild.h"
#include "tests/unit/plugin/evil/mode.h"

namespace {

class EvilSearch final : public a4c::SearchIndex, public a4c::Digests, public a4c::Rebuild {
 public:
  EvilSearch(const a4c::Config& config, const a4c::Runtime& runtime) : mode_(config, runtime) {}
  explicit EvilSearch(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<void> Ensure(const a4c::Call&, std::span<const a4c::Kind>) override {
    mode_.Act("Ensure");
    return {};
  }
  a4c::Result<std::vector<a4c::BulkResult>> Bulk(const a4c::Call&,
                                                 std::span<const a4c::Document> items) override {
    return Answer("Bulk", items.size());
  }
  a4c::Result<std::vector<a4c::BulkResult>> Remove(const a4c::Call&,
                                                   std::span<const a4c::Purge> items) override {
    return Answer("Remove", items.size());
  }
  a4c::Result<a4c::SearchAnswer> Search(const a4c::Call&,
                                        const a4c::SearchRequest& request) override {
    mode_.Act("Search");
    a4c::SearchAnswer answer;
    answer.facets.resize(request.facets.size() - (mode_.Is("too_few", "Search") ? 1 : 0));
    answer.hits.resize(
        static_cast<size_t>(request.limit + (mode_.Is("too_many", "Search") ? 1 : 0)));
    return answer;
  }
  a4c::Result<void> Refresh(const a4c::Call&, const std::string&) override {
    mode_.Act("Refresh");
    return {};
  }
  a4c::Result<a4c::DigestSums> Sums(const a4c::Call&, const a4c::Kind&) override {
    mode_.Act("Digests.Sums");
    return a4c::DigestSums{};
  }
  a4c::Result<std::vector<a4c::DigestRow>> Rows(const a4c::Call&, const a4c::Kind&,
                                                std::span<const int>) override {
    mode_.Act("Digests.Rows");
    return std::vector<a4c::DigestRow>{};
  }
  a4c::Result<std::vector<a4c::IndexGeneration>> Generations(const a4c::Call&,
                                                             const a4c::Kind&) override {
    mode_.Act("Rebuild.Generations");
    return std::vector<a4c::IndexGeneration>{};
  }
  a4c::Result<void> Create(const a4c::Call&, const a4c::Kind&, int64_t) override {
    mode_.Act("Rebuild.Create");
    return {};
  }
  a4c::Result<std::unique_ptr<a4c::SearchIndex>> Open(const a4c::Call&, const a4c::Kind&,
                                                      int64_t) override {
    mode_.Act("Rebuild.Open");
    if (mode_.Is("null", "Rebuild.Open")) return std::unique_ptr<a4c::SearchIndex>();
    return std::unique_ptr<a4c::SearchIndex>(std::make_unique<EvilSearch>(mode_));
  }
  a4c::Result<void> Swap(const a4c::Call&, const a4c::Kind&, int64_t) override {
    mode_.Act("Rebuild.Swap");
    return {};
  }
  a4c::Result<void> Drop(const a4c::Call&, const a4c::Kind&, int64_t) override {
    mode_.Act("Rebuild.Drop");
    return {};
  }

 private:
  a4c::Result<std::vector<a4c::BulkResult>> Answer(const char* call, size_t count) const {
    mode_.Act(call);
    std::vector<a4c::BulkResult> results(count - (mode_.Is("too_few", call) ? 1 : 0));
    for (a4c::BulkResult& result : results) result.outcome = a4c::BulkOutcome::kApplied;
    if (mode_.Is("no_stored", call)) results.back().outcome = a4c::BulkOutcome::kStale;
    if (mode_.Is("no_error", call)) results.back().outcome = a4c::BulkOutcome::kRejected;
    if (mode_.Is("no_outcome", call)) results.back().outcome = static_cast<a4c::BulkOutcome>(99);
    return results;
  }
  void* Extension(std::string_view name) override {
    if (name == a4c::Digests::kExtension) return static_cast<a4c::Digests*>(this);
    if (name == a4c::Rebuild::kExtension) return static_cast<a4c::Rebuild*>(this);
    return nullptr;
  }

  evil::Mode mode_;
};

a4c::Result<std::unique_ptr<a4c::SearchIndex>> Make(const a4c::Config& config,
                                                    const a4c::Runtime& runtime) {
  return std::unique_ptr<a4c::SearchIndex>(new EvilSearch(config, runtime));
}

}  // namespace

A4C_PLUGIN(SearchIndex, EVIL_NAME, "an index for tests of the host", evil::kKeys,
           a4c::kNothingAbsent, Make);
