#include "apps/a4cd/jobs/built_image.h"

#include <span>
#include <string_view>

#include "a4c/json.h"

namespace a4cd {
namespace {

// By RFC 2606 nobody has that domain.
constexpr std::string_view kBuilds = "a4c.invalid/";
// A registry's port within a path, where no ":" may be.
constexpr std::string_view kPort = "__";

// A path has a letter or digit at both ends; no tenant's id has a "_".
std::string PathOf(std::string tenant) {
  constexpr const char* kHyphen = "0_0";
  if (tenant.ends_with('-')) tenant.replace(tenant.size() - 1, 1, kHyphen);
  if (tenant.starts_with('-')) tenant.replace(0, 1, kHyphen);
  return tenant;
}

// Of "app:latest" the shorter of its two names.
std::string ShortTag(const std::string& tag) {
  constexpr std::string_view kLatest = ":latest";
  return tag.ends_with(kLatest) ? tag.substr(0, tag.size() - kLatest.size()) : tag;
}

a4c::RecordRef BuiltImageRef(const std::string& tenant, const std::string& tag) {
  return {"built_image", {tenant, ShortTag(tag)}};
}

}  // namespace

std::string NameOfBuild(const std::string& tenant, const std::string& tag) {
  std::string path = tag;
  const size_t slash = path.rfind('/');
  if (const size_t colon = path.find(':'); slash != std::string::npos && colon < slash) {
    path.replace(colon, 1, kPort);
  }
  return std::string(kBuilds).append(PathOf(tenant)).append("/").append(path);
}

std::string TagOfName(const std::string& name) {
  const size_t end = name.find('/', kBuilds.size());
  if (!name.starts_with(kBuilds) || end == std::string::npos) return name;
  std::string tag = name.substr(end + 1);
  const size_t slash = tag.find('/');
  if (const size_t port = tag.find(kPort); slash != std::string::npos && port < slash) {
    tag.replace(port, kPort.size(), ":");
  }
  return tag;
}

a4c::Put BuiltImagePut(const std::string& tenant, const BuiltImage& image) {
  return {.ref = BuiltImageRef(tenant, image.tag),
          .body = a4c::Json(a4c::Json::Object{{"tag", image.tag},
                                              {"digest", image.digest},
                                              {"host", image.host},
                                              {"job", image.job},
                                              {"built_at", image.built_at}})
                      .ToString()};
}

a4c::Result<std::string> BuiltDigest(const a4c::Call& call, a4c::Database& database,
                                     const std::string& tenant, const std::string& image) {
  const a4c::RecordRef ref = BuiltImageRef(tenant, image);
  if (image.empty() || ref.key.id.size() > kTagBytesMax) return std::string();
  A4C_TRY(const a4c::GetAnswer found, database.Get(call, std::span(&ref, 1)));
  if (!found.records.at(0)) return std::string();
  A4C_TRY(const a4c::Json body, a4c::ParseJson(found.records[0]->body));
  return body["digest"].Text();
}

}  // namespace a4cd
