#include "query/query_field.h"

#include <vector>

#include "a4c/json.h"
#include "a4c/nearest.h"
#include "a4c/query.h"
#include "a4c/search_document.h"
#include "query/utf8.h"

namespace a4c {
namespace {

constexpr size_t kMemberBytesMax = 256;  // so that an entry keeps its "=" and some of its value

}  // namespace

std::optional<QueryField> FindQueryField(const Kind& kind, std::string_view name) {
  const size_t dot = name.find('.');
  const Field* field = FindField(kind, name.substr(0, dot));
  if (field == nullptr || !field->searchable) return std::nullopt;
  if (dot == std::string_view::npos) return QueryField{field};
  const std::string_view member = name.substr(dot + 1);
  if (field->type != FieldType::kMap || member.empty() || member.size() > kMemberBytesMax ||
      !CanBeKeyword(member)) {
    return std::nullopt;
  }
  return QueryField{field, std::string(member)};
}

std::string FieldHint(const Kind& kind, std::string_view name) {
  std::vector<std::string_view> names;
  std::string all;
  for (const Field& field : kind.fields) {
    if (!field.searchable) continue;
    names.push_back(field.name);
    all +=
        (all.empty() ? "" : ", ") + field.name + (field.type == FieldType::kMap ? ".<name>" : "");
  }
  const std::string nearest = Nearest(name.substr(0, name.find('.')), names);
  if (!nearest.empty() && nearest != name.substr(0, name.find('.'))) {
    return "did you mean \"" + nearest + "\"?";
  }
  return "fields: " + all;
}

bool CanBeKeyword(std::string_view value) {
  return IsUtf8(value) && value.find('\0') == std::string_view::npos;
}

std::string CutKeyword(std::string_view value) {
  return std::string(CutUtf8(value, kKeywordBytesMax));
}

std::string MapEntry(std::string_view name, std::string_view value) {
  std::string entry;
  entry.reserve(name.size() + 1 + value.size());
  for (char c : name) {
    if (c == '\\' || c == '=') entry += '\\';
    entry += c;
  }
  entry += '=';
  entry += value;
  return CutKeyword(entry);
}

}  // namespace a4c
