// host.cleanup
#include "a4c/host_cleanup.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/hosts/drain_loop.h"
#include "apps/a4cd/hosts/image_references.h"
#include "apps/a4cd/hosts/leftovers.h"
#include "apps/a4cd/jobs/built_image.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/jobs/snapshot.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::HostItem;
using a4c::Json;
using a4c::Result;

constexpr size_t kListedMax = 200;  // in the report
constexpr int kTombstonesRead = 500;
constexpr int kTombstonePagesMax = 20;  // an orphan that only older ones know is unclaimed

// One run on one server.
class Cleanup {
 public:
  Cleanup(JobRun& run, JobLog& log)
      : run_(run),
        log_(log),
        context_(run.context()),
        host_(run.job().payload["host"].Text()),
        is_dry_(run.job().payload["dry_run"].Bool()) {}

  Result<Json> Run() {
    A4C_CHECK(CleanUnits());
    auto* cleanup = context_.hosts.As<a4c::HostCleanup>();
    if (cleanup != nullptr) {
      A4C_TRY(const a4c::HostUse use, cleanup->Survey(run_.HostCall(), host_));
      A4C_CHECK(CleanVolumes(use));
      A4C_CHECK(CleanImages(*cleanup, use));
    }
    return Report();
  }

 private:
  Result<void> CleanUnits();
  using Orphans = std::map<std::string, int64_t>;  // unit → bytes
  Result<void> CleanVolumes(const a4c::HostUse& use);
  Result<void> RemoveThoseNamedBy(a4c::ScanRequest scan, Orphans& orphans);
  Result<void> CleanImages(a4c::HostCleanup& cleanup, const a4c::HostUse& use);
  Result<bool> Discard(a4c::HostCleanup& cleanup, const CleanupCandidate& image);
  Result<void> RemoveUnit(const a4c::UnitStatus& unit, const char* kind, int64_t bytes);
  Result<DiskFill> ReadFill();
  void Note(const std::string& kind, const std::string& name, int64_t bytes, int64_t idle_ms);
  Json Report() const;

  JobRun& run_;
  JobLog& log_;
  WorkContext& context_;
  const std::string host_;
  const bool is_dry_;
  int64_t units_removed_ = 0;
  int64_t volumes_removed_ = 0;
  int64_t images_removed_ = 0;
  int64_t unclaimed_ = 0;
  int64_t bytes_ = 0;
  bool is_pressed_ = false;
  Json items_ = Json::Array{};
};

void Cleanup::Note(const std::string& kind, const std::string& name, int64_t bytes,
                   int64_t idle_ms) {
  bytes_ += bytes;
  log_.Note(kind + " " + name + (is_dry_ ? " would go: " : " went: ") + std::to_string(bytes) +
            " bytes\n");
  if (items_.Items().size() == kListedMax) return;
  Json item(Json::Object{{"kind", kind}, {"name", name}, {"bytes", bytes}});
  if (idle_ms > 0) item.AppendMember("idle_ms", idle_ms);
  items_.Append(std::move(item));
}

// Its workspace was deleted.
Result<void> Cleanup::RemoveUnit(const a4c::UnitStatus& unit, const char* kind, int64_t bytes) {
  if (!is_dry_) {
    A4C_CHECK(
        RemoveLeftover(run_.HostCall(), context_.database, context_.hosts, context_.tokens, unit));
  }
  Note(kind, unit.name, bytes, 0);
  return {};
}

Result<void> Cleanup::CleanUnits() {
  A4C_TRY(const std::vector<a4c::Record> records,
          WorkspacesOn(context_.StoreCall(), context_.database, host_));
  A4C_TRY(std::vector<a4c::UnitStatus> units, context_.hosts.List(run_.HostCall(), host_));
  for (const a4c::Record& record : records) {
    std::erase_if(units,
                  [&](const auto& unit) { return unit.name == UnitName(record.ref.key.id); });
  }
  A4C_TRY(const Leftovers leftovers, SortLeftovers(context_.StoreCall(), context_.database, units));
  for (const a4c::UnitStatus& unit : leftovers.removable) {
    A4C_CHECK(RemoveUnit(unit, "unit", unit.disk_used_bytes));
    ++units_removed_;
  }
  unclaimed_ = static_cast<int64_t>(leftovers.unclaimed.size());
  return {};
}

// Volumes have no labels of their own: tombstones say whose they were. Those of this server know
// nearly all; of a workspace that was moved before its end, and of snapshots, the latest tombstones
// know.
Result<void> Cleanup::CleanVolumes(const a4c::HostUse& use) {
  Orphans orphans;
  for (const HostItem& item : use.items) {
    if (item.kind == HostItem::Kind::kVolume) orphans[item.unit] += item.bytes;
  }
  a4c::ScanRequest scan{.kind = "workspace",
                        .index = "by_host",
                        .prefix = {host_},
                        .descending = true,
                        .tombstones = true,
                        .limit = kTombstonesRead};
  A4C_CHECK(RemoveThoseNamedBy(scan, orphans));
  scan.index = "by_deleted";
  scan.prefix.clear();
  A4C_CHECK(RemoveThoseNamedBy(scan, orphans));
  scan.kind = "snapshot";
  A4C_CHECK(RemoveThoseNamedBy(scan, orphans));
  unclaimed_ += static_cast<int64_t>(orphans.size());
  return {};
}

// Takes those off that it has removed.
Result<void> Cleanup::RemoveThoseNamedBy(a4c::ScanRequest scan, Orphans& orphans) {
  const bool is_snapshot = scan.kind == "snapshot";
  for (int pages = 0; pages < kTombstonePagesMax && !orphans.empty(); ++pages) {
    A4C_TRY(const a4c::ScanAnswer page, context_.database.Scan(context_.StoreCall(), scan));
    for (const a4c::Record& record : page.records) {
      const auto& [scope, id] = record.ref.key;
      const auto orphan = orphans.find(is_snapshot ? SnapshotUnitName(id) : UnitName(id));
      if (!record.tombstone || orphan == orphans.end()) continue;
      const a4c::UnitStatus unit{
          .host = host_,
          .name = orphan->first,
          .labels = {{is_snapshot ? kSnapshotLabel : kWorkspaceLabel, id}, {kTenantLabel, scope}}};
      A4C_CHECK(RemoveUnit(unit, "volume", orphan->second));
      ++volumes_removed_;
      orphans.erase(orphan);
    }
    if (page.next.empty()) break;
    scan.after = page.next;
  }
  return {};
}

Result<DiskFill> Cleanup::ReadFill() {
  A4C_TRY(const HostRecord record, context_.disks.Find(context_.StoreCall(), host_));
  if (!record.figures) return DiskFill{};
  const a4c::Host& figures = record.figures->host;
  return DiskFill{figures.disk_total_bytes, figures.disk_used_bytes};
}

// What a workspace has named since it was looked at stays. False: it does.
Result<bool> Cleanup::Discard(a4c::HostCleanup& cleanup, const CleanupCandidate& image) {
  A4C_TRY(const CleanupCandidate now,
          ReadCandidate(context_.StoreCall(), context_.database, image.item));
  if (now.is_named) return false;
  const Result<void> discarded = cleanup.DiscardImage(run_.HostCall(), host_, image.item.id);
  if (!discarded && discarded.error().code() == Code::kConflict) return false;
  if (!discarded) return discarded.error();
  return true;
}

Result<void> Cleanup::CleanImages(a4c::HostCleanup& cleanup, const a4c::HostUse& use) {
  std::vector<CleanupCandidate> images;
  for (const HostItem& item : use.items) {
    if (item.kind != HostItem::Kind::kImage) continue;
    A4C_TRY(images.emplace_back(), ReadCandidate(context_.StoreCall(), context_.database, item));
  }
  A4C_TRY(const DiskFill fill, ReadFill());
  const CleanupPlan plan = PlanCleanup(std::move(images), fill, context_.cleanup);
  is_pressed_ = plan.is_pressed;
  for (const CleanupCandidate& image : plan.going) {
    if (run_.Stopping()) break;
    if (!is_dry_) {
      A4C_TRY(const bool is_gone, Discard(cleanup, image));
      if (!is_gone) continue;
    }
    ++images_removed_;
    Note("image", image.item.names.empty() ? image.item.id : TagOfName(image.item.names[0]),
         image.item.bytes, image.idle_ms);
  }
  return {};
}

Json Cleanup::Report() const {
  Json report(Json::Object{{"host", host_}, {"dry_run", is_dry_}, {"pressed", is_pressed_}});
  report.AppendMember("bytes", bytes_);
  report.AppendMember("units_removed", units_removed_);
  report.AppendMember("volumes_removed", volumes_removed_);
  report.AppendMember("images_removed", images_removed_);
  report.AppendMember("unclaimed", unclaimed_);
  report.AppendMember("items", items_);
  return report;
}

}  // namespace

Result<Outcome> CleanHost(JobRun& run, JobLog& log) {
  const std::string& host = run.job().payload["host"].Text();
  A4C_TRY(const bool is_free, run.TakeServer(host));
  if (!is_free) {
    return WaitFor(run, reason::kServerBusy, "another job is at work on the server " + host);
  }
  A4C_TRY(Json report, Cleanup(run, log).Run());
  return Outcome::Succeeded(std::move(report));
}

}  // namespace a4cd
