#include "a4c/kind.h"

#include <algorithm>
#include <set>

namespace a4c {
namespace {

constexpr size_t kNameMax = 40;
constexpr size_t kIndexFieldsMax = 4;

bool IsName(std::string_view name) {
  if (name.empty() || name.size() > kNameMax || name[0] < 'a' || name[0] > 'z') return false;
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

Error Wrong(const Kind& kind, std::string_view part, std::string_view why) {
  return Error(Code::kInvalid,
               "kind \"" + kind.name + "\": " + std::string(part) + ": " + std::string(why));
}

bool Scannable(const Field& field) {
  return field.type != FieldType::kText && field.type != FieldType::kMap;
}

Result<void> CheckField(const Kind& kind, const Field& field) {
  if (!IsName(field.name)) {
    return Wrong(kind, "field \"" + field.name + "\"", "is not [a-z][a-z0-9_]* of at most 40");
  }
  if (field.quiet && field.searchable) return Wrong(kind, field.name, "quiet and searchable");
  if (field.quiet && !Scannable(field)) return Wrong(kind, field.name, "a quiet text or map");
  if (!field.quiet && field.merge != Merge::kReplace) {
    return Wrong(kind, field.name, "merge rules are for quiet fields");
  }
  return {};
}

Result<void> CheckIndex(const Kind& kind, const ScanIndex& index) {
  if (!IsName(index.name)) return Wrong(kind, "index \"" + index.name + "\"", "is no valid name");
  if (index.fields.empty() || index.fields.size() > kIndexFieldsMax) {
    return Wrong(kind, index.name, "an index has one to four fields");
  }
  for (const std::string& name : index.fields) {
    const Field* field = FindField(kind, name);
    if (field == nullptr) return Wrong(kind, index.name, "unknown field \"" + name + "\"");
    if (!Scannable(*field)) return Wrong(kind, index.name, "\"" + name + "\" has no order");
    if (index.unique && field->quiet) {
      return Wrong(kind, index.name, "unique over the quiet field \"" + name + "\"");
    }
  }
  return {};
}

Result<void> CheckAge(const Kind& kind) {
  if (kind.age_field.empty()) return {};
  const Field* field = FindField(kind, kind.age_field);
  if (field == nullptr || field->type != FieldType::kTime) {
    return Wrong(kind, "age_field", "\"" + kind.age_field + "\" is no field of a time");
  }
  const auto leads = [&](const ScanIndex& index) {
    return !index.scoped && index.fields[0] == kind.age_field;
  };
  if (std::ranges::none_of(kind.indexes, leads)) {
    return Wrong(kind, "age_field", "leads no index over all scopes");
  }
  if (std::ranges::any_of(kind.indexes, &ScanIndex::unique)) {
    return Wrong(kind, "age_field", "a kind whose records end by age has no unique index");
  }
  return {};
}

Result<void> CheckSerial(const Kind& kind) {
  if (kind.serial_key_field.empty() && kind.serial_index.empty()) return {};
  const ScanIndex* index = FindIndex(kind, kind.serial_index);
  if (index == nullptr) return Wrong(kind, "serial_index", "unknown index");
  if (index->fields[0] != kind.serial_key_field) {
    return Wrong(kind, "serial_index", "is not led by serial_key_field");
  }
  return {};
}

}  // namespace

const Field* FindField(const Kind& kind, std::string_view name) {
  const auto found = std::ranges::find(kind.fields, name, &Field::name);
  return found == kind.fields.end() ? nullptr : &*found;
}

const ScanIndex* FindIndex(const Kind& kind, std::string_view name) {
  const auto found = std::ranges::find(kind.indexes, name, &ScanIndex::name);
  return found == kind.indexes.end() ? nullptr : &*found;
}

Result<void> CheckKind(const Kind& kind) {
  if (!IsName(kind.name)) {
    return Error(Code::kInvalid, "kind \"" + kind.name + "\" is not [a-z][a-z0-9_]* of at most 40");
  }
  std::set<std::string_view> seen;
  for (const Field& field : kind.fields) {
    A4C_CHECK(CheckField(kind, field));
    if (!seen.insert(field.name).second) return Wrong(kind, field.name, "field named twice");
  }
  seen.clear();
  for (const ScanIndex& index : kind.indexes) {
    A4C_CHECK(CheckIndex(kind, index));
    if (!seen.insert(index.name).second) return Wrong(kind, index.name, "index named twice");
  }
  A4C_CHECK(CheckAge(kind));
  return CheckSerial(kind);
}

}  // namespace a4c
