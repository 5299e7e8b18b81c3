#include "a4c/search_plan.h"

#include <algorithm>
#include <limits>

#include "a4c/json.h"
#include "query/query_field.h"

namespace a4c {
namespace {

constexpr int kLimitMax = 1000;
constexpr size_t kSortKeysMax = 8;
constexpr size_t kFacetsMax = 16;
constexpr size_t kCursorBytesMax = 32u << 10;

bool IsInteger(FieldType type) {
  return type == FieldType::kLong || type == FieldType::kTime;
}

Error NotSearchable(const Kind& kind, const std::string& name) {
  return Error(Code::kInvalid, "\"" + name + "\" is no searchable field of " + kind.name,
               FieldHint(kind, name));
}

Result<SortField> SortFor(const Kind& kind, const SortKey& key) {
  const Field* field = FindField(kind, key.field);
  if (field == nullptr || !field->searchable) return NotSearchable(kind, key.field);
  if (field->type == FieldType::kText || field->type == FieldType::kMap) {
    return Error(Code::kInvalid, "\"" + key.field + "\" has no order to sort by");
  }
  return SortField{key.field, field->type, key.descending};
}

Result<FacetField> FacetFor(const Kind& kind, const FacetKey& key) {
  const auto found = FindQueryField(kind, key.field);
  if (!found) return NotSearchable(kind, key.field);
  const FieldType type = found->field->type;
  const bool strings = type == FieldType::kKeyword || type == FieldType::kMap;
  if (!strings && type != FieldType::kBool) {
    return Error(Code::kInvalid, "\"" + key.field + "\" is no keyword, bool or map to count by");
  }
  if (!key.prefix.empty() && (!strings || !CanBeKeyword(key.prefix))) {
    return Error(Code::kInvalid, "the prefix for \"" + key.field + "\" is no beginning of a value");
  }
  if (key.limit < 1 || key.limit > kLimitMax) {
    return Error(Code::kInvalid,
                 "a facet of " + std::to_string(key.limit) + " values, not 1 to 1000");
  }
  FacetField facet{.name = found->field->name, .type = type, .limit = key.limit};
  if (found->member) facet.prefix = MapEntry(*found->member, "");
  facet.cut = facet.prefix.size();
  facet.prefix += key.prefix;
  if (facet.prefix.size() <= kFacetPrefixBytesMax) return facet;
  return Error(Code::kInvalid, "the prefix for \"" + key.field + "\" is longer than " +
                                   std::to_string(kFacetPrefixBytesMax) + " bytes");
}

Json ToJson(const Scalar& value) {
  return std::visit(
      [](const auto& held) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>)
          return nullptr;
        else
          return held;
      },
      value);
}

Result<Scalar> FromJson(const SortField& field, const Json& value) {
  if (value.IsNull() && !IsInteger(field.type)) return Scalar{};
  if (value.IsInt() && IsInteger(field.type)) return Scalar(value.Int());
  if (value.IsNumber() && field.type == FieldType::kDouble) return Scalar(value.Number());
  if (value.IsBool() && field.type == FieldType::kBool) return Scalar(value.Bool());
  if (value.IsText() && field.type == FieldType::kKeyword && CanBeKeyword(value.Text())) {
    return Scalar(value.Text());
  }
  return Error(Code::kInvalid, "another type");
}

// Which order a cursor belongs to: it is of no use in another.
std::string OrderName(const SearchPlan& plan) {
  std::string name;
  for (const SortField& field : plan.sort) name += (field.descending ? "-" : "+") + field.name;
  return name;
}

std::string ToHex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

std::string FromHex(std::string_view hex) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = digit(hex[i]);
    const int low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

Result<SortPosition> ParseCursor(const SearchPlan& plan, const std::string& cursor) {
  const Error bad(Code::kInvalid, "the cursor is not one of this search",
                  "send `next` of the answer before, with the same sort");
  if (cursor.size() > kCursorBytesMax) return bad;
  const auto parsed = ParseJson(FromHex(cursor));
  if (!parsed || (*parsed)["o"].Text() != OrderName(plan)) return bad;
  const Json::Array& values = (*parsed)["v"].Items();
  SortPosition position{.id = (*parsed)["i"].Text()};
  if (values.size() != plan.sort.size() || !CheckKey({"", position.id})) return bad;
  for (size_t i = 0; i < values.size(); ++i) {
    auto value = FromJson(plan.sort[i], values[i]);
    if (!value) return bad;
    position.values.push_back(*std::move(value));
  }
  return position;
}

Scalar SortValue(const SortField& sort, const SearchDocument& document) {
  const SearchField* field = document.Find(sort.name);
  if (IsInteger(sort.type) && field == nullptr) {
    using Limits = std::numeric_limits<int64_t>;
    return sort.descending ? Limits::min() : Limits::max();
  }
  if (field == nullptr) return {};
  if (sort.type != FieldType::kKeyword) return field->number;
  if (field->keywords.empty()) return {};
  return sort.descending ? field->keywords.back() : field->keywords.front();
}

}  // namespace

Result<SearchPlan> PlanSearch(const SearchRequest& request) {
  if (request.limit < 1 || request.limit > kLimitMax) {
    return Error(Code::kInvalid, "limit " + std::to_string(request.limit) + " is not 1 to 1000");
  }
  if (request.sort.size() > kSortKeysMax) return Error(Code::kInvalid, "more than 8 sort keys");
  if (request.facets.size() > kFacetsMax) return Error(Code::kInvalid, "more than 16 facets");
  SearchPlan plan;
  A4C_TRY(plan.query, ResolveQuery(request.query, request.kind));
  for (const SortKey& key : request.sort) {
    A4C_TRY(SortField field, SortFor(request.kind, key));
    plan.sort.push_back(std::move(field));
  }
  for (const FacetKey& key : request.facets) {
    A4C_TRY(FacetField facet, FacetFor(request.kind, key));
    plan.facets.push_back(std::move(facet));
  }
  if (!request.after.empty()) {
    A4C_TRY(plan.after, ParseCursor(plan, request.after));
  }
  return plan;
}

SortPosition SortPositionOf(const SearchPlan& plan, const SearchDocument& document,
                            std::string_view id) {
  SortPosition position{.id = std::string(id)};
  position.values.reserve(plan.sort.size());
  for (const SortField& field : plan.sort) position.values.push_back(SortValue(field, document));
  return position;
}

bool SortsBefore(const SearchPlan& plan, const SortPosition& a, const SortPosition& b) {
  for (size_t i = 0; i < plan.sort.size(); ++i) {
    const Scalar& left = a.values[i];
    const Scalar& right = b.values[i];
    if (left == right) continue;
    if (std::holds_alternative<std::monostate>(left)) return false;
    if (std::holds_alternative<std::monostate>(right)) return true;
    return plan.sort[i].descending ? right < left : left < right;
  }
  return a.id < b.id;
}

std::string NextCursor(const SearchPlan& plan, const SortPosition& last) {
  Json cursor = Json::Object{};
  cursor.Set("o", OrderName(plan)).Set("i", last.id);
  Json values = Json::Array{};
  for (const Scalar& value : last.values) values.Append(ToJson(value));
  cursor.Set("v", std::move(values));
  return ToHex(cursor.ToString());
}

}  // namespace a4c
