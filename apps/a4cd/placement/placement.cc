#include "apps/a4cd/placement/placement.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace a4cd {
namespace {

constexpr double kRounding = 1e-6;  // of a step: shares are quotients

bool HasLabels(const Server& server, const std::map<std::string, std::string>& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& label) {
    const auto found = server.labels.find(label.first);
    return found != server.labels.end() && found->second == label.second;
  });
}

bool IsOfArch(const Server& server, const Constraints& constraints) {
  const bool may_be = server.arch.empty() && !server.reachable;
  return constraints.arch.empty() || constraints.arch == server.arch || may_be;
}

double DiskShare(const Server& server, const Amounts& request) {
  const double used = static_cast<double>(server.disk_other_bytes) +
                      static_cast<double>(server.committed.disk_bytes) +
                      static_cast<double>(request.disk_bytes);
  return used / static_cast<double>(server.total.disk_bytes);
}

double InodeShare(const Server& server) {
  if (server.inodes_total <= 0) return 0;
  return static_cast<double>(server.inodes_used) / static_cast<double>(server.inodes_total);
}

// By what it would rank: what others have just chosen it for counts as if it were there.
double RankOf(const Server& server, const Amounts& request) {
  const double share = DiskShare(server, request);
  if (server.disk_pending_bytes == 0) return share;
  return share + static_cast<double>(server.disk_pending_bytes) /
                     static_cast<double>(server.total.disk_bytes);
}

// By how much the request raises the share of its disk.
double StepOf(const Server& server, const Amounts& request) {
  return static_cast<double>(request.disk_bytes) / static_cast<double>(server.total.disk_bytes);
}

// `least`: the score of the least used server. Never less than what was seen and the request.
Amounts MostOn(const Server& server, const Amounts& request, const PlacementLimits& limits,
               double least) {
  const double share = std::min(least + StepOf(server, request), limits.disk_watermark);
  const int64_t disk =
      std::llround(share * static_cast<double>(server.total.disk_bytes)) - server.disk_other_bytes;
  return {std::max(disk, server.committed.disk_bytes + request.disk_bytes),
          server.total.memory_bytes, server.total.cpu_millis};
}

// What would be refused by an empty server is refused for ever.
bool TooSmall(const Server& server, const Amounts& request, const PlacementLimits& limits) {
  return server.total.disk_bytes <= 0 ||
         static_cast<double>(request.disk_bytes) >
             limits.disk_watermark * static_cast<double>(server.total.disk_bytes) ||
         request.memory_bytes > server.total.memory_bytes ||
         request.cpu_millis > server.total.cpu_millis;
}

Rejection RejectionOf(const Server& server, const PlacementRequest& request,
                      const PlacementLimits& limits) {
  const Amounts& amounts = request.amounts;
  if (!request.server.empty() && request.server != server.id) return Rejection::kOtherServer;
  if (request.excluded == server.id) return Rejection::kOtherServer;
  // One that has been silent ever since may be anything.
  if (!server.reachable && server.total.disk_bytes <= 0) return Rejection::kUnreachable;
  if (!IsOfArch(server, request.constraints)) return Rejection::kArch;
  if (!HasLabels(server, request.constraints.labels)) return Rejection::kLabels;
  if (TooSmall(server, amounts, limits)) return Rejection::kTooSmall;
  if (!server.reachable) return Rejection::kUnreachable;
  if (server.age_ms > limits.age_ms_max) return Rejection::kStale;
  if (server.cordoned) return Rejection::kCordoned;
  if (DiskShare(server, amounts) > limits.disk_watermark) return Rejection::kDisk;
  if (InodeShare(server) > limits.disk_watermark) return Rejection::kInodes;
  if (server.committed.memory_bytes + amounts.memory_bytes > server.total.memory_bytes) {
    return Rejection::kMemory;
  }
  if (server.committed.cpu_millis + amounts.cpu_millis > server.total.cpu_millis) {
    return Rejection::kCpu;
  }
  if (server.starts_in_flight >= limits.starts_in_flight_max) return Rejection::kStarts;
  return Rejection::kNone;
}

bool IsUnknown(std::span<const Server> servers, const std::string& id) {
  return !id.empty() && std::ranges::find(servers, id, &Server::id) == servers.end();
}

}  // namespace

std::string_view RejectionName(Rejection rejection) {
  static constexpr std::array<std::string_view, kRejections> kNames = {
      "fits",     "other_server", "arch",   "labels", "too_small", "unreachable",     "stale",
      "cordoned", "disk",         "inodes", "memory", "cpu",       "starts_in_flight"};
  return kNames[static_cast<size_t>(rejection)];
}

bool Placement::CanEverFit() const {
  const auto count = [this](Rejection rejection) {
    return rejections[static_cast<size_t>(rejection)];
  };
  int all = 0;
  for (const int servers : rejections) all += servers;
  const int never = count(Rejection::kOtherServer) + count(Rejection::kArch) +
                    count(Rejection::kLabels) + count(Rejection::kTooSmall);
  return server != nullptr || all > never;
}

bool Placement::LacksOnlyLabels() const {
  return server == nullptr && rejections[static_cast<size_t>(Rejection::kLabels)] > 0;
}

std::string Placement::Summary() const {
  if (server != nullptr) return "server " + server->id;
  if (!unknown_server.empty()) return "there is no server " + unknown_server;
  int all = 0;
  std::string reasons;
  for (size_t i = 0; i < rejections.size(); ++i) {
    all += rejections[i];
    if (rejections[i] == 0) continue;
    reasons += (reasons.empty() ? ": " : ", ") + std::to_string(rejections[i]) + " ";
    reasons += RejectionName(static_cast<Rejection>(i));
  }
  if (all == 0) return "there are no servers";
  return "none of " + std::to_string(all) + " servers fits" + reasons;
}

Candidate Judge(const Server& server, const PlacementRequest& request,
                const PlacementLimits& limits) {
  const Rejection rejection = RejectionOf(server, request, limits);
  return {&server, rejection, rejection == Rejection::kNone ? RankOf(server, request.amounts) : 0};
}

Placement Place(std::span<const Server> servers, const PlacementRequest& request,
                const PlacementLimits& limits, uint64_t tie, Among among) {
  Placement placement;
  std::vector<Candidate> fitting;
  fitting.reserve(servers.size());
  for (const Server& server : servers) {
    const Candidate candidate = Judge(server, request, limits);
    ++placement.rejections[static_cast<size_t>(candidate.rejection)];
    if (candidate.rejection == Rejection::kNone) fitting.push_back(candidate);
  }
  if (fitting.empty()) {
    if (IsUnknown(servers, request.server)) placement.unknown_server = request.server;
    return placement;
  }
  // Only what was seen committed bounds what may be: what is pending may come to nothing.
  double least = fitting[0].score;
  double least_committed = DiskShare(*fitting[0].server, request.amounts);
  for (const Candidate& candidate : fitting) {
    least = std::min(least, candidate.score);
    const bool is_pending = candidate.server->disk_pending_bytes != 0;
    least_committed =
        std::min(least_committed,
                 is_pending ? DiskShare(*candidate.server, request.amounts) : candidate.score);
  }
  const double steps = among == Among::kLeast ? 0 : 1 + kRounding;
  std::erase_if(fitting, [&](const Candidate& candidate) {
    return candidate.score > least + steps * StepOf(*candidate.server, request.amounts);
  });
  const Candidate& drawn = fitting[tie % fitting.size()];
  placement.server = drawn.server;
  placement.score = drawn.score;
  placement.most = MostOn(*drawn.server, request.amounts, limits, least_committed);
  return placement;
}

std::vector<Candidate> Explain(std::span<const Server> servers, const PlacementRequest& request,
                               const PlacementLimits& limits, size_t servers_max) {
  std::vector<Candidate> candidates;
  candidates.reserve(servers.size());
  for (const Server& server : servers) candidates.push_back(Judge(server, request, limits));
  const auto best =
      candidates.begin() + static_cast<std::ptrdiff_t>(std::min(servers_max, candidates.size()));
  std::ranges::partial_sort(candidates, best, [](const Candidate& a, const Candidate& b) {
    return std::tuple(a.rejection != Rejection::kNone, a.score, std::string_view(a.server->id)) <
           std::tuple(b.rejection != Rejection::kNone, b.score, std::string_view(b.server->id));
  });
  candidates.erase(best, candidates.end());
  return candidates;
}

}  // namespace a4cd
