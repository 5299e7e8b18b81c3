#include "apps/a4cd/jobs/built_image.h"

#include <span>
#include <string_view>

#include "a4c/json.h"

namespace a4cd {
namespace {

// Of "app:latest" the shorter of its two names.
std::string ShortTag(const std::string& tag) {
  constexpr std::string_view kLatest = ":latest";
  return tag.ends_with(kLatest) ? tag.substr(0, tag.size() - kLatest.size()) : tag;
}

a4c::RecordRef BuiltImageRef(const std::string& tenant, const std::string& tag) {
  return {"built_image", {tenant, ShortTag(tag)}};
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
  if (image.empty() || ref.key.id.size() > kTagBytesMax) return std::string();
  A4C_TRY(const a4c::GetAnswer found, database.Get(call, std::span(&ref, 1)));
  if (!found.records.at(0)) return std::string();
  A4C_TRY(const a4c::Json body, a4c::ParseJson(found.records[0]->body));
  return body["digest"].Text();
}

}  // namespace a4cd
