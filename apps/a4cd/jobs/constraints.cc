#include "apps/a4cd/jobs/constraints.h"

#include <algorithm>
#include <utility>

#include "apps/a4cd/jobs/texts.h"

namespace a4cd {
namespace {

using a4c::Json;

constexpr size_t kArchBytesMax = 32;
constexpr size_t kLabelsMax = 16;

// What people write of the same machines, by uname and by others.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"x86_64", "amd64"}, {"x64", "amd64"}, {"aarch64", "arm64"}, {"armv8", "arm64"}};

bool IsArch(std::string_view arch) {
  return std::ranges::all_of(
      arch, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

void CheckArch(const std::string& arch, FieldReader& fields) {
  const auto* other =
      std::ranges::find(kOtherNames, arch, &std::pair<std::string_view, std::string_view>::first);
  if (other != std::end(kOtherNames)) {
    fields.Add("arch", "is no name of an architecture here",
               "did you mean \"" + std::string(other->second) + "\"?");
  } else if (!IsArch(arch)) {
    fields.Add("arch", "has a-z, 0-9 and \"_\" only", "for example \"amd64\" or \"arm64\"");
  }
}

}  // namespace

Constraints ReadConstraints(FieldReader& fields, const std::string& pointer, Faults& faults) {
  Constraints constraints;
  const Json& given = fields.Any("constraints");
  if (given.IsNull()) return constraints;
  FieldReader inner(given, pointer, faults);
  constraints.arch = inner.Text("arch", {.bytes_max = kArchBytesMax});
  CheckArch(constraints.arch, inner);
  constraints.labels = inner.TextMap("labels", kLabelsMax);
  inner.RefuseOthers();
  return constraints;
}

Json ConstraintsJson(const Constraints& constraints) {
  Json json(Json::Object{});
  if (!constraints.arch.empty()) json.AppendMember("arch", constraints.arch);
  if (constraints.labels.empty()) return json;
  json.AppendMember("labels", MapJson(constraints.labels));
  return json;
}

Constraints ConstraintsOf(const Json& json) {
  return {.arch = json["arch"].Text(), .labels = MapOf(json["labels"])};
}

std::string ConstraintsText(const Constraints& constraints) {
  std::string text = constraints.arch.empty() ? "" : "arch " + constraints.arch;
  for (const auto& [name, value] : constraints.labels) {
    text.append(text.empty() ? "label " : ", label ").append(name).append("=").append(value);
  }
  return text;
}

}  // namespace a4cd
