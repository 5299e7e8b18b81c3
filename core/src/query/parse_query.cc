#include <algorithm>
#include <optional>
#include <utility>

#include "a4c/json.h"
#include "a4c/query.h"
#include "a4c/search_plan.h"
#include "query/lexer.h"
#include "query/literal.h"
#include "query/query_field.h"

namespace a4c {
namespace {

using Type = QueryToken::Type;

std::optional<Comparison> ComparisonOf(Type type) {
  switch (type) {
    case Type::kColon:
      return Comparison::kEquals;
    case Type::kLess:
      return Comparison::kLess;
    case Type::kLessEqual:
      return Comparison::kLessEqual;
    case Type::kGreater:
      return Comparison::kGreater;
    case Type::kGreaterEqual:
      return Comparison::kGreaterEqual;
    default:
      return std::nullopt;
  }
}

constexpr size_t kWildcardCost = 8;  // every value of the field is looked at

// Of a beginning as short as that engines look at a good part of the values, and of the documents.
size_t PrefixCost(const Query& leaf) {
  const auto* beginning = std::get_if<std::string>(&leaf.value);
  const auto is_first = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; };
  const auto characters = beginning == nullptr ? 0 : std::ranges::count_if(*beginning, is_first);
  if (characters > 2) return 1;
  return characters == 2 ? kWildcardCost / 2 : kWildcardCost;
}

// The field whose values a group in parentheses lists: field:(a or b).
struct Target {
  std::string path;
  FieldType type = FieldType::kKeyword;
};

// Recursive descent, which stops at depth_max levels. The same three levels of or, and, not serve
// the whole query (no target) and the values of one field (a target).
class Parser {
 public:
  Parser(std::string_view query, std::vector<QueryToken> tokens, const Kind& kind, int64_t now_ms,
         const QueryLimits& limits)
      : query_(query), tokens_(std::move(tokens)), kind_(kind), now_ms_(now_ms), limits_(limits) {}

  Result<Query> Run() {
    if (Peek().type == Type::kEnd) return Query{};
    A4C_TRY(Query all, ParseOr(nullptr, 0));
    if (Peek().type == Type::kClose) return Fail(Peek(), "this \")\" closes nothing");
    if (Peek().type != Type::kEnd) return ExpectedOperator();
    return all;
  }

 private:
  Result<Query> ParseOr(const Target* target, int depth) {
    return ParseList(Query::Node::kOr, Type::kOr, target, depth);
  }
  Result<Query> ParseAnd(const Target* target, int depth) {
    return ParseList(Query::Node::kAnd, Type::kAnd, target, depth);
  }

  Result<Query> ParseList(Query::Node node, Type between, const Target* target, int depth) {
    const auto parse_item = [&] {
      return node == Query::Node::kOr ? ParseAnd(target, depth) : ParseNot(target, depth);
    };
    A4C_TRY(Query first, parse_item());
    if (Peek().type != between) return first;
    Query list{.node = node};
    list.children.push_back(std::move(first));
    while (Peek().type == between) {
      ++at_;
      A4C_TRY(Query next, parse_item());
      list.children.push_back(std::move(next));
    }
    return list;
  }

  Result<Query> ParseNot(const Target* target, int depth) {
    if (Peek().type != Type::kNot) return ParsePrimary(target, depth);
    A4C_CHECK(CheckDepth(depth));
    ++at_;
    A4C_TRY(Query child, ParseNot(target, depth + 1));
    Query negation{.node = Query::Node::kNot};
    negation.children.push_back(std::move(child));
    return negation;
  }

  Result<Query> ParsePrimary(const Target* target, int depth) {
    switch (Peek().type) {
      case Type::kOpen:
        return ParseParentheses(target, depth);
      case Type::kQuoted:
      case Type::kWord:
        if (target != nullptr) return ParseListed(*target);
        return ComparisonOf(Peek(1).type) ? ParseField(depth) : ParseFreeText();
      default:
        return UnexpectedToken();
    }
  }

  Result<Query> ParseParentheses(const Target* target, int depth) {
    A4C_CHECK(CheckDepth(depth));
    const QueryToken open = Peek();
    ++at_;
    A4C_TRY(Query inner, ParseOr(target, depth + 1));
    if (Peek().type == Type::kEnd) return Fail(open, "this \"(\" is never closed");
    if (Peek().type != Type::kClose) return ExpectedOperator();
    ++at_;
    return inner;
  }

  Result<Query> ParseField(int depth) {
    const QueryToken name = Peek();
    const Comparison comparison = *ComparisonOf(Peek(1).type);
    A4C_TRY(Target target, ResolveTarget(name, Peek(2)));
    at_ += 2;
    const QueryToken& value = Peek();
    if (comparison == Comparison::kEquals && value.type == Type::kOpen) {
      return ParseParentheses(&target, depth);
    }
    if (ComparisonOf(value.type)) {
      return Fail(value, "two comparisons in a row",
                  "write " + name.text + " >= value, without \":\"");
    }
    if (value.type != Type::kWord && value.type != Type::kQuoted) {
      return Fail(value, "expected a value for \"" + name.text + "\"",
                  "a value that is a word of the language goes in quotes");
    }
    return ParseValue(target, comparison);
  }

  Result<Target> ResolveTarget(const QueryToken& name, const QueryToken& value) {
    if (name.type == Type::kQuoted || !name.stars.empty()) {
      return Fail(name, "expected the name of a field", FieldHint(kind_, ""));
    }
    const auto found = FindQueryField(kind_, name.text);
    if (!found) {
      const std::string shown = name.text.size() > 80 ? "field" : "field \"" + name.text + "\"";
      return Fail(name, "unknown " + shown, FieldHint(kind_, name.text));
    }
    const bool exists = value.text.empty() && !value.stars.empty();
    if (found->field->type == FieldType::kMap && !found->member && !exists) {
      return NamedValues(name, name.text);
    }
    return Target{name.text, found->field->type};
  }

  // A value in field:(a or b).
  Result<Query> ParseListed(const Target& target) {
    if (!ComparisonOf(Peek(1).type)) return ParseValue(target, Comparison::kEquals);
    return Fail(Peek(), "a field among the values of \"" + target.path + "\"",
                "close the parenthesis before it");
  }

  Result<Query> ParseValue(const Target& target, Comparison comparison) {
    const QueryToken first = Peek();
    auto leaf = LeafOf(target.path, target.type, comparison, TakeLiterals(), now_ms_);
    if (!leaf) return Fail(first, leaf.error().message(), leaf.error().hint());
    const bool whole_map =
        target.type == FieldType::kMap && target.path.find('.') == std::string::npos;
    if (whole_map && leaf->node != Query::Node::kExists) return NamedValues(first, target.path);
    return Counted(*std::move(leaf), first);
  }

  Error NamedValues(const QueryToken& token, const std::string& path) const {
    return Fail(token, "\"" + path + "\" holds named values", "write " + path + ".<name>:value");
  }

  Result<Query> ParseFreeText() {
    const QueryToken first = Peek();
    const std::vector<Literal> literals = TakeLiterals();
    const bool all = literals.size() == 1 && first.text.empty() && !first.stars.empty();
    if (all) return Counted(Query{}, first);
    if (!HasText()) return Fail(first, kind_.name + " has no text to search", FieldHint(kind_, ""));
    auto leaf = TextLeafOf("", literals);
    if (!leaf) return Fail(first, leaf.error().message(), leaf.error().hint());
    return Counted(*std::move(leaf), first);
  }

  // One quoted value, or words up to the next operator: "field:connection refused".
  std::vector<Literal> TakeLiterals() {
    std::vector<Literal> literals;
    const bool quoted = Peek().type == Type::kQuoted;
    do {
      literals.push_back({Peek().text, quoted, Peek().stars});
      ++at_;
    } while (!quoted && IsPlainWord());
    return literals;
  }

  // A word that continues the one before it, and no name of a field.
  bool IsPlainWord() const { return Peek().type == Type::kWord && !ComparisonOf(Peek(1).type); }

  bool HasText() const {
    for (const Field& field : kind_.fields) {
      if (field.searchable && field.type == FieldType::kText) return true;
    }
    return false;
  }

  static size_t CostOf(const Query& leaf) {
    if (leaf.node == Query::Node::kWildcard) return kWildcardCost;
    if (leaf.node == Query::Node::kPrefix) return PrefixCost(leaf);
    size_t cost = std::max<size_t>(leaf.words.size(), leaf.children.empty() ? 1 : 0);
    for (const Query& child : leaf.children) cost += CostOf(child);
    return cost;
  }

  Result<Query> Counted(Query leaf, const QueryToken& token) {
    clauses_ += CostOf(leaf);
    if (clauses_ > static_cast<size_t>(limits_.clauses_max)) {
      return Fail(token, "more than " + std::to_string(limits_.clauses_max) + " clauses",
                  "each word counts 1, a pattern or a beginning of one letter 8, of two letters "
                  "4: write more of it, or split the query");
    }
    // What is refused later has no column any more.
    const auto resolved = ResolveQuery(leaf, kind_);
    if (!resolved) return Fail(token, resolved.error().message(), resolved.error().hint());
    return leaf;
  }

  // Whatever the limits say, a tree that no engine would take is not begun.
  Result<void> CheckDepth(int depth) {
    const int depth_max = std::min(limits_.depth_max, kQueryTreeDepthMax);
    if (depth < depth_max) return {};
    return Fail(Peek(), "nested deeper than " + std::to_string(depth_max));
  }

  Error UnexpectedToken() const {
    const QueryToken& token = Peek();
    const std::string before = at_ > 0 ? " after \"" + Shown(tokens_[at_ - 1]) + "\"" : "";
    if (token.type == Type::kEnd) return Fail(token, "expected something to look for" + before);
    return Fail(token, "expected something to look for" + before + ", not \"" + Shown(token) + "\"",
                "a value that is a word of the language goes in quotes");
  }

  Error ExpectedOperator() const {
    return Fail(Peek(), "expected \"and\", \"or\" or the end, not \"" + Shown(Peek()) + "\"",
                "write \"and\" or \"or\" between two conditions");
  }

  std::string Shown(const QueryToken& token) const {
    constexpr size_t kShown = 40;
    return token.size > kShown ? "..." : std::string(query_.substr(token.offset, token.size));
  }

  const QueryToken& Peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }

  Error Fail(const QueryToken& token, const std::string& message, std::string hint = {}) const {
    return QueryError(query_, token.offset, message, std::move(hint));
  }

  const std::string_view query_;
  const std::vector<QueryToken> tokens_;
  const Kind& kind_;
  const int64_t now_ms_;
  const QueryLimits limits_;
  size_t at_ = 0;
  size_t clauses_ = 0;
};

}  // namespace

Result<Query> ParseQuery(std::string_view text, const Kind& kind, int64_t now_ms,
                         const QueryLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Error(Code::kInvalid,
                 "the query is longer than " + std::to_string(limits.bytes_max) + " bytes");
  }
  if (!IsUtf8(text)) return Error(Code::kInvalid, "the query is not valid UTF-8");
  A4C_TRY(std::vector<QueryToken> tokens, Tokenize(text));
  return Parser(text, std::move(tokens), kind, now_ms, limits).Run();
}

}  // namespace a4c
