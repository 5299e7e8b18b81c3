// HostImages: builds on the server, and what was built there.
#include <algorithm>
#include <set>

#include "baremetal_servers.h"
#include "docker_errors.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kLineBytesMax = 1u << 20;
constexpr size_t kTagBytesMax = 255;

Result<void> CheckTag(const std::string& tag) {
  const bool fits =
      !tag.empty() && tag.size() <= kTagBytesMax && std::ranges::all_of(tag, [](unsigned char c) {
        return c < 0x80 &&
               (std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == '/' || c == ':');
      });
  if (fits) return {};
  return Error(Code::kInvalid,
               "tag: 1 to 255 letters, digits, \".\", \"_\", \"-\", \"/\" and \":\"");
}

// What a build says, line by line: a failing one answers 200 and names the error in the stream.
class BuildStream {
 public:
  explicit BuildStream(const std::function<void(std::string_view)>& progress)
      : progress_(progress) {}

  Result<void> Add(const std::string& piece) {
    buffer_ += piece;
    for (size_t end; (end = buffer_.find('\n')) != std::string::npos;) {
      Line(buffer_.substr(0, end));
      buffer_.erase(0, end + 1);
    }
    if (buffer_.size() > kLineBytesMax) return Error(Code::kUnavailable, "docker: an endless line");
    return {};
  }

  Result<void> Done() {
    Line(buffer_);
    if (!failure_.empty()) return DockerError(400, failure_, true).Within("build");
    if (built_) return {};
    return Error(Code::kUnknownOutcome, "docker: the build's messages end without a result");
  }

 private:
  void Line(const std::string& text) {
    const auto line = ParseJson(text);
    if (!line) return;
    const std::string& said = (*line)["stream"].Text();
    if (!said.empty()) progress_(said);
    if ((*line)["aux"]["ID"].IsText()) built_ = true;
    if (line->Find("errorDetail") == nullptr && line->Find("error") == nullptr) return;
    failure_ = (*line)["errorDetail"]["message"].Text();
    if (failure_.empty()) failure_ = (*line)["error"].Text();
    if (failure_.empty()) failure_ = "it failed without a message";
  }

  const std::function<void(std::string_view)>& progress_;
  std::string buffer_;
  std::string failure_;
  bool built_ = false;
};

class BaremetalImages final : public HostImages {
 public:
  explicit BaremetalImages(BaremetalServers& servers) : servers_(servers) {}
  Result<ImageInfo> Build(const Call& call, const std::string& host, const std::string& tag,
                          const ByteSource& tar,
                          const std::function<void(std::string_view)>& progress) override;
  Result<std::vector<ImageInfo>> List(const Call& call, const std::string& host) override;
  Result<int64_t> Prune(const Call& call, const std::string& host,
                        const std::vector<std::string>& keep) override;

 private:
  std::string BuildTarget(const std::string& tag) const;
  Result<Json> ListOurs(const Call& call, DockerConnection& docker) const;

  BaremetalServers& servers_;
};

std::string BaremetalImages::BuildTarget(const std::string& tag) const {
  Json labels;
  labels.Set(kImageLabel, servers_.options.cluster);
  const std::string memory = std::to_string(servers_.options.build_memory_bytes);
  return "/build?t=" + PercentEncode(tag) + "&rm=1&forcerm=1&networkmode=none&memory=" + memory +
         "&memswap=" + memory + "&labels=" + PercentEncode(labels.ToString());
}

Result<ImageInfo> BaremetalImages::Build(const Call& call, const std::string& host,
                                         const std::string& tag, const ByteSource& tar,
                                         const std::function<void(std::string_view)>& progress) {
  A4C_CHECK(CheckTag(tag));
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
  A4C_TRY(DockerLink docker, server->OpenStream(call));
  A4C_TRY(const int status,
          docker->Begin(call, {.method = "POST",
                               .target = BuildTarget(tag),
                               .content_type = "application/x-tar",
                               .stream = &tar,
                               .stream_bytes_max = servers_.options.build_context_bytes_max,
                               .effect = true}));
  if (status != 200) {
    A4C_TRY(const std::string body, docker->ReadAll(call));
    return DockerError(status, body, true);
  }
  BuildStream stream(progress);
  while (true) {
    A4C_TRY(const std::string piece, docker->Read(call));
    if (piece.empty()) break;
    A4C_CHECK(stream.Add(piece));
  }
  A4C_CHECK(stream.Done());
  A4C_TRY(const Json image,
          docker->ExchangeJson(
              call, {.method = "GET", .target = "/images/" + PercentEncode(tag) + "/json"}));
  return ImageInfo{tag, image["Id"].Text(), image["Size"].Int()};
}

Result<Json> BaremetalImages::ListOurs(const Call& call, DockerConnection& docker) const {
  const std::string filter =
      LabelFilter({std::string(kImageLabel) + "=" + servers_.options.cluster});
  return docker.ExchangeJson(call, {.method = "GET", .target = "/images/json?filters=" + filter});
}

Result<std::vector<ImageInfo>> BaremetalImages::List(const Call& call, const std::string& host) {
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
  A4C_TRY(DockerLink docker, server->Open(call));
  A4C_TRY(const Json list, ListOurs(call, *docker));
  std::vector<ImageInfo> images;
  for (const Json& image : list.Items()) {
    for (const Json& tag : image["RepoTags"].Items()) {
      images.push_back({tag.Text(), image["Id"].Text(), image["Size"].Int()});
    }
  }
  return images;
}

Result<int64_t> LayerBytes(const Call& call, DockerConnection& docker) {
  A4C_TRY(const Json usage, docker.ExchangeJson(call, {.method = "GET", .target = "/system/df"}));
  return usage["LayersSize"].Int();
}

Result<std::set<std::string>> UsedImages(const Call& call, DockerConnection& docker) {
  A4C_TRY(const Json list,
          docker.ExchangeJson(call, {.method = "GET", .target = "/containers/json?all=1"}));
  std::set<std::string> used;
  for (const Json& container : list.Items()) used.insert(container["ImageID"].Text());
  return used;
}

Result<int64_t> BaremetalImages::Prune(const Call& call, const std::string& host,
                                       const std::vector<std::string>& keep) {
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
  A4C_TRY(DockerLink docker, server->Open(call));
  A4C_TRY(const auto used, UsedImages(call, *docker));
  A4C_TRY(const Json list, ListOurs(call, *docker));
  A4C_TRY(const int64_t before, LayerBytes(call, *docker));
  const auto kept = [&](const Json& name) { return std::ranges::count(keep, name.Text()) > 0; };
  for (const Json& image : list.Items()) {
    const auto& tags = image["RepoTags"].Items();
    if (used.contains(image["Id"].Text()) || kept(image["Id"]) || std::ranges::any_of(tags, kept)) {
      continue;
    }
    // By each of its names: by id dockerd refuses an image that has several.
    const Json::Array names = tags.empty() ? Json::Array{image["Id"]} : tags;
    for (const Json& name : names) {
      A4C_TRY(const DockerReply reply,
              docker->Exchange(call, {.method = "DELETE",
                                      .target = "/images/" + PercentEncode(name.Text()),
                                      .effect = true}));
      // 409: a unit uses it by now.
      if (!reply.ok() && reply.status != 404 && reply.status != 409) {
        return DockerError(reply.status, reply.body, true);
      }
    }
  }
  A4C_TRY(const int64_t after, LayerBytes(call, *docker));
  return std::max<int64_t>(0, before - after);
}

}  // namespace

std::unique_ptr<HostImages> NewBaremetalImages(BaremetalServers& servers) {
  return std::make_unique<BaremetalImages>(servers);
}

}  // namespace a4c::baremetal
