#include <cmath>

#include "a4c/json.h"
#include "a4c/search_plan.h"
#include "query/query_field.h"

namespace a4c {
namespace {

using Node = Query::Node;

Error WrongValue(const Query& query) {
  return Error(Code::kInvalid,
               "query: the value for field \"" + query.field + "\" is of another type");
}

// The value as it is indexed; strings of maps become entries.
Result<Scalar> IndexedValue(const Query& query, const QueryField& target, const Scalar& value) {
  switch (target.field->type) {
    case FieldType::kKeyword:
    case FieldType::kMap:
      if (const auto* text = std::get_if<std::string>(&value); text != nullptr && IsUtf8(*text)) {
        return Scalar(target.member ? MapEntry(*target.member, *text) : CutKeyword(*text));
      }
      break;
    case FieldType::kLong:
    case FieldType::kTime:
      if (std::holds_alternative<int64_t>(value)) return value;
      break;
    case FieldType::kDouble:
      if (const auto* whole = std::get_if<int64_t>(&value))
        return Scalar(static_cast<double>(*whole));
      if (const auto* number = std::get_if<double>(&value);
          number != nullptr && std::isfinite(*number)) {
        return Scalar(*number + 0.0);
      }
      break;
    case FieldType::kBool:
      if (std::holds_alternative<bool>(value)) return value;
      break;
    case FieldType::kText:
      break;
  }
  return WrongValue(query);
}

Query TextLeaf(Node node, const std::string& field, const std::vector<std::string>& words) {
  Query leaf{.node = words.empty() ? Node::kOr : node};  // no words find nothing
  if (words.empty()) return leaf;
  leaf.field = field;
  leaf.words = words;
  return leaf;
}

class Resolver {
 public:
  explicit Resolver(const Kind& kind) : kind_(kind) {}

  Result<Query> Resolve(const Query& query, int depth) const {
    if (depth >= kQueryTreeDepthMax) return Error(Code::kInvalid, "query: nested too deep");
    switch (query.node) {
      case Node::kAll:
        return Query{};
      case Node::kNot:
        if (query.children.size() != 1) return Error(Code::kInvalid, "query: a not of several");
        return ResolveChildren(query, depth);
      case Node::kAnd:
      case Node::kOr:
        return ResolveChildren(query, depth);
      case Node::kPhrase:
      case Node::kWords:
        return ResolveWords(query);
      default:
        return ResolveField(query);
    }
  }

 private:
  Result<Query> ResolveChildren(const Query& query, int depth) const {
    Query out{.node = query.node};
    out.children.reserve(query.children.size());
    for (const Query& child : query.children) {
      A4C_TRY(Query resolved, Resolve(child, depth + 1));
      out.children.push_back(std::move(resolved));
    }
    return out;
  }

  Result<Query> ResolveWords(const Query& query) const {
    if (!query.field.empty()) {
      A4C_TRY(QueryField target, Target(query));
      if (target.field->type != FieldType::kText) return WrongValue(query);
      return TextLeaf(query.node, query.field, query.words);
    }
    Query any{.node = Node::kOr};
    for (const Field& field : kind_.fields) {
      if (!field.searchable || field.type != FieldType::kText) continue;
      any.children.push_back(TextLeaf(query.node, field.name, query.words));
    }
    return any;
  }

  Result<Query> ResolveField(const Query& query) const {
    A4C_TRY(QueryField target, Target(query));
    Query out{.node = query.node, .field = target.field->name};
    const bool keyword =
        target.field->type == FieldType::kKeyword || target.field->type == FieldType::kMap;
    const bool whole_map = target.field->type == FieldType::kMap && !target.member;
    if (query.node == Node::kExists) {
      if (target.member) {
        out.node = Node::kPrefix;
        out.value = MapEntry(*target.member, "");
      }
      return out;
    }
    if (whole_map) return WrongValue(query);
    if (query.node == Node::kRange) return ResolveRange(query, target, std::move(out));
    if (query.node == Node::kEquals && target.field->type == FieldType::kText) {
      const auto* text = std::get_if<std::string>(&query.value);
      if (text == nullptr) return WrongValue(query);
      return TextLeaf(Node::kPhrase, out.field, Words(*text));
    }
    if (query.node == Node::kPrefix && !keyword) return WrongValue(query);
    A4C_TRY(out.value, IndexedValue(query, target, query.value));
    return out;
  }

  Result<Query> ResolveRange(const Query& query, const QueryField& target, Query out) const {
    const auto absent = [](const Scalar& value) {
      return std::holds_alternative<std::monostate>(value);
    };
    const FieldType type = target.field->type;
    if (type == FieldType::kText || type == FieldType::kBool) return WrongValue(query);
    if (absent(query.lower) && absent(query.upper)) {
      return Error(Code::kInvalid, "query: a range of \"" + query.field + "\" without bounds");
    }
    out.lower_inclusive = query.lower_inclusive;
    out.upper_inclusive = query.upper_inclusive;
    if (!absent(query.lower)) {
      A4C_TRY(out.lower, IndexedValue(query, target, query.lower));
    } else if (target.member) {
      out.lower = MapEntry(*target.member, "");
      out.lower_inclusive = true;
    }
    if (!absent(query.upper)) {
      A4C_TRY(out.upper, IndexedValue(query, target, query.upper));
    } else if (target.member) {
      out.upper = BehindAllEntries(*target.member);
      out.upper_inclusive = false;
    }
    return out;
  }

  // "team>" comes right behind everything that starts with "team=".
  static std::string BehindAllEntries(const std::string& member) {
    std::string bound = MapEntry(member, "");
    bound.back() = static_cast<char>(bound.back() + 1);
    return bound;
  }

  Result<QueryField> Target(const Query& query) const {
    const auto found = FindQueryField(kind_, query.field);
    if (found) return *found;
    return Error(Code::kInvalid, "query: unknown field \"" + query.field + "\"",
                 FieldHint(kind_, query.field));
  }

  const Kind& kind_;
};

}  // namespace

Result<Query> ResolveQuery(const Query& query, const Kind& kind) {
  return Resolver(kind).Resolve(query, 0);
}

}  // namespace a4c
