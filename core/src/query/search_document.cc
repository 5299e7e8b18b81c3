#include "a4c/search_document.h"

#include <algorithm>

#include "a4c/digests.h"
#include "a4c/json.h"
#include "query/query_field.h"

namespace a4c {
namespace {

Error Refused(const Field& field, const std::string& why) {
  return Error(Code::kInvalid, "field \"" + field.name + "\" " + why);
}

Result<void> AddKeyword(const Field& field, const std::string& value,
                        std::vector<std::string>& out) {
  if (value.find('\0') != std::string::npos) return Refused(field, "holds a NUL");
  out.push_back(CutKeyword(value));
  return {};
}

Result<void> FillKeywords(const Field& field, const Json& value, SearchField& out) {
  if (value.IsText()) return AddKeyword(field, value.Text(), out.keywords);
  if (!value.IsArray()) return Refused(field, "is not a string or an array of strings");
  for (const Json& item : value.Items()) {
    if (!item.IsText()) return Refused(field, "holds something else than strings");
    A4C_CHECK(AddKeyword(field, item.Text(), out.keywords));
  }
  return {};
}

Result<void> FillMap(const Field& field, const Json& value, SearchField& out) {
  if (!value.IsObject()) return Refused(field, "is not an object");
  for (const auto& [name, member] : value.Members()) {
    if (!member.IsText()) return Refused(field, "holds something else than strings");
    A4C_CHECK(AddKeyword(field, MapEntry(name, member.Text()), out.keywords));
  }
  return {};
}

Result<void> Fill(const Field& field, const Json& value, SearchField& out) {
  switch (field.type) {
    case FieldType::kKeyword:
      return FillKeywords(field, value, out);
    case FieldType::kMap:
      return FillMap(field, value, out);
    case FieldType::kText:
      if (!value.IsText()) return Refused(field, "is not a string");
      out.words = Words(value.Text());
      return {};
    case FieldType::kLong:
    case FieldType::kTime:
      if (!value.IsInt()) return Refused(field, "is not a 64-bit integer");
      out.number = value.Int();
      return {};
    case FieldType::kDouble:
      if (!value.IsNumber()) return Refused(field, "is not a number");
      out.number = value.Number() + 0.0;  // -0 becomes 0, as engines disagree on their order
      return {};
    case FieldType::kBool:
      if (!value.IsBool()) return Refused(field, "is not true or false");
      out.number = value.Bool();
      return {};
  }
  return Error(Code::kInternal, "a field type without values");
}

Result<SearchField> Extract(const Field& field, const Json& value) {
  SearchField out{.name = field.name, .type = field.type};
  A4C_CHECK(Fill(field, value, out));
  if (out.keywords.size() > kSearchValuesMax) {
    return Refused(field, "holds more than " + std::to_string(kSearchValuesMax) + " values");
  }
  std::ranges::sort(out.keywords);
  const auto twice = std::ranges::unique(out.keywords);
  out.keywords.erase(twice.begin(), twice.end());
  return out;
}

Result<void> FillFields(const Kind& kind, const Document& document, SearchDocument& out) {
  const BodyLimits limits;
  A4C_TRY(Json body, ParseJson(document.body, {limits.bytes_max, limits.depth_max}));
  if (!body.IsObject()) return Error(Code::kInvalid, "the body is not a JSON object");
  for (const Field& field : kind.fields) {
    if (!field.searchable) continue;
    const Json& value = body[field.name];
    if (value.IsNull()) continue;
    A4C_TRY(SearchField extracted, Extract(field, value));
    out.fields.push_back(std::move(extracted));
  }
  return {};
}

}  // namespace

const SearchField* SearchDocument::Find(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &SearchField::name);
  return found == fields.end() ? nullptr : &*found;
}

Result<SearchDocument> MakeSearchDocument(const Kind& kind, const Document& document) {
  A4C_CHECK(CheckKey(document.ref.key));
  if (document.rev < 1)
    return Error(Code::kInvalid, "rev " + std::to_string(document.rev) + " is below 1");
  const std::string& id = document.ref.key.id;
  SearchDocument out;
  if (document.tombstone) {
    if (!IsUtf8(document.body)) return Error(Code::kInvalid, "the body is not valid UTF-8");
  } else {
    A4C_CHECK(FillFields(kind, document, out));
  }
  out.body_hash = BodyHash(document.body);
  out.bucket = DigestBucket(id);
  out.digest = DigestOf(id, document.rev, out.body_hash, document.tombstone, document.projection);
  return out;
}

}  // namespace a4c
