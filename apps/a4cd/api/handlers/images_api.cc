// The context of a build, streamed; and the images that servers have.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "a4c/host_cleanup.h"
#include "a4c/host_images.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/executors/image_build.h"
#include "apps/a4cd/executors/image_upload.h"
#include "apps/a4cd/jobs/built_image.h"
#include "apps/a4cd/worker.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

constexpr int64_t kAskTimeoutMs = 2'000;  // of one server

// The body, of the length that was announced and no other.
class Body {
 public:
  explicit Body(Request& request) : request_(request), left_(request.content_length) {}

  Result<std::string> Next() {
    if (left_ <= 0) return std::string();
    std::string piece(std::min(kContextPieceBytes, static_cast<size_t>(left_)), '\0');
    request_.input->read(piece.data(), static_cast<std::streamsize>(piece.size()));
    piece.resize(static_cast<size_t>(request_.input->gcount()));
    if (piece.empty()) {
      return Error(Code::kCanceled, request_.input->bad()
                                        ? "the context came too slowly (api.body_rate_min)"
                                        : "the client went away before the end");
    }
    left_ -= static_cast<int64_t>(piece.size());
    if (left_ == 0) request_.body_unread = false;
    return piece;
  }

 private:
  Request& request_;
  int64_t left_;
};

// An image with the servers that have it.
struct Listed {
  int64_t size_bytes = 0;
  Json hosts = Json::Array{};
};
using ImagesByName = std::map<std::pair<std::string, std::string>, Listed>;  // tag, digest

void Ask(ApiContext& api, const Request& request, a4c::HostImages& images, const HostRecord& host,
         ImagesByName& found, Json& unreachable) {
  a4c::Call call = api.CallFor(request);
  call.deadline_ms = std::min(call.deadline_ms, call.clock.MonotonicMs() + kAskTimeoutMs);
  const bool is_known_down = host.figures && !host.figures->host.reachable;
  const Result<std::vector<a4c::ImageInfo>> list =
      is_known_down ? Error(Code::kUnavailable, host.figures->host.reason)
                    : images.List(call, host.id);
  if (!list) {
    unreachable.Append(Json::Object{{"host", host.id}, {"reason", list.error().message()}});
    return;
  }
  for (const a4c::ImageInfo& image : *list) {
    Listed& listed = found[{TagOfName(image.tag), image.digest}];
    listed.size_bytes = image.size_bytes;
    // Two tenants may have built the same under one tag.
    const Json::Array& hosts = listed.hosts.Items();
    if (hosts.empty() || hosts.back().Text() != host.id) listed.hosts.Append(host.id);
  }
}

Result<std::vector<HostRecord>> HostsOf(ApiContext& api, const Request& request) {
  const std::string& only = request.Query("host");
  if (only.empty()) return api.worker->disks().Hosts(api.CallFor(request));
  A4C_TRY(HostRecord host, api.worker->disks().Find(api.CallFor(request), only));
  return std::vector<HostRecord>{std::move(host)};
}

Json ItemView(const a4c::HostItem& item) {
  const bool is_image = item.kind == a4c::HostItem::Kind::kImage;
  Json view(Json::Object{{"kind", is_image ? "image" : "volume"}, {"id", item.id}});
  view.AppendMember("name",
                    is_image ? (item.names.empty() ? "" : TagOfName(item.names[0])) : item.unit);
  view.AppendMember("bytes", item.bytes);
  view.AppendMember("age_ms", item.age_ms);
  view.AppendMember("in_use", item.in_use);
  return view;
}

Json UsageView(const std::string& id, const a4c::Host& figures, const a4c::HostUse& use) {
  Json view(Json::Object{{"host", id},
                         {"disk_total_bytes", figures.disk_total_bytes},
                         {"disk_used_bytes", figures.disk_used_bytes},
                         {"inodes_total", figures.inodes_total},
                         {"inodes_free", figures.inodes_free}});
  view.AppendMember("workspaces_bytes", use.units_bytes);
  view.AppendMember("images_bytes", use.images_bytes);
  view.AppendMember("cache_bytes", use.cache_bytes);
  Json items(Json::Array{});
  for (const a4c::HostItem& item : use.items) items.Append(ItemView(item));
  view.AppendMember("items", std::move(items));
  return view;
}

}  // namespace

Response PutJobContext(ApiContext& api, Request& request) {
  if (api.worker == nullptr) {
    return ErrorResponse(Error(Code::kUnsupported, "this instance has no host provider"));
  }
  const std::string& id = request.Param("id");
  const std::string& tenant = request.principal.tenant;
  const Result<Job> waiting = api.jobs.Get(api.CallFor(request), tenant, id);
  if (!waiting) return ErrorResponse(waiting.error());
  if (request.input == nullptr || request.content_length < 1) {
    return ProblemResponse({.status = 411,
                            .type = "length-required",
                            .detail = "the length of the context has to be announced",
                            .hint = "with curl: -T context.tar, a file and no pipe"});
  }
  Body body(request);
  const Result<void> built = api.worker->BuildFromContext(tenant, id, [&] { return body.Next(); });
  if (!built) return ErrorResponse(built.error());
  request.deadline_ms = api.runtime.clock.MonotonicMs() + api.settings.request_timeout_ms;
  const Result<Job> job = api.jobs.Get(api.CallFor(request), tenant, id);
  if (!job) return ErrorResponse(job.error());
  return JsonResponse(200, JobView(*job));
}

Response GetHostUsage(ApiContext& api, Request& request) {
  auto* cleanup = api.hosts == nullptr ? nullptr : api.hosts->As<a4c::HostCleanup>();
  if (cleanup == nullptr || api.worker == nullptr) {
    return ErrorResponse(Error(Code::kUnsupported, "the host provider keeps nothing but units",
                               "how full the disks are: a4c host disks"));
  }
  const std::string& id = request.Param("id");
  const Result<HostRecord> host = api.worker->disks().Find(api.CallFor(request), id);
  if (!host) return ErrorResponse(host.error());
  const Result<a4c::HostUse> use = cleanup->Survey(api.CallFor(request), id);
  if (!use) return ErrorResponse(use.error());
  const a4c::Host figures = host->figures ? host->figures->host : a4c::Host{};
  return JsonResponse(200, UsageView(id, figures, *use));
}

Response ListImages(ApiContext& api, Request& request) {
  auto* images = api.hosts == nullptr ? nullptr : api.hosts->As<a4c::HostImages>();
  if (images == nullptr || api.worker == nullptr) {
    return ErrorResponse(Error(Code::kUnsupported, "the host provider has no images",
                               "choose one that has: hosts.plugin, such as host-baremetal"));
  }
  const Result<std::vector<HostRecord>> hosts = HostsOf(api, request);
  if (!hosts) return ErrorResponse(hosts.error());
  ImagesByName found;
  Json unreachable(Json::Array{});
  for (const HostRecord& host : *hosts) Ask(api, request, *images, host, found, unreachable);
  Json items(Json::Array{});
  for (auto& [name, listed] : found) {
    items.Append(Json::Object{{"tag", name.first},
                              {"digest", name.second},
                              {"size_bytes", listed.size_bytes},
                              {"hosts", std::move(listed.hosts)}});
  }
  Json answer(Json::Object{{"items", std::move(items)}});
  answer.AppendMember("unreachable", std::move(unreachable));
  return JsonResponse(200, answer);
}

}  // namespace a4cd
