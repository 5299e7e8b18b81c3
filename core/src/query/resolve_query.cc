#include <algorithm>
#include <cmath>

#include "a4c/json.h"
#include "a4c/search_plan.h"
#include "query/pattern.h"
#include "query/query_field.h"

namespace a4c {
namespace {

using Node = Query::Node;

Error WrongValue(const Query& query) {
  return Error(Code::kInvalid,
               "query: the value for field \"" + query.field + "\" is of another type");
}

Result<void> CheckString(const Query& query, std::string_view text) {
  if (CanBeKeyword(text)) return {};
  if (!IsUtf8(text)) return WrongValue(query);
  return Error(Code::kInvalid, "no value of \"" + query.field + "\" has a NUL");
}

// The value as it is indexed; strings of maps become entries.
Result<Scalar> IndexedValue(const Query& query, const QueryField& target, const Scalar& value) {
  switch (target.field->type) {
    case FieldType::kKeyword:
    case FieldType::kMap:
      if (const auto* text = std::get_if<std::string>(&value)) {
        A4C_CHECK(CheckString(query, *text));
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

Error TooLong(const Query& query) {
  return Error(Code::kInvalid, "a bound or beginning of \"" + query.field + "\" is longer than " +
                                   std::to_string(kBoundBytesMax) + " bytes");
}

Result<Scalar> IndexedBound(const Query& query, const QueryField& target, const Scalar& value) {
  A4C_TRY(Scalar bound, IndexedValue(query, target, value));
  const auto* text = std::get_if<std::string>(&bound);
  if (text != nullptr && text->size() > kBoundBytesMax) return TooLong(query);
  return bound;
}

Query TextLeaf(Node node, const std::string& field, const std::vector<std::string>& words) {
  Query leaf{.node = words.empty() ? Node::kOr : node};  // no words find nothing
  if (words.empty()) return leaf;
  leaf.field = field;
  leaf.words = words;
  return leaf;
}

// A list takes in the children of a list of its own node.
void Append(Query& list, Query child) {
  if (list.node != child.node || list.node == Node::kNot) {
    list.children.push_back(std::move(child));
    return;
  }
  for (Query& grandchild : child.children) list.children.push_back(std::move(grandchild));
}

// A pattern that is a beginning, or nothing but stars, is a prefix; stars in a row are one.
Query PiecesLeaf(const std::string& field, std::vector<std::string> pieces) {
  pieces.erase(std::remove(pieces.begin() + 1, pieces.end() - 1, std::string()), pieces.end() - 1);
  const bool prefix = pieces.size() == 2 && pieces[1].empty();
  Query leaf{.node = prefix ? Node::kPrefix : Node::kWildcard, .field = field};
  if (prefix) {
    leaf.value = std::move(pieces[0]);
  } else {
    leaf.pieces = std::move(pieces);
  }
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
      case Node::kPrefix:
      case Node::kWildcard:
        return ResolvePattern(query);
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
      Append(out, std::move(resolved));
    }
    const bool twice = out.node == Node::kNot && out.children[0].node == Node::kNot;
    return twice ? std::move(out.children[0].children[0]) : std::move(out);
  }

  Result<Query> ResolveWords(const Query& query) const {
    if (query.field.empty()) {
      return InAnyText(
          [&](const std::string& field) { return TextLeaf(query.node, field, query.words); });
    }
    A4C_TRY(QueryField target, Target(query));
    if (target.field->type != FieldType::kText) return WrongValue(query);
    return TextLeaf(query.node, query.field, query.words);
  }

  Result<Query> ResolvePattern(const Query& query) const {
    const auto* beginning = std::get_if<std::string>(&query.value);
    const bool prefix = query.node == Node::kPrefix;
    if (prefix && beginning == nullptr) return WrongValue(query);
    std::vector<std::string> pieces =
        prefix ? std::vector<std::string>{*beginning, ""} : query.pieces;
    for (const std::string& piece : pieces) A4C_CHECK(CheckString(query, piece));
    if (query.field.empty()) {
      A4C_TRY(pieces, IndexedPieces(FieldType::kText, std::move(pieces)));
      return InAnyText([&](const std::string& field) { return PiecesLeaf(field, pieces); });
    }
    A4C_TRY(QueryField target, Target(query));
    const FieldType type = target.field->type;
    const bool member = type == FieldType::kMap && target.member;
    if (!member && type != FieldType::kKeyword && type != FieldType::kText) {
      return WrongValue(query);
    }
    A4C_TRY(pieces, IndexedPieces(type, std::move(pieces)));
    if (member) pieces[0] = MapEntry(*target.member, pieces[0]);
    if (pieces[0].size() > kBoundBytesMax) return TooLong(query);
    return PiecesLeaf(target.field->name, std::move(pieces));
  }

  template <typename Leaf>
  Query InAnyText(Leaf&& leaf) const {
    Query any{.node = Node::kOr};
    for (const Field& field : kind_.fields) {
      if (field.searchable && field.type == FieldType::kText) Append(any, leaf(field.name));
    }
    return any.children.size() == 1 ? std::move(any.children[0]) : std::move(any);
  }

  Result<Query> ResolveField(const Query& query) const {
    A4C_TRY(QueryField target, Target(query));
    Query out{.node = query.node, .field = target.field->name};
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
      A4C_TRY(out.lower, IndexedBound(query, target, query.lower));
    } else if (target.member) {
      out.lower = MapEntry(*target.member, "");
      out.lower_inclusive = true;
    }
    if (!absent(query.upper)) {
      A4C_TRY(out.upper, IndexedBound(query, target, query.upper));
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
