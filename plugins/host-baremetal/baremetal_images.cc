// HostImages: builds on the server, and what was built there.
#include "baremetal_servers.h"
#include "docker/docker_errors.h"
#include "docker/engine_messages.h"
#include "images/image_names.h"
#include "images/image_transfer.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kCpuPeriodUs = 100'000;
constexpr int64_t kTidyTimeoutMs = 5'000;
constexpr int64_t kTidyAgainMs = 250;

class BaremetalImages final : public HostImages {
 public:
  explicit BaremetalImages(BaremetalServers& servers) : servers_(servers) {}
  Result<ImageInfo> Build(const Call& call, const ImageBuild& build, const ByteSource& tar,
                          const Progress& progress) override;
  Result<std::vector<ImageInfo>> List(const Call& call, const std::string& host) override;

 private:
  Result<std::string> BuildTarget(const ImageBuild& build, const std::string& tag) const;
  Result<void> Run(const Call& call, DockerConnection& docker, const std::string& target,
                   const ByteSource& tar, EngineMessages& messages) const;
  Result<void> CheckName(const Call& call, DockerConnection& docker, const std::string& tag) const;
  Result<ImageInfo> Name(const Call& call, DockerConnection& docker, const std::string& tag,
                         const std::string& image_id) const;
  Result<void> KeepLayers(const Call& call, DockerServer& server, const std::string& layer_id,
                          const std::string& name);
  Result<Json> ListOurs(const Call& call, DockerConnection& docker) const;

  BaremetalServers& servers_;
};

// The parameters of dockerd's builder that say how the Dockerfile is read.
std::string DockerfileParameters(const ImageBuild& build) {
  std::string parameters;
  if (!build.dockerfile.empty()) parameters += "&dockerfile=" + PercentEncode(build.dockerfile);
  if (!build.target.empty()) parameters += "&target=" + PercentEncode(build.target);
  if (build.no_cache) parameters += "&nocache=1";
  if (build.build_args.empty()) return parameters;
  Json args;
  for (const auto& [name, value] : build.build_args) args.Set(name, value);
  return parameters + "&buildargs=" + PercentEncode(args.ToString());
}

// What was asked for, at most the bound.
Result<int64_t> Bounded(const char* what, int64_t asked, int64_t bound) {
  if (asked < 0 || asked > bound) {
    return Error(Code::kInvalid, std::string("a build gets at most ") + std::to_string(bound) +
                                     " of " + what + ", not " + std::to_string(asked));
  }
  return asked == 0 ? bound : asked;
}

Result<std::string> BaremetalImages::BuildTarget(const ImageBuild& build,
                                                 const std::string& tag) const {
  const BaremetalOptions& options = servers_.options;
  A4C_TRY(const int64_t memory,
          Bounded("build_memory", build.memory_bytes, options.build_memory_bytes));
  A4C_TRY(const int64_t cpu,
          Bounded("build_cpu_millis", build.cpu_millis, options.build_cpu_millis));
  if (build.network && options.build_network.empty()) {
    return Error(Code::kDenied, "builds get no network here",
                 "set build_network of host-baremetal, or bring what is needed in the context");
  }
  // A label of our own: the image is never one that somebody else has already.
  Json labels;
  labels.Set(kImageLabel, options.cluster);
  return "/build?t=" + PercentEncode(tag) + "&rm=1&forcerm=1&networkmode=" +
         (build.network ? PercentEncode(options.build_network) : "none") +
         "&memory=" + std::to_string(memory) + "&memswap=" + std::to_string(memory) +
         "&cpuperiod=" + std::to_string(kCpuPeriodUs) +
         "&cpuquota=" + std::to_string(cpu * kCpuPeriodUs / 1000) +
         "&labels=" + PercentEncode(labels.ToString()) + DockerfileParameters(build);
}

Result<void> BaremetalImages::Run(const Call& call, DockerConnection& docker,
                                  const std::string& target, const ByteSource& tar,
                                  EngineMessages& messages) const {
  A4C_TRY(const int status,
          docker.Begin(call, {.method = "POST",
                              .target = target,
                              .content_type = "application/x-tar",
                              .stream = &tar,
                              .stream_bytes_max = servers_.options.build_context_bytes_max,
                              .effect = true}));
  if (status != 200) {
    A4C_TRY(const std::string body, docker.ReadAll(call));
    return DockerError(status, body, true);
  }
  A4C_CHECK(messages.ReadAll(call, docker));
  if (!messages.failure().empty())
    return DockerError(400, messages.failure(), true).Within("build");
  if (!messages.image_id().empty()) return {};
  return Error(Code::kUnknownOutcome, "docker: the build's messages end without a result");
}

// A name that is there already goes to the new build, unless the image is not of our making.
Result<void> BaremetalImages::CheckName(const Call& call, DockerConnection& docker,
                                        const std::string& tag) const {
  A4C_TRY(const auto image, InspectImage(call, docker, tag));
  if (!image || !OwnTagsOf(*image, servers_.options.cluster).empty()) return {};
  return Error(Code::kDenied, "the server has an image " + tag + " that was not built here",
               "choose another tag, or take it away on the server");
}

// Ours first, then known by its name.
Result<ImageInfo> BaremetalImages::Name(const Call& call, DockerConnection& docker,
                                        const std::string& tag, const std::string& image_id) const {
  A4C_CHECK(TagImage(call, docker, image_id, OwnTag(servers_.options.cluster, image_id)));
  A4C_CHECK(TagImage(call, docker, image_id, tag));
  const auto image = FindImage(call, docker, tag);
  if (!image) return AfterEffect(image.error());
  if (*image && (*image)->digest == image_id) return **image;
  return Error(Code::kConflict, "another build of " + tag + " on this server was quicker");
}

Result<ImageInfo> BaremetalImages::Build(const Call& call, const ImageBuild& build,
                                         const ByteSource& tar, const Progress& progress) {
  A4C_CHECK(CheckImageBuild(build));
  const std::string building =
      BuildingTag(servers_.options.cluster, servers_.runtime.random.Next());
  A4C_TRY(const std::string target, BuildTarget(build, building));
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, build.host));
  A4C_TRY(DockerLink docker, server->OpenStream(call));
  A4C_CHECK(CheckName(call, *docker, build.tag));
  EngineMessages messages(progress);
  const auto built = Run(call, *docker, target, tar, messages);
  Result<ImageInfo> image =
      built ? Name(call, *docker, build.tag, messages.image_id()) : built.error();
  // What is left to do is no longer the caller's, and only tidies: cleanup finds what stays.
  const Call tidy = Call::Within(call.clock, kTidyTimeoutMs);
  if (image && docker->Reusable()) (void)UntagImage(tidy, *docker, building);
  // Layers of a build that failed save the next one their making; by this they are ours.
  if (!built && !messages.layer_id().empty()) {
    (void)KeepLayers(tidy, *server, messages.layer_id(), building);
  }
  return image;
}

// On a connection of its own: the build's may be what broke.
Result<void> BaremetalImages::KeepLayers(const Call& call, DockerServer& server,
                                         const std::string& layer_id, const std::string& name) {
  while (true) {
    Result<void> kept = [&]() -> Result<void> {
      A4C_TRY(DockerLink docker, server.Open(call));
      return TagImage(call, *docker, layer_id, name);
    }();
    const bool again = !kept && (kept.error().retryable() || kept.error().unknown_outcome());
    if (!again || call.Expired()) return kept;
    Waiter::Lock lock(*servers_.waiter);
    servers_.waiter->Wait(call.clock.MonotonicMs() + kTidyAgainMs);
  }
}

Result<Json> BaremetalImages::ListOurs(const Call& call, DockerConnection& docker) const {
  A4C_TRY(Json list, docker.ExchangeJson(call, {.method = "GET", .target = "/images/json"}));
  Json ours(Json::Array{});
  for (const Json& image : list.Items()) {
    if (!OwnTagsOf(image, servers_.options.cluster).empty()) ours.Append(image);
  }
  return ours;
}

Result<std::vector<ImageInfo>> BaremetalImages::List(const Call& call, const std::string& host) {
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
  A4C_TRY(DockerLink docker, server->Open(call));
  A4C_TRY(const Json list, ListOurs(call, *docker));
  std::vector<ImageInfo> images;
  for (const Json& image : list.Items()) {
    for (const std::string& name : NamesOf(image)) {
      images.push_back({name, image["Id"].Text(), image["Size"].Int()});
    }
  }
  return images;
}

}  // namespace

std::unique_ptr<HostImages> NewBaremetalImages(BaremetalServers& servers) {
  return std::make_unique<BaremetalImages>(servers);
}

}  // namespace a4c::baremetal
