// The kind that the tests of the query language look things up in, and a short form of a query.
#pragma once

#include <string>

#include "a4c/query.h"

namespace a4c {

inline Kind QueryKind() {
  return Kind{.name = "thing",
              .fields = {{.name = "state", .type = FieldType::kKeyword, .searchable = true},
                         {.name = "kind", .type = FieldType::kKeyword, .searchable = true},
                         {.name = "title", .type = FieldType::kText, .searchable = true},
                         {.name = "error", .type = FieldType::kText, .searchable = true},
                         {.name = "views", .type = FieldType::kLong, .searchable = true},
                         {.name = "score", .type = FieldType::kDouble, .searchable = true},
                         {.name = "done", .type = FieldType::kBool, .searchable = true},
                         {.name = "created_at", .type = FieldType::kTime, .searchable = true},
                         {.name = "labels", .type = FieldType::kMap, .searchable = true},
                         {.name = "secret", .type = FieldType::kKeyword}}};
}

inline std::string Joined(const std::vector<std::string>& parts, const char* between) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : between) + parts[i];
  return text;
}

inline std::string Show(const Scalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return "'" + *text + "'";
  if (const auto* whole = std::get_if<int64_t>(&value)) return std::to_string(*whole);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<double>(&value)) return std::to_string(*number);
  return "";
}

// and(state='failed', views[5,), title:words(a|b), phrase(a b), exists(state), state^'f',
// state~a*b)
inline std::string Show(const Query& query) {
  const auto list = [&](const std::string& name) {
    std::string text;
    for (const Query& child : query.children) text += (text.empty() ? "" : ", ") + Show(child);
    return name + "(" + text + ")";
  };
  const std::string in = query.field.empty() ? "" : query.field + ":";
  switch (query.node) {
    case Query::Node::kAll:
      return "all";
    case Query::Node::kAnd:
      return list("and");
    case Query::Node::kOr:
      return list("or");
    case Query::Node::kNot:
      return list("not");
    case Query::Node::kEquals:
      return query.field + "=" + Show(query.value);
    case Query::Node::kPrefix:
      return query.field + "^" + Show(query.value);
    case Query::Node::kWildcard:
      return query.field + "~" + Joined(query.pieces, "*");
    case Query::Node::kExists:
      return "exists(" + query.field + ")";
    case Query::Node::kPhrase:
      return in + "phrase(" + Joined(query.words, " ") + ")";
    case Query::Node::kWords:
      return in + "words(" + Joined(query.words, "|") + ")";
    case Query::Node::kRange:
      return query.field + (query.lower_inclusive ? "[" : "(") + Show(query.lower) + "," +
             Show(query.upper) + (query.upper_inclusive ? "]" : ")");
  }
  return "?";
}

}  // namespace a4c
