#include "elastic_query.h"

#include <limits>

#include "a4c/digests.h"

namespace a4c::elastic {
namespace {

using Node = Query::Node;

Json Object(std::string_view name, Json value) {
  Json object;
  object.Set(name, std::move(value));
  return object;
}

std::string Path(const std::string& field) {
  return "f." + field;
}

std::string Escaped(std::string_view text, std::string_view special) {
  std::string escaped;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// Bools are indexed as 0 and 1: see elastic_mapping.h.
Json ValueOf(const Scalar& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
  if (const auto* whole = std::get_if<int64_t>(&value)) return *whole;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return nullptr;
}

Json RangeOf(const Query& query) {
  Json bounds = Json::Object{};
  if (!std::holds_alternative<std::monostate>(query.lower)) {
    bounds.Set(query.lower_inclusive ? "gte" : "gt", ValueOf(query.lower));
  }
  if (!std::holds_alternative<std::monostate>(query.upper)) {
    bounds.Set(query.upper_inclusive ? "lte" : "lt", ValueOf(query.upper));
  }
  return Object("range", Object(Path(query.field), std::move(bounds)));
}

Json PhraseOf(const Query& query) {
  if (query.words.size() == 1) return Object("term", Object(Path(query.field), query.words[0]));
  std::string text;
  for (const std::string& word : query.words) text += (text.empty() ? "" : " ") + word;
  return Object("match_phrase", Object(Path(query.field), std::move(text)));
}

// `*` and `?` mean something to the server, ours are between the pieces.
Json WildcardOf(const Query& query) {
  std::string pattern;
  for (size_t i = 0; i < query.pieces.size(); ++i) {
    if (i > 0) pattern += '*';
    pattern += Escaped(query.pieces[i], "*?\\");
  }
  return Object("wildcard", Object(Path(query.field), Object("value", std::move(pattern))));
}

Json WordsOf(const Query& query) {
  Json words = Json::Array{};
  for (const std::string& word : query.words) words.Append(word);
  return Object("terms", Object(Path(query.field), std::move(words)));
}

Json ListOf(const Query& query) {
  const bool any = query.node == Node::kOr;
  if (query.children.empty()) return Object(any ? "match_none" : "match_all", Json::Object{});
  Json children = Json::Array{};
  for (const Query& child : query.children) children.Append(FilterOf(child));
  Json list = Object(any                        ? "should"
                     : query.node == Node::kNot ? "must_not"
                                                : "filter",
                     std::move(children));
  if (any) list.Set("minimum_should_match", 1);
  return Object("bool", std::move(list));
}

Json SortOf(const SearchPlan& plan) {
  Json sort = Json::Array{};
  for (const SortField& field : plan.sort) {
    Json how = Object("order", field.descending ? "desc" : "asc");
    how.Set("missing", "_last");
    sort.Append(Object(Path(field.name), std::move(how)));
  }
  sort.Append(Object("id", "asc"));
  return sort;
}

// What Elasticsearch itself puts where a document has no value.
Json AbsentValue(const SortField& field) {
  using Limits = std::numeric_limits<int64_t>;
  if (field.type == FieldType::kKeyword) return nullptr;
  if (field.type == FieldType::kDouble) return field.descending ? "-Infinity" : "Infinity";
  return field.descending ? Limits::min() : Limits::max();
}

Json SearchAfter(const SearchPlan& plan) {
  Json values = Json::Array{};
  for (size_t i = 0; i < plan.sort.size(); ++i) {
    const Scalar& value = plan.after->values[i];
    const bool absent = std::holds_alternative<std::monostate>(value);
    values.Append(absent ? AbsentValue(plan.sort[i]) : ValueOf(value));
  }
  values.Append(plan.after->id);
  return values;
}

// The other way round; a server that has no value for it says null, whatever the type.
Scalar SortedValue(const SortField& field, const Json& value) {
  const bool absent = value.IsNull() || value == AbsentValue(field);
  switch (field.type) {
    case FieldType::kLong:
    case FieldType::kTime:
      return absent ? AbsentValue(field).Int() : value.Int();
    case FieldType::kBool:
      return absent ? Scalar() : Scalar(value.Int() != 0);
    case FieldType::kDouble:
      return absent ? Scalar() : Scalar(value.Number());
    default:
      return absent ? Scalar() : Scalar(value.Text());
  }
}

// What Lucene's regular expressions give a meaning to; its dot is any character.
constexpr std::string_view kRegularExpressionSpecial = ".?+*|{}[]()\"\\#@&<>~^$-";

Json FacetsOf(const SearchPlan& plan, int64_t shard_size) {
  Json facets = Json::Object{};
  for (size_t i = 0; i < plan.facets.size(); ++i) {
    const FacetField& facet = plan.facets[i];
    Json terms = Object("field", Path(facet.name));
    terms.Set("size", facet.limit).Set("shard_size", shard_size);
    if (!facet.prefix.empty()) {
      terms.Set("include", Escaped(facet.prefix, kRegularExpressionSpecial) + ".*");
    }
    facets.Set("facet" + std::to_string(i), Object("terms", std::move(terms)));
  }
  return facets;
}

Json LivingOnly() {
  return Object("term", Object("tombstone", false));
}

}  // namespace

Json FilterOf(const Query& resolved) {
  switch (resolved.node) {
    case Node::kAll:
      return Object("match_all", Json::Object{});
    case Node::kAnd:
    case Node::kOr:
    case Node::kNot:
      return ListOf(resolved);
    case Node::kEquals:
      return Object("term", Object(Path(resolved.field), ValueOf(resolved.value)));
    case Node::kPrefix:
      return Object("prefix", Object(Path(resolved.field), ValueOf(resolved.value)));
    case Node::kWildcard:
      return WildcardOf(resolved);
    case Node::kRange:
      return RangeOf(resolved);
    case Node::kExists:
      return Object("term", Object("exists", resolved.field));
    case Node::kPhrase:
      return PhraseOf(resolved);
    case Node::kWords:
      return WordsOf(resolved);
  }
  return Object("match_none", Json::Object{});
}

Json SearchBody(const SearchPlan& plan, const SearchRequest& request, int64_t shard_size) {
  Json filter = Json::Array{};
  filter.Append(LivingOnly());
  if (request.scope) filter.Append(Object("term", Object("scope", *request.scope)));
  filter.Append(FilterOf(plan.query));
  Json body = Object("query", Object("bool", Object("filter", std::move(filter))));
  body.Set("sort", SortOf(plan)).Set("size", request.limit + 1).Set("track_total_hits", true);
  body.Set("_source", Json::Array{"id", "scope", "rev", "body"});
  if (plan.after) body.Set("search_after", SearchAfter(plan));
  if (!plan.facets.empty()) body.Set("aggs", FacetsOf(plan, shard_size));
  return body;
}

std::optional<SortPosition> PositionOf(const SearchPlan& plan, const Json& sort) {
  const Json::Array& values = sort.Items();
  if (values.size() != plan.sort.size() + 1) return std::nullopt;
  SortPosition position{.id = values.back().Text()};
  for (size_t i = 0; i < plan.sort.size(); ++i) {
    position.values.push_back(SortedValue(plan.sort[i], values[i]));
  }
  return position;
}

Json DigestBody() {
  Json terms = Object("field", "bucket");
  terms.Set("size", kDigestBuckets).Set("shard_size", kDigestBuckets);
  Json buckets = Object("terms", std::move(terms));
  buckets.Set("aggs", Object("sum", Object("sum", Object("field", "digest"))));
  Json body = Object("query", Object("bool", Object("filter", Json::Array{LivingOnly()})));
  body.Set("size", 0)
      .Set("track_total_hits", false)
      .Set("aggs", Object("buckets", std::move(buckets)));
  return body;
}

Json DigestRowsBody(std::span<const int> buckets, const std::string& after, int limit) {
  Json wanted = Json::Array{};
  for (const int bucket : buckets) wanted.Append(bucket);
  Json filter = Json::Array{LivingOnly(), Object("terms", Object("bucket", std::move(wanted)))};
  Json body = Object("query", Object("bool", Object("filter", std::move(filter))));
  body.Set("sort", Json::Array{Object("id", "asc")})
      .Set("size", limit)
      .Set("track_total_hits", false);
  body.Set("_source", Json::Array{"id", "scope", "rev", "digest"});
  if (!after.empty()) body.Set("search_after", Json::Array{after});
  return body;
}

}  // namespace a4c::elastic
