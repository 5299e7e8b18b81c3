#include "elastic_mapping.h"

namespace a4c::elastic {
namespace {

constexpr int kLayout = 1;  // raised when documents of the same kind are laid out anew

Json TypeOf(FieldType type) {
  Json mapped;
  switch (type) {
    case FieldType::kKeyword:
    case FieldType::kMap:
      return mapped.Set("type", "keyword");
    case FieldType::kText:
      return mapped.Set("type", "text").Set("analyzer", "whitespace").Set("norms", false);
    case FieldType::kLong:
    case FieldType::kTime:
    case FieldType::kBool:
      return mapped.Set("type", "long");
    case FieldType::kDouble:
      return mapped.Set("type", "double");
  }
  return mapped;
}

Json Type(const char* type, bool indexed = true, bool columns = true) {
  Json mapped;
  mapped.Set("type", type);
  if (!indexed) mapped.Set("index", false);
  if (!columns) mapped.Set("doc_values", false);
  return mapped;
}

Json FieldsOf(const Kind& kind) {
  Json fields = Json::Object{};
  for (const Field& field : kind.fields) {
    if (field.searchable) fields.Set(field.name, TypeOf(field.type));
  }
  return fields;
}

Json ValueOf(const SearchField& field) {
  if (field.type == FieldType::kKeyword || field.type == FieldType::kMap) {
    Json values = Json::Array{};
    for (const std::string& keyword : field.keywords) values.Append(keyword);
    return values;
  }
  if (field.type == FieldType::kText) {
    std::string words;
    for (const std::string& word : field.words) words.append(words.empty() ? "" : " ").append(word);
    return words;
  }
  if (const auto* flag = std::get_if<bool>(&field.number)) return *flag ? 1 : 0;
  if (const auto* whole = std::get_if<int64_t>(&field.number)) return *whole;
  return std::get<double>(field.number);
}

std::string Trimmed(const Json& value) {
  return value.IsText() ? value.Text() : value.ToString();
}

// Settings come back as strings or not, depending on the server.
bool SameType(const Json& expected, const Json& actual) {
  for (const auto& [name, value] : expected.Members()) {
    if (Trimmed(actual[name]) != Trimmed(value)) return false;
  }
  return true;
}

}  // namespace

Json MappingOf(const Kind& kind) {
  Json properties;
  properties.Set("id", Type("keyword")).Set("scope", Type("keyword"));
  properties.Set("rev", Type("long", false)).Set("hash", Type("long", false));
  properties.Set("tombstone", Type("boolean")).Set("projection", Type("long", false));
  properties.Set("bucket", Type("integer")).Set("digest", Type("long", false));
  properties.Set("body", Type("keyword", false, false)).Set("exists", Type("keyword", true, false));
  Json fields;
  fields.Set("dynamic", "strict").Set("properties", FieldsOf(kind));
  properties.Set("f", std::move(fields));
  Json mapping;
  mapping.Set("dynamic", "strict").Set("_meta", Json().Set("a4c_layout", kLayout));
  mapping.Set("properties", std::move(properties));
  return mapping;
}

Json CreateBody(const Kind& kind, const std::string& alias, const IndexOptions& options) {
  const int64_t interval_ms = options.refresh_interval_ms;
  Json settings;
  settings.Set("number_of_shards", options.shards).Set("number_of_replicas", options.replicas);
  settings.Set("refresh_interval", interval_ms == 0 ? "-1" : std::to_string(interval_ms) + "ms");
  settings.Set("gc_deletes", "0s");  // Remove forgets the rev; tombstones are what remembers
  Json body;
  body.Set("settings", Json().Set("index", std::move(settings)));
  body.Set("aliases", Json().Set(alias, Json().Set("is_write_index", true)));
  body.Set("mappings", MappingOf(kind));
  return body;
}

Result<Json> MissingOf(const Kind& kind, const Json& mapping) {
  if (mapping["_meta"]["a4c_layout"].Int() != kLayout) {
    return Error(Code::kConflict, "the index has another layout than " + std::to_string(kLayout),
                 "rebuild the index: a4c sync rebuild");
  }
  const Json& mapped = mapping["properties"]["f"]["properties"];
  Json missing;
  for (const Field& field : kind.fields) {
    if (!field.searchable) continue;
    const Json type = TypeOf(field.type);
    const Json* found = mapped.Find(field.name);
    if (found == nullptr) {
      missing.Set(field.name, type);
    } else if (!SameType(type, *found)) {
      return Error(Code::kConflict,
                   "field \"" + field.name + "\" is mapped as " + found->ToString(),
                   "rebuild the index: a4c sync rebuild");
    }
  }
  if (missing.IsNull()) return missing;
  Json fields;
  fields.Set("properties", std::move(missing));
  return Json().Set("properties", Json().Set("f", std::move(fields)));
}

Json DocumentOf(const Document& document, const SearchDocument& indexed) {
  Json exists = Json::Array{};
  Json fields = Json::Object{};
  for (const SearchField& field : indexed.fields) {
    exists.Append(field.name);
    fields.AppendMember(field.name, ValueOf(field));
  }
  Json out = Json::Object{};
  out.AppendMember("id", document.ref.key.id).AppendMember("scope", document.ref.key.scope);
  out.AppendMember("rev", document.rev).AppendMember("hash", int64_t{indexed.body_hash});
  out.AppendMember("tombstone", document.tombstone).AppendMember("projection", document.projection);
  out.AppendMember("bucket", indexed.bucket).AppendMember("digest", int64_t{indexed.digest});
  out.AppendMember("body", document.body);
  if (!indexed.fields.empty()) {
    out.AppendMember("exists", std::move(exists)).AppendMember("f", std::move(fields));
  }
  return out;
}

}  // namespace a4c::elastic
