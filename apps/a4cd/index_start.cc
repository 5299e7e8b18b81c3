#include "apps/a4cd/index_start.h"

#include "a4c/sinks.h"
#include "apps/a4cd/jobs/kinds.h"

namespace a4cd {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::LogLevel;
using a4c::Result;

namespace {

constexpr int64_t kLookMs = 10'000;

class IndexStart final : public a4c::Loop {
 public:
  IndexStart(a4c::Database& database, a4c::SearchIndex& index, const IndexStartOptions& options,
             const a4c::Runtime& runtime)
      : database_(database), index_(index), options_(options), runtime_(runtime) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const a4c::SyncStatus status, database_.Status(call, JobKind().name));
    if (!status.index_trouble.empty()) {
      return Error(Code::kUnavailable, "the search index is not ready: " + status.index_trouble);
    }
    if (!filled_) TellOf(Fill(call));
    filled_ = true;
    return kLookMs;
  }

 private:
  // How many records were sent.
  Result<int64_t> Fill(const Call& step) {
    if (options_.fill == RebuildAtStart::kNever) return 0;
    const Call call = Call::Within(runtime_.clock, options_.fill_timeout_ms, step.stop);
    if (options_.fill == RebuildAtStart::kIfEmpty) {
      A4C_TRY(const a4c::SearchAnswer found, index_.Search(call, {.kind = JobKind(), .limit = 1}));
      if (found.total > 0) return 0;
    }
    return database_.Repair(call, JobKind().name, {});
  }

  void TellOf(const Result<int64_t>& sent) {
    if (!sent) {
      runtime_.log.Write(LogLevel::kWarning, "a4cd",
                         "filling the search index was broken off: the digests find the rest",
                         {{"error", sent.error().ToString()}});
    } else if (*sent > 0) {
      runtime_.log.Write(LogLevel::kInfo, "a4cd", "the search index is being filled from the store",
                         {{"records", std::to_string(*sent)}});
    }
  }

  a4c::Database& database_;
  a4c::SearchIndex& index_;
  const IndexStartOptions options_;
  const a4c::Runtime runtime_;
  const std::string name_ = "index-start";
  bool filled_ = false;
};

}  // namespace

std::unique_ptr<a4c::Loop> NewIndexStart(a4c::Database& database, a4c::SearchIndex& index,
                                         const IndexStartOptions& options,
                                         const a4c::Runtime& runtime) {
  return std::make_unique<IndexStart>(database, index, options, runtime);
}

}  // namespace a4cd
