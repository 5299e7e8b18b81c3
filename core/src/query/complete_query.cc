#include <algorithm>
#include <set>

#include "a4c/completion.h"
#include "a4c/json.h"
#include "a4c/search_plan.h"
#include "query/lexer.h"
#include "query/query_field.h"

namespace a4c {
namespace {

using Type = QueryToken::Type;
using What = Suggestion::What;

constexpr size_t kQueryBytesMax = 8192;
constexpr int kLabelEntriesMax = 1000;  // looked through for names
constexpr int kValuesMax = 20;          // asked for

struct Target {
  std::string path;
  FieldType type = FieldType::kKeyword;
};

// What may come next.
struct Expected {
  bool operand = true;                // a condition, or a value where there is a target
  std::optional<Target> target = {};  // of which a value is expected
  bool listed = false;                // the value stands in field:( ... )
};

bool IsComparison(Type type) {
  return type == Type::kColon || type == Type::kLess || type == Type::kLessEqual ||
         type == Type::kGreater || type == Type::kGreaterEqual;
}

std::optional<Target> TargetOf(const Kind& kind, const std::string& path) {
  const auto found = FindQueryField(kind, path);
  if (!found) return std::nullopt;
  return Target{path, found->field->type};
}

// Reads the whole words before the one at the cursor. Nothing is said about what cannot be.
class Context {
 public:
  explicit Context(const Kind& kind) : kind_(kind) {}

  std::optional<Expected> After(std::span<const QueryToken> tokens) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      const bool named = i + 1 < tokens.size() && IsComparison(tokens[i + 1].type);
      if (!Read(tokens[i], named)) return std::nullopt;
    }
    return now_;
  }

 private:
  bool Read(const QueryToken& token, bool named) {
    switch (token.type) {
      case Type::kOpen:
        groups_.push_back(now_);
        now_ = {.operand = true, .target = now_.target, .listed = now_.target.has_value()};
        return true;
      case Type::kClose:
        if (groups_.empty()) return false;
        now_ = Outside(groups_.back());
        groups_.pop_back();
        return true;
      case Type::kAnd:
      case Type::kOr:
      case Type::kNot:
        now_.operand = true;
        return true;
      case Type::kWord:
      case Type::kQuoted:
        return ReadWord(token, named);
      default:
        now_.operand = true;
        return now_.target.has_value();
    }
  }

  bool ReadWord(const QueryToken& token, bool named) {
    if (named && !now_.listed) {
      now_ = {.operand = true, .target = TargetOf(kind_, token.text)};
      return now_.target.has_value();
    }
    now_ = Outside(now_);
    return true;
  }

  // What follows a value: an operator, in a list of values another one of the same field.
  static Expected Outside(const Expected& before) {
    return {.operand = false,
            .target = before.listed ? before.target : std::nullopt,
            .listed = before.listed};
  }

  const Kind& kind_;
  Expected now_;
  std::vector<Expected> groups_;
};

const char* NameOf(FieldType type) {
  switch (type) {
    case FieldType::kKeyword:
      return "keyword";
    case FieldType::kText:
      return "text";
    case FieldType::kLong:
      return "integer";
    case FieldType::kDouble:
      return "number";
    case FieldType::kBool:
      return "true or false";
    case FieldType::kTime:
      return "time";
    case FieldType::kMap:
      return "labels";
  }
  return "";
}

bool StartsLike(std::string_view text, std::string_view beginning) {
  return text.size() >= beginning.size() &&
         std::ranges::equal(text.substr(0, beginning.size()), beginning, [](char a, char b) {
           const auto lower = [](char c) {
             return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
           };
           return lower(a) == lower(b);
         });
}

class Suggester {
 public:
  // lead: what goes before an operator, so that it stands apart from the word before it.
  Suggester(const Kind& kind, const QueryToken& word, std::string lead, QueryCompletion& out)
      : kind_(kind), word_(word), lead_(std::move(lead)), out_(out) {}

  void Suggest(const Expected& expected) {
    if (!word_.stars.empty()) return;
    if (!expected.operand) {
      Operator("and ");
      Operator("or ");
    } else if (expected.target) {
      Values(*expected.target);
      if (expected.listed) Operator("not ");
    } else {
      Fields();
      Operator("not ");
    }
  }

 private:
  void Fields() {
    if (out_.quoted) return;
    const size_t dot = word_.text.find('.');
    if (dot != std::string::npos) return Labels(word_.text.substr(0, dot), dot);
    for (const Field& field : kind_.fields) {
      if (!field.searchable || !StartsLike(field.name, word_.text)) continue;
      Add(What::kField, field.name + (field.type == FieldType::kMap ? "." : ":"),
          NameOf(field.type));
      if (field.name == word_.text) Comparisons(field);
    }
  }

  // Behind the whole name of a field.
  void Comparisons(const Field& field) {
    const bool ordered = field.type == FieldType::kLong || field.type == FieldType::kDouble ||
                         field.type == FieldType::kTime;
    if (!ordered) return;
    for (const char* sign : {" > ", " >= ", " < ", " <= "}) {
      Add(What::kComparison, field.name + sign, "");
    }
  }

  void Labels(const std::string& name, size_t dot) {
    const Field* field = FindField(kind_, name);
    if (field == nullptr || !field->searchable || field->type != FieldType::kMap) return;
    std::string beginning = MapEntry(word_.text.substr(dot + 1), "");
    beginning.pop_back();  // the name may go on where its "=" is
    out_.label_names = Ask({name, std::move(beginning), kLabelEntriesMax});
  }

  void Values(const Target& target) {
    switch (target.type) {
      case FieldType::kKeyword:
      case FieldType::kMap:
        Ask({target.path, word_.text, kValuesMax});
        break;
      case FieldType::kBool:
        return Literals({{"true", ""}, {"false", ""}});
      case FieldType::kTime:
        return Literals({{"now-1h", "an hour ago"},
                         {"now-1d", "a day ago"},
                         {"now/d", "today"},
                         {"now/w", "this week"},
                         {"now/M", "this month"}});
      default:
        break;
    }
  }

  // Only for what an index counts: past the longest prefix, or behind a NUL, nothing is suggested.
  bool Ask(const FacetKey& values) {
    if (!PlanSearch({.kind = kind_, .facets = {values}})) return false;
    out_.values = values;
    return true;
  }

  void Literals(std::initializer_list<std::pair<const char*, const char*>> literals) {
    for (const auto& [text, description] : literals) {
      if (StartsLike(text, word_.text)) Add(What::kValue, text, description);
    }
  }

  void Operator(const char* text) {
    if (!out_.quoted && StartsLike(text, word_.text)) Add(What::kOperator, lead_ + text, "");
  }

  void Add(What what, std::string text, std::string description) {
    out_.suggestions.push_back({what, std::move(text), std::move(description)});
  }

  const Kind& kind_;
  const QueryToken& word_;
  const std::string lead_;
  QueryCompletion& out_;
};

// "team" of "team=infra".
std::string MemberOf(std::string_view entry) {
  std::string name;
  for (size_t i = 0; i < entry.size() && entry[i] != '='; ++i) {
    if (entry[i] == '\\' && i + 1 < entry.size()) ++i;
    name += entry[i];
  }
  return name;
}

// As the name of a label in a query: what would end it is escaped.
std::string EscapedName(std::string_view name) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string escaped;
  for (const char c : name) {
    if (c >= 0 && c <= ' ') {
      escaped.append("\\u00") += kDigits[c >> 4];
      escaped += kDigits[c & 15];
      continue;
    }
    if (kQuerySpecial.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string Quoted(std::string_view value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

bool IsUnderCursor(const QueryToken& token, size_t cursor) {
  const bool word = token.type == Type::kWord || token.type == Type::kAnd ||
                    token.type == Type::kOr || token.type == Type::kNot;
  return (word || token.open) && token.offset + token.size == cursor;
}

bool IsApart(std::string_view before) {
  return before.empty() || before.ends_with(' ') || before.ends_with('(');
}

// Of the values that a search index answered, what a query would say.
std::string TextOf(const QueryCompletion& completion, const std::string& value) {
  if (!completion.label_names) return completion.quoted ? Quoted(value) : QuotedIfNeeded(value);
  return completion.values->field + "." + EscapedName(MemberOf(value)) + ":";
}

}  // namespace

QueryCompletion CompleteQuery(std::string_view query, size_t cursor, const Kind& kind) {
  cursor = std::min(cursor, query.size());
  QueryCompletion out{.offset = cursor};
  const std::string_view before = query.substr(0, cursor);
  if (cursor > kQueryBytesMax || !IsUtf8(before)) return out;
  auto tokens = Tokenize(before, QuoteAtEnd::kOpen);
  if (!tokens) return out;
  tokens->pop_back();  // the end
  QueryToken word;
  if (!tokens->empty() && IsUnderCursor(tokens->back(), cursor)) {
    word = std::move(tokens->back());
    tokens->pop_back();
    out.offset = word.offset;
    out.size = word.size;
    out.quoted = word.type == Type::kQuoted;
  }
  const auto expected = Context(kind).After(*tokens);
  const std::string lead = IsApart(before.substr(0, out.offset)) ? "" : " ";
  if (expected) Suggester(kind, word, lead, out).Suggest(*expected);
  return out;
}

void AddValues(QueryCompletion& completion, std::span<const FacetValue> values,
               size_t suggestions_max) {
  const bool names = completion.label_names;
  std::set<std::string> seen;
  for (const FacetValue& value : values) {
    const auto* held = std::get_if<std::string>(&value.value);
    if (held == nullptr || seen.size() >= suggestions_max) continue;
    const std::string text = TextOf(completion, *held);
    if (!seen.insert(text).second) continue;
    completion.suggestions.push_back(
        {names ? What::kField : What::kValue, text, names ? "label" : std::to_string(value.count)});
  }
}

std::string QuotedIfNeeded(std::string_view value) {
  const bool plain =
      !value.empty() && !IsOperatorWord(value) && std::ranges::none_of(value, [](char c) {
        return (c >= 0 && c <= ' ') || kQuerySpecial.find(c) != std::string_view::npos;
      });
  return plain ? std::string(value) : Quoted(value);
}

}  // namespace a4c
