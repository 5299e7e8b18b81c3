#include "images/image_transfer.h"

#include <utility>

#include "docker/docker_errors.h"
#include "docker/engine_messages.h"
#include "images/image_names.h"

namespace a4c::baremetal {
namespace {

const Progress kNobody = [](std::string_view) {};

std::string ImageTarget(const std::string& reference) {
  return "/images/" + PercentEncode(reference);
}

Result<void> LoadImage(const Call& call, DockerConnection& docker, const ByteSource& archive,
                       int64_t bytes_max) {
  A4C_TRY(const int status, docker.Begin(call, {.method = "POST",
                                                .target = "/images/load?quiet=1",
                                                .content_type = "application/x-tar",
                                                .stream = &archive,
                                                .stream_bytes_max = bytes_max,
                                                .effect = true}));
  if (status != 200) {
    A4C_TRY(const std::string body, docker.ReadAll(call));
    return DockerError(status, body, true);
  }
  EngineMessages messages(kNobody);
  A4C_CHECK(messages.ReadAll(call, docker));
  if (!messages.failure().empty()) return DockerError(503, messages.failure(), true).Within("load");
  return {};
}

Result<CopiedBytes> SaveAndLoad(const Call& call, DockerConnection& from, DockerConnection& to,
                                const ImageCopy& copy) {
  A4C_TRY(const int status,
          from.Begin(call, {.method = "GET", .target = ImageTarget(copy.reference) + "/get"}));
  if (status != 200) {
    A4C_TRY(const std::string body, from.ReadAll(call));
    return DockerError(status, body, false);
  }
  int64_t bytes = 0;
  const ByteSource archive = [&]() -> Result<std::string> {
    A4C_TRY(std::string piece, from.Read(call));
    bytes += static_cast<int64_t>(piece.size());
    return piece;
  };
  TarFilter filter(archive, copy.leave_out, copy.bytes_max);
  const ByteSource filtered = [&] { return filter.Read(); };
  A4C_CHECK(LoadImage(call, to, copy.leave_out ? filtered : archive, copy.bytes_max));
  return CopiedBytes{.sent = bytes - filter.bytes_left_out(), .left_out = filter.bytes_left_out()};
}

}  // namespace

Result<std::optional<Json>> InspectImage(const Call& call, DockerConnection& docker,
                                         const std::string& reference) {
  A4C_TRY(const DockerReply reply,
          docker.Exchange(call, {.method = "GET", .target = ImageTarget(reference) + "/json"}));
  if (reply.status == 404) return std::optional<Json>();
  if (!reply.ok()) return DockerError(reply.status, reply.body, false);
  A4C_TRY(Json image, ParseJson(reply.body, {.bytes_max = reply.body.size() + 1}));
  return std::optional(std::move(image));
}

Result<std::optional<ImageInfo>> FindImage(const Call& call, DockerConnection& docker,
                                           const std::string& reference) {
  A4C_TRY(const auto image, InspectImage(call, docker, reference));
  if (!image) return std::optional<ImageInfo>();
  return std::optional(ImageInfo{reference, (*image)["Id"].Text(), (*image)["Size"].Int()});
}

Result<std::set<std::string>> ImageIds(const Call& call, DockerConnection& docker) {
  A4C_TRY(const Json list, docker.ExchangeJson(call, {.method = "GET", .target = "/images/json"}));
  std::set<std::string> ids;
  for (const Json& image : list.Items()) ids.insert(image["Id"].Text());
  return ids;
}

Result<bool> IsNameless(const Call& call, DockerConnection& docker, const std::string& image_id) {
  A4C_TRY(const Json image,
          docker.ExchangeJson(call, {.method = "GET", .target = ImageTarget(image_id) + "/json"}));
  return image["RepoTags"].Items().empty() && image["RepoDigests"].Items().empty();
}

Result<void> TagImage(const Call& call, DockerConnection& docker, const std::string& image,
                      const std::string& name) {
  const ImageName parsed = ParseImageName(name);
  A4C_TRY(const DockerReply reply,
          docker.Exchange(
              call, {.method = "POST",
                     .target = ImageTarget(image) + "/tag?repo=" + PercentEncode(parsed.name) +
                               "&tag=" + PercentEncode(parsed.version),
                     .effect = true}));
  if (!reply.ok()) return DockerError(reply.status, reply.body, true);
  return {};
}

Result<bool> UntagImage(const Call& call, DockerConnection& docker, const std::string& name) {
  A4C_TRY(const DockerReply reply,
          docker.Exchange(call, {.method = "DELETE", .target = ImageTarget(name), .effect = true}));
  if (reply.status == 409) return false;
  if (!reply.ok() && reply.status != 404) return DockerError(reply.status, reply.body, true);
  return true;
}

Result<void> PullImage(const Call& call, DockerConnection& docker, const std::string& reference,
                       const RegistryOptions& registry, const Progress& progress) {
  A4C_TRY(const std::string auth, RegistryAuth(registry));
  const ImageName parsed = ParseImageName(reference);
  std::map<std::string, std::string> fields;
  if (!auth.empty()) fields["X-Registry-Auth"] = auth;
  A4C_TRY(const int status,
          docker.Begin(call, {.method = "POST",
                              .target = "/images/create?fromImage=" + PercentEncode(parsed.name) +
                                        "&tag=" + PercentEncode(parsed.version),
                              .effect = true,
                              .fields = std::move(fields)}));
  if (status != 200) {
    A4C_TRY(const std::string body, docker.ReadAll(call));
    return PullError(reference, DockerMessage(body));
  }
  EngineMessages messages(progress);
  A4C_CHECK(messages.ReadAll(call, docker));
  if (!messages.failure().empty()) return PullError(reference, messages.failure());
  return {};
}

Result<CopiedBytes> CopyImage(const Call& call, DockerConnection& from, DockerConnection& to,
                              const ImageCopy& copy) {
  auto copied = SaveAndLoad(call, from, to, copy);
  if (copied || !copy.leave_out) return copied;
  // The engine read it to its end, and wants it otherwise: mostly, a layer that was there has gone
  // since ("open .../layer.tar: no such file or directory"). Then the same with all that it needs.
  const Error& error = copied.error();
  const bool is_refused = from.Reusable() && to.Reusable();
  const bool can_help = error.code() == Code::kUnavailable || error.unknown_outcome();
  if (!is_refused || !can_help) return copied;
  ImageCopy whole = copy;
  whole.leave_out = nullptr;
  return SaveAndLoad(call, from, to, whole);
}

}  // namespace a4c::baremetal
