#include "apps/a4cd/placement/explain.h"

#include <string>
#include <utility>
#include <vector>

#include "apps/a4cd/jobs/constraints.h"

namespace a4cd {
namespace {

using a4c::Json;

Json RequestJson(const PlacementRequest& request) {
  Json json(Json::Object{{"disk_bytes", request.amounts.disk_bytes},
                         {"memory_bytes", request.amounts.memory_bytes},
                         {"cpu_millis", request.amounts.cpu_millis}});
  if (!request.constraints.empty()) {
    json.AppendMember("constraints", ConstraintsJson(request.constraints));
  }
  if (!request.server.empty()) json.AppendMember("server", request.server);
  return json;
}

// Of what a server is or has, what the request cannot take. Empty: it is none of that.
std::string WhyUnfit(const Candidate& candidate, const Constraints& wanted) {
  const Server& server = *candidate.server;
  if (candidate.rejection == Rejection::kArch) {
    const std::string is = server.arch.empty() ? "has not said what it is" : "is " + server.arch;
    return "it " + is + ", and " + wanted.arch + " is asked for";
  }
  if (candidate.rejection != Rejection::kLabels) return "";
  for (const auto& [name, value] : wanted.labels) {
    const auto found = server.labels.find(name);
    if (found == server.labels.end()) return "it has no label " + name;
    if (found->second != value) {
      std::string why = "its label ";
      why.append(name).append(" is ").append(found->second);
      return why.append(", and ").append(value).append(" is asked for");
    }
  }
  return "";
}

Json CandidateJson(const Candidate& candidate, const Constraints& wanted) {
  const Server& server = *candidate.server;
  const bool fits = candidate.rejection == Rejection::kNone;
  Json json(Json::Object{{"id", server.id}, {"fits", fits}});
  if (fits) json.AppendMember("score", candidate.score);
  if (!fits) json.AppendMember("reason", RejectionName(candidate.rejection));
  if (const std::string why = WhyUnfit(candidate, wanted); !why.empty()) {
    json.AppendMember("detail", why);
  }
  json.AppendMember("disk_total_bytes", server.total.disk_bytes);
  json.AppendMember("disk_other_bytes", server.disk_other_bytes);
  json.AppendMember("disk_committed_bytes", server.committed.disk_bytes);
  if (server.disk_pending_bytes != 0) {
    json.AppendMember("disk_pending_bytes", server.disk_pending_bytes);
  }
  json.AppendMember("memory_total_bytes", server.total.memory_bytes);
  json.AppendMember("memory_committed_bytes", server.committed.memory_bytes);
  json.AppendMember("cpu_total_millis", server.total.cpu_millis);
  json.AppendMember("cpu_committed_millis", server.committed.cpu_millis);
  json.AppendMember("age_ms", server.age_ms);
  return json;
}

}  // namespace

Json ExplainJson(std::span<const Server> servers, const PlacementRequest& request,
                 const PlacementLimits& limits, int64_t now_ms, size_t servers_max) {
  const Placement placement = Place(servers, request, limits, 0);
  Json json(Json::Object{{"at", now_ms}, {"request", RequestJson(request)}});
  json.AppendMember("fits", placement.server != nullptr);
  if (placement.server == nullptr) json.AppendMember("summary", placement.Summary());
  json.AppendMember("can_ever_fit", placement.CanEverFit());
  json.AppendMember("servers_total", static_cast<int64_t>(servers.size()));
  Json list(Json::Array{});
  for (const Candidate& candidate : Explain(servers, request, limits, servers_max)) {
    list.Append(CandidateJson(candidate, request.constraints));
  }
  json.AppendMember("servers", std::move(list));
  return json;
}

}  // namespace a4cd
