// HostImageSupply: images that come from a registry, or from another server.
#include <algorithm>

#include "baremetal_servers.h"
#include "docker/docker_errors.h"
#include "images/image_layers.h"
#include "images/image_names.h"
#include "images/image_transfer.h"
#include "single_flight.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kTidyTimeoutMs = 5'000;
constexpr int64_t kTidyAgainMs = 250;

class BaremetalImageSupply final : public HostImageSupply {
 public:
  explicit BaremetalImageSupply(BaremetalServers& servers)
      : servers_(servers), flights_(servers.runtime) {}

  Result<std::optional<ImageInfo>> Find(const Call& call, const std::string& host,
                                        const std::string& reference) override;
  Result<ImageInfo> Pull(const Call& call, const std::string& host, const std::string& reference,
                         const Progress& progress) override;
  Result<ImageInfo> Send(const Call& call, const std::string& from, const std::string& to,
                         const std::string& reference, const Progress& progress) override;

 private:
  Result<ImageInfo> PullNow(const Call& call, const std::string& host, const std::string& reference,
                            const RegistryOptions& registry, const Progress& progress);
  Result<std::optional<ImageInfo>> Claim(const Call& call, DockerConnection& docker,
                                         const std::string& reference,
                                         const std::set<std::string>& before) const;
  void ClaimLater(DockerServer& server, const std::string& reference,
                  const std::set<std::string>& before) const;
  Result<ImageInfo> SendNow(const Call& call, const std::string& from, const std::string& to,
                            const ImageInfo& image, const Progress& progress);
  Result<ImageInfo> NameArrived(const Call& call, DockerConnection& docker,
                                const ImageInfo& image) const;
  Result<ImageInfo> Copy(const Call& call, const std::string& from, DockerServer& to,
                         const ImageInfo& image, const Progress& progress);
  Result<ImageCopy> CopyFor(const Call& call, DockerConnection& to, const ImageInfo& image,
                            const Json& saved) const;

  BaremetalServers& servers_;
  SingleFlight flights_;
};

Error Lacks(const std::string& host, const std::string& reference) {
  return Error(Code::kNotFound, "host " + host + " has no image " + reference);
}

// For the log of the job that needs the image.
std::string TextOf(const CopiedBytes& bytes) {
  const std::string sent = "sent " + std::to_string(bytes.sent) + " bytes";
  if (bytes.left_out == 0) return sent + "\n";
  return sent + ", and not " + std::to_string(bytes.left_out) +
         " bytes of layers that are there already\n";
}

// Also after this.
bool MayHaveCome(const Error& error) {
  return error.retryable() || error.unknown_outcome() || error.code() == Code::kCanceled;
}

bool HasTag(const Json& image, const std::string& tag) {
  const Json::Array& tags = image["RepoTags"].Items();
  return std::ranges::find(tags, tag, &Json::Text) != tags.end();
}

Result<std::optional<ImageInfo>> BaremetalImageSupply::Find(const Call& call,
                                                            const std::string& host,
                                                            const std::string& reference) {
  A4C_CHECK(CheckImageReference(reference));
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
  A4C_TRY(DockerLink docker, server->Open(call));
  return FindImage(call, *docker, reference);
}

Result<ImageInfo> BaremetalImageSupply::Pull(const Call& call, const std::string& host,
                                             const std::string& reference,
                                             const Progress& progress) {
  A4C_CHECK(CheckImageReference(reference));
  const std::string address = ParseImageName(reference).registry;
  const RegistryOptions* registry = FindRegistry(servers_.options.registries, address);
  A4C_TRY(auto there, Find(call, host, reference));
  if (there) return *std::move(there);
  if (registry == nullptr) {
    return Error(Code::kUnsupported,
                 reference + " is not pulled: the registry " + address + " is not configured",
                 "add it to registries of host-baremetal, or build or send the image there");
  }
  return flights_.Run(call, host + " " + reference,
                      [&] { return PullNow(call, host, reference, *registry, progress); });
}

Result<ImageInfo> BaremetalImageSupply::PullNow(const Call& call, const std::string& host,
                                                const std::string& reference,
                                                const RegistryOptions& registry,
                                                const Progress& progress) {
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
  A4C_TRY(DockerLink docker, server->OpenStream(call));
  // The one before us may have been quicker.
  A4C_TRY(auto there, FindImage(call, *docker, reference));
  if (there) return *std::move(there);
  A4C_TRY(const std::set<std::string> before, ImageIds(call, *docker));
  auto pulled = [&]() -> Result<ImageInfo> {
    A4C_CHECK(PullImage(call, *docker, reference, registry, progress));
    A4C_TRY(auto came, Claim(call, *docker, reference, before));
    if (came) return *std::move(came);
    return Error(Code::kUnavailable, reference + " was pulled, and went away again");
  }();
  if (!pulled && MayHaveCome(pulled.error())) ClaimLater(*server, reference, before);
  return pulled;
}

// What is there by that name now is ours; but one that was there by another name is whose it was.
Result<std::optional<ImageInfo>> BaremetalImageSupply::Claim(
    const Call& call, DockerConnection& docker, const std::string& reference,
    const std::set<std::string>& before) const {
  A4C_TRY(auto came, FindImage(call, docker, reference));
  if (!came || before.contains(came->digest)) return came;
  A4C_CHECK(TagImage(call, docker, came->digest, OwnTag(servers_.options.cluster, came->digest)));
  return came;
}

// On a connection of its own: the pull's may be what broke. Who wants the image next finds it
// there, and cannot know any more that we brought it.
void BaremetalImageSupply::ClaimLater(DockerServer& server, const std::string& reference,
                                      const std::set<std::string>& before) const {
  // No longer the caller's, who may have gone.
  const Call call = Call::Within(servers_.runtime.clock, kTidyTimeoutMs);
  while (true) {
    const auto claimed = [&]() -> Result<void> {
      A4C_TRY(DockerLink docker, server.Open(call));
      A4C_TRY(const auto came, Claim(call, *docker, reference, before));
      (void)came;
      return {};
    }();
    if (claimed || !MayHaveCome(claimed.error()) || call.Expired()) return;
    Waiter::Lock lock(*servers_.waiter);
    servers_.waiter->Wait(call.clock.MonotonicMs() + kTidyAgainMs);
  }
}

Result<ImageInfo> BaremetalImageSupply::Send(const Call& call, const std::string& from,
                                             const std::string& to, const std::string& reference,
                                             const Progress& progress) {
  A4C_CHECK(CheckImageReference(reference));
  if (from == to) return Error(Code::kInvalid, "an image is sent from one host to another");
  if (ParseImageName(reference).by_digest) {
    return Error(Code::kUnsupported,
                 reference +
                     ": an image named by digest is pulled: no engine takes such a name "
                     "from anybody but a registry");
  }
  A4C_TRY(const auto image, Find(call, from, reference));
  if (!image) return Lacks(from, reference);
  return flights_.Run(call, to + " " + reference,
                      [&] { return SendNow(call, from, to, *image, progress); });
}

Result<ImageInfo> BaremetalImageSupply::SendNow(const Call& call, const std::string& from,
                                                const std::string& to, const ImageInfo& image,
                                                const Progress& progress) {
  A4C_TRY(const std::shared_ptr<DockerServer> target, servers_.Find(call, to));
  {
    A4C_TRY(DockerLink docker, target->Open(call));
    A4C_TRY(const auto there, FindImage(call, *docker, image.digest));
    if (there) return NameArrived(call, *docker, image);
  }
  return Copy(call, from, *target, image, progress);
}

// What came just now, or by a send that was broken off before this.
Result<ImageInfo> BaremetalImageSupply::NameArrived(const Call& call, DockerConnection& docker,
                                                    const ImageInfo& image) const {
  // The id is a hash of all of it: this is the whole image, or it is not there.
  A4C_TRY(const auto there, FindImage(call, docker, image.digest));
  if (!there) return Error(Code::kUnavailable, image.tag + " did not arrive whole");
  A4C_TRY(const bool is_nameless, IsNameless(call, docker, image.digest));
  if (is_nameless) {
    A4C_CHECK(TagImage(call, docker, image.digest, OwnTag(servers_.options.cluster, image.digest)));
  }
  if (!IsImageId(image.tag)) A4C_CHECK(TagImage(call, docker, image.digest, image.tag));
  return ImageInfo{image.tag, there->digest, there->size_bytes};
}

// Both for as long as an image is under way.
struct Ends {
  DockerLink source;
  DockerLink target;
};

// One after the other, by the same order whichever way it goes: of two that send opposite ways none
// has what the other one waits for.
Result<Ends> OpenEnds(const Call& call, DockerServer& from, DockerServer& to) {
  if (from.id() < to.id()) {
    A4C_TRY(DockerLink source, from.OpenStream(call));
    A4C_TRY(DockerLink target, to.OpenStream(call));
    return Ends{std::move(source), std::move(target)};
  }
  A4C_TRY(DockerLink target, to.OpenStream(call));
  A4C_TRY(DockerLink source, from.OpenStream(call));
  return Ends{std::move(source), std::move(target)};
}

Result<ImageInfo> BaremetalImageSupply::Copy(const Call& call, const std::string& from,
                                             DockerServer& to, const ImageInfo& image,
                                             const Progress& progress) {
  if (const int64_t bytes_max = servers_.options.image_send_bytes_max;
      image.size_bytes > bytes_max) {
    return Error(Code::kExhausted,
                 image.tag + " is larger than image_send_max, " + std::to_string(bytes_max));
  }
  A4C_TRY(const std::shared_ptr<DockerServer> source, servers_.Find(call, from));
  A4C_TRY(Ends ends, OpenEnds(call, *source, to));
  A4C_TRY(const auto saved, InspectImage(call, *ends.source, image.digest));
  if (!saved) return Lacks(from, image.tag);
  A4C_TRY(const ImageCopy copy, CopyFor(call, *ends.target, image, *saved));
  const auto copied = CopyImage(call, *ends.source, *ends.target, copy);
  if (!copied) return copied.error().Within("sending " + image.tag + " from " + from);
  progress(TextOf(*copied));
  auto named = NameArrived(call, *ends.target, image);
  if (!named) return AfterEffect(named.error());
  return named;
}

// Without the layers that are there.
Result<ImageCopy> BaremetalImageSupply::CopyFor(const Call& call, DockerConnection& to,
                                                const ImageInfo& image, const Json& saved) const {
  const std::vector<std::string> layers = LayersOf(saved);
  A4C_TRY(const size_t there, CountLayersThere(call, to, layers, image.tag));
  // One of ours comes with the tag that says so: broken off here, it can still be cleaned up.
  const std::string own_tag = OwnTag(servers_.options.cluster, image.digest);
  return ImageCopy{.reference = HasTag(saved, own_tag) ? own_tag : image.digest,
                   .bytes_max = servers_.options.image_send_bytes_max,
                   .leave_out = FilesOfLayers(layers, there)};
}

}  // namespace

std::unique_ptr<HostImageSupply> NewBaremetalImageSupply(BaremetalServers& servers) {
  return std::make_unique<BaremetalImageSupply>(servers);
}

}  // namespace a4c::baremetal
