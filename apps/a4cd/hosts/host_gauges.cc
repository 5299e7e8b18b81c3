#include "apps/a4cd/hosts/host_gauges.h"

#include <limits>
#include <set>
#include <string>

#include "a4c/sinks.h"
#include "apps/a4cd/hosts/enrolments.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Result;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Of one that was removed, each is none.
struct Told {
  double reachable = kNone;
  double total_bytes = kNone;
  double free_bytes = kNone;
  double reserved_bytes = kNone;
  double age_s = kNone;
};

Told ToldOf(const HostFigures& figures, const Amounts& committed) {
  const auto number = [](int64_t value) { return static_cast<double>(value); };
  return {.reachable = figures.host.reachable ? 1.0 : 0.0,
          .total_bytes = number(figures.host.disk_total_bytes),
          .free_bytes = number(figures.host.disk_free_bytes),
          .reserved_bytes = number(committed.disk_bytes),
          .age_s = number(figures.host.age_ms) / 1000};
}

class HostGauges final : public a4c::Loop {
 public:
  HostGauges(a4c::Database& database, const a4c::Runtime& runtime, int64_t period_ms)
      : database_(database), metrics_(runtime.metrics), period_ms_(period_ms) {}
  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const std::vector<HostRecord> hosts, ReadHosts(call, database_));
    std::set<std::string> gone = std::move(known_);
    known_.clear();
    for (const HostRecord& host : hosts) {
      if (!host.figures) continue;
      Tell(host.id, ToldOf(*host.figures, host.committed));
      // Whichever instance warns first counts from 0: a series that begins with 1 shows no
      // increase.
      metrics_.Count("a4c_disk_warnings_total", {{"host", host.id}}, 0);
      gone.erase(host.id);
      known_.insert(host.id);
    }
    for (const std::string& id : gone) Tell(id, {});
    return period_ms_;
  }

 private:
  void Tell(const std::string& id, const Told& told) {
    metrics_.Gauge("a4c_host_reachable", {{"host", id}}, told.reachable);
    metrics_.Gauge("a4c_host_disk_total_bytes", {{"host", id}}, told.total_bytes);
    metrics_.Gauge("a4c_host_disk_free_bytes", {{"host", id}}, told.free_bytes);
    metrics_.Gauge("a4c_host_disk_reserved_bytes", {{"host", id}}, told.reserved_bytes);
    metrics_.Gauge("a4c_host_figures_age_seconds", {{"host", id}}, told.age_s);
  }

  const std::string name_ = "host-gauges";
  a4c::Database& database_;
  a4c::MetricSink& metrics_;
  const int64_t period_ms_;
  std::set<std::string> known_;  // told of the last time
};

}  // namespace

std::unique_ptr<a4c::Loop> NewHostGauges(a4c::Database& database, const a4c::Runtime& runtime,
                                         int64_t period_ms) {
  return std::make_unique<HostGauges>(database, runtime, period_ms);
}

}  // namespace a4cd
