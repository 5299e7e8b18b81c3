#include "apps/a4cd/work/work_loop.h"

#include <optional>
#include <string>
#include <utility>

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Result;

class WorkLoop final : public a4c::Loop {
 public:
  WorkLoop(WorkContext& context, JobDesk& desk, BusyWorkers& busy, int number, JobStep step)
      : name_("worker-" + std::to_string(number)),
        context_(context),
        desk_(desk),
        busy_(busy),
        step_(std::move(step)),
        attempts_(context, context.instance + "/" + std::to_string(number)) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const std::optional<JobClaim> claim, desk_.Take());
    if (claim) {
      A4C_CHECK(Work(call, *claim));
      return int64_t{0};
    }
    const int64_t period_ms = context_.options.idle_period_ms;
    return RetryWaitMs(1, period_ms, period_ms, context_.runtime.random.Next());
  }

 private:
  Result<void> Work(const Call& call, const JobClaim& claim) {
    const std::string& tenant = claim.job.record.ref.key.scope;
    const BusyWorkers::Turn turn(busy_);
    const int64_t begun_ms = context_.runtime.clock.MonotonicMs();
    Result<void> worked =
        call.Stopping() ? attempts_.GiveBack(claim) : attempts_.Run(call, claim, step_);
    context_.shares.End(tenant, context_.runtime.clock.MonotonicMs() - begun_ms);
    return worked;
  }

  const std::string name_;
  WorkContext& context_;
  JobDesk& desk_;
  BusyWorkers& busy_;
  const JobStep step_;
  JobAttempts attempts_;
};

}  // namespace

std::unique_ptr<a4c::Loop> NewWorkLoop(WorkContext& context, JobDesk& desk, BusyWorkers& busy,
                                       int number, JobStep step) {
  return std::make_unique<WorkLoop>(context, desk, busy, number, std::move(step));
}

}  // namespace a4cd
