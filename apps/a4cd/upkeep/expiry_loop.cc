#include "apps/a4cd/upkeep/expiry_loop.h"

#include <string>
#include <utility>

#include "apps/a4cd/upkeep/passed_over.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Json;
using a4c::Record;
using a4c::Result;

class ExpiryLoop final : public a4c::Loop {
 public:
  ExpiryLoop(a4c::Database& database, JobService& jobs, const a4c::Runtime& runtime,
             const ExpiryOptions& options)
      : database_(database), jobs_(jobs), runtime_(runtime), options_(options) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    a4c::ScanRequest scan{.kind = "workspace",
                          .index = "by_expiry",
                          .upper = database_.NowMs(),
                          .limit = options_.batch_max};
    PassedOver passed_over(runtime_, name_);
    do {
      A4C_TRY(const a4c::ScanAnswer page, database_.Scan(call, scan));
      for (const Record& record : page.records) {
        A4C_CHECK(passed_over.Note(call, record.ref, Expire(call, record)));
      }
      scan.after = page.next;
    } while (!scan.after.empty());
    return options_.period_ms;
  }

 private:
  Result<void> Expire(const Call& call, const Record& record) {
    A4C_TRY(const Workspace workspace, WorkspaceOf(record));
    // One whose delete has failed for good is deleted again. While one is at work no other is made.
    const bool is_going = workspace.desired == "deleted";
    const int64_t age_ms = database_.NowMs() - workspace.updated_at;
    if (is_going && age_ms < options_.again_after_ms) return {};
    JobDraft draft;
    draft.type = "workspace.delete";
    draft.title = "the ttl of " + workspace.name + " is over";
    draft.payload = Json::Object{{"workspace", workspace.id}};
    return jobs_.CreateOwn(call, record.ref.key.scope, "ttl", draft);
  }

  const std::string name_ = "expiry";
  a4c::Database& database_;
  JobService& jobs_;
  const a4c::Runtime runtime_;
  const ExpiryOptions options_;
};

}  // namespace

std::unique_ptr<a4c::Loop> NewExpiryLoop(a4c::Database& database, JobService& jobs,
                                         const a4c::Runtime& runtime,
                                         const ExpiryOptions& options) {
  return std::make_unique<ExpiryLoop>(database, jobs, runtime, options);
}

}  // namespace a4cd
