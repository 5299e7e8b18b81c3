#include "a4c/stored_kind.h"

#include <algorithm>

#include "a4c/json.h"

namespace a4c {
namespace {

Json FieldToJson(const Field& field) {
  return Json()
      .Set("name", field.name)
      .Set("type", static_cast<int>(field.type))
      .Set("quiet", field.quiet)
      .Set("merge", static_cast<int>(field.merge));
}

Field FieldFromJson(const Json& json) {
  return {.name = json["name"].Text(),
          .type = static_cast<FieldType>(json["type"].Int()),
          .quiet = json["quiet"].Bool(),
          .merge = static_cast<Merge>(json["merge"].Int())};
}

Json IndexToJson(const ScanIndex& index) {
  Json fields(Json::Array{});
  for (const std::string& name : index.fields) fields.Append(name);
  return Json()
      .Set("name", index.name)
      .Set("fields", std::move(fields))
      .Set("scoped", index.scoped)
      .Set("unique", index.unique);
}

ScanIndex IndexFromJson(const Json& json) {
  ScanIndex index{.name = json["name"].Text(),
                  .fields = {},
                  .scoped = json["scoped"].Bool(),
                  .unique = json["unique"].Bool()};
  for (const Json& name : json["fields"].Items()) index.fields.push_back(name.Text());
  return index;
}

Error Refuse(const Kind& kind, const std::string& why, const std::string& hint) {
  return Error(Code::kInvalid, "kind \"" + kind.name + "\": " + why, hint);
}

Result<void> CheckField(const Kind& stored, const Field& wanted) {
  const Field* field = FindField(stored, wanted.name);
  if (field == nullptr || (field->type == wanted.type && field->quiet == wanted.quiet)) return {};
  return Refuse(stored, "the field \"" + wanted.name + "\" cannot change its type or be moved",
                "add a field of another name");
}

}  // namespace

std::string KindToJson(const Kind& kind) {
  Json fields(Json::Array{});
  for (const Field& field : kind.fields) fields.Append(FieldToJson(field));
  Json indexes(Json::Array{});
  for (const ScanIndex& index : kind.indexes) indexes.Append(IndexToJson(index));
  Json json = Json()
                  .Set("name", kind.name)
                  .Set("version", kind.version)
                  .Set("fields", std::move(fields))
                  .Set("indexes", std::move(indexes));
  // As it was written before there were these.
  if (!kind.age_field.empty()) json.Set("age_field", kind.age_field);
  if (kind.append_only) json.Set("append_only", true);
  return json.ToString();
}

Result<Kind> KindFromJson(std::string_view text) {
  A4C_TRY(const Json json, ParseJson(text));
  Kind kind{.name = json["name"].Text(),
            .version = static_cast<int>(json["version"].Int()),
            .age_field = json["age_field"].Text(),
            .append_only = json["append_only"].Bool()};
  for (const Json& field : json["fields"].Items()) kind.fields.push_back(FieldFromJson(field));
  for (const Json& index : json["indexes"].Items()) kind.indexes.push_back(IndexFromJson(index));
  A4C_CHECK(CheckKind(kind));
  return kind;
}

Result<bool> CheckUpgrade(const Kind& stored, const Kind& wanted) {
  if (wanted.version < stored.version) {
    return Error(Code::kConflict,
                 "kind \"" + wanted.name + "\": the store holds version " +
                     std::to_string(stored.version) + ", newer than " +
                     std::to_string(wanted.version),
                 "a newer release has migrated this store: start that one or a later one; going "
                 "back to this one means restoring the backup from before");
  }
  if (wanted.version == stored.version) {
    if (KindToJson(stored) == KindToJson(wanted)) return false;
    return Refuse(stored, "version " + std::to_string(stored.version) + " is stored, and differs",
                  "raise the version when fields or indexes change");
  }
  for (const Field& field : wanted.fields) A4C_CHECK(CheckField(stored, field));
  if (!stored.age_field.empty() && stored.age_field != wanted.age_field) {
    return Refuse(stored, "the age_field \"" + stored.age_field + "\" is for good", "keep it");
  }
  return true;
}

}  // namespace a4c
