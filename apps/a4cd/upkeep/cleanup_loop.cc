#include "apps/a4cd/upkeep/cleanup_loop.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "a4c/sinks.h"
#include "apps/a4cd/auth/key_service.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Json;
using a4c::Result;

class CleanupLoop final : public a4c::Loop {
 public:
  CleanupLoop(a4c::Database& database, JobService& jobs, DiskService& disks,
              const a4c::Runtime& runtime, const CleanupOptions& options)
      : database_(database), jobs_(jobs), disks_(disks), runtime_(runtime), options_(options) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const std::vector<HostRecord> hosts, disks_.Hosts(call));
    const int64_t round = options_.period_ms == 0 ? 0 : database_.NowMs() / options_.period_ms;
    const bool is_new_round = round_ >= 0 && round != round_;
    for (const HostRecord& host : hosts) A4C_CHECK(Look(call, host, is_new_round));
    std::erase_if(warned_ms_, [&](const auto& warned) {
      return std::ranges::find(hosts, warned.first, &HostRecord::id) == hosts.end();
    });
    round_ = round;
    return options_.look_period_ms;
  }

 private:
  Result<void> Look(const Call& call, const HostRecord& host, bool is_new_round) {
    if (!host.figures || !host.figures->host.reachable) return {};
    const a4c::Host& figures = host.figures->host;
    const DiskFill fill{figures.disk_total_bytes, figures.disk_used_bytes};
    if (fill.share() >= options_.policy.act_at) {
      WarnNowAndThen(host.id, fill);
      return Submit(call, host.id, "full", options_.pressed_period_ms);
    }
    warned_ms_.erase(host.id);
    if (!is_new_round) return {};
    return Submit(call, host.id, "round", options_.period_ms);
  }

  // When it becomes full, and then as often as it is cleaned up.
  void WarnNowAndThen(const std::string& host, const DiskFill& fill) {
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    const auto [warned, is_first] = warned_ms_.try_emplace(host, now_ms);
    if (!is_first && now_ms - warned->second < options_.pressed_period_ms) return;
    warned->second = now_ms;
    Warn(host, fill);
  }

  void Warn(const std::string& host, const DiskFill& fill) {
    const int percent = static_cast<int>(fill.share() * 100);
    runtime_.log.Write(a4c::LogLevel::kWarning, "hosts", "a server's disk is nearly full",
                       {{"host", host},
                        {"used_percent", std::to_string(percent)},
                        {"free_bytes", std::to_string(fill.total_bytes - fill.used_bytes)}});
    runtime_.metrics.Count("a4c_disk_warnings_total", {{"host", host}});
  }

  // Once in each stretch of time: the idempotency key names it.
  Result<void> Submit(const Call& call, const std::string& host, const std::string& why,
                      int64_t every_ms) {
    JobDraft draft;
    draft.type = "host.cleanup";
    draft.title = "cleanup of the server " + host + (why == "full" ? ": its disk is full" : "");
    draft.payload = Json::Object{{"host", host}};
    const Principal principal{.tenant = kDefaultTenant, .key_id = "cleanup", .scopes = {}};
    A4C_TRY(PreparedWrite write, jobs_.PrepareCreate(call, principal, draft));
    const std::string stretch = std::to_string(database_.NowMs() / every_ms);
    write.commit.idempotency = a4c::Idempotency{
        kDefaultTenant, "a4cd:cleanup/" + host + "/" + why + "/" + stretch, "", write.id};
    A4C_CHECK(database_.Write(call, write.commit));
    return {};
  }

  const std::string name_ = "cleanup";
  a4c::Database& database_;
  JobService& jobs_;
  DiskService& disks_;
  const a4c::Runtime runtime_;
  const CleanupOptions options_;
  std::map<std::string, int64_t> warned_ms_;  // those that are full
  int64_t round_ = -1;  // of the last look; a round begins at a multiple of the period
};

}  // namespace

std::unique_ptr<a4c::Loop> NewCleanupLoop(a4c::Database& database, JobService& jobs,
                                          DiskService& disks, const a4c::Runtime& runtime,
                                          const CleanupOptions& options) {
  return std::make_unique<CleanupLoop>(database, jobs, disks, runtime, options);
}

}  // namespace a4cd
