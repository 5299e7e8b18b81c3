#include "apps/a4cd/jobs/built_image.h"

#include <span>

#include "a4c/json.h"

namespace a4cd {
namespace {

constexpr size_t kIdBytesMax = 256;

std::string WholeTag(const std::string& tag) {
  const size_t slash = tag.rfind('/');
  const bool has_version =
      tag.find(':', slash == std::string::npos ? 0 : slash) != std::string::npos;
  return has_version ? tag : tag + ":latest";
}

a4c::RecordRef BuiltImageRef(const std::string& tenant, const std::string& tag) {
  return {"built_image", {tenant, WholeTag(tag)}};
}

}  // namespace

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
  if (image.empty() || ref.key.id.size() > kIdBytesMax) return std::string();
  A4C_TRY(const a4c::GetAnswer found, database.Get(call, std::span(&ref, 1)));
  if (!found.records.at(0)) return std::string();
  A4C_TRY(const a4c::Json body, a4c::ParseJson(found.records[0]->body));
  return body["digest"].Text();
}

}  // namespace a4cd
