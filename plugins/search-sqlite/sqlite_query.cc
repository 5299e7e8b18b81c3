#include "sqlite_query.h"

#include <algorithm>
#include <limits>

namespace a4c::search_sqlite {
namespace {

using Node = Query::Node;
// SQLite refuses expressions deeper than 1,000, and a list of n is n deep.
constexpr size_t kListMax = 400;

bool IsAbsent(const Scalar& value) {
  return std::holds_alternative<std::monostate>(value);
}

void Append(Sql& sql, Sql part) {
  sql.text += part.text;
  std::ranges::move(part.parameters, std::back_inserter(sql.parameters));
}

// (a AND b AND …), in groups of groups where they are many.
Sql Joined(std::vector<Sql> parts, const char* with, const char* none) {
  if (parts.empty()) return {none, {}};
  std::vector<Sql> groups;
  for (size_t at = 0; at < parts.size(); at += kListMax) {
    Sql group{"(", {}};
    for (size_t i = at; i < std::min(parts.size(), at + kListMax); ++i) {
      if (i > at) group.text += with;
      Append(group, std::move(parts[i]));
    }
    group.text += ")";
    groups.push_back(std::move(group));
  }
  return groups.size() == 1 ? std::move(groups[0]) : Joined(std::move(groups), with, none);
}

int DepthOf(const Query& query) {
  int depth = 0;
  for (const Query& child : query.children) depth = std::max(depth, DepthOf(child));
  return depth + 1;
}

// The first text behind all that start with the prefix, or nothing: byte by byte, as SQLite
// compares. No byte of UTF-8 is the last one.
Scalar BehindPrefix(std::string prefix) {
  if (prefix.empty()) return {};
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

// FTS5's own quoting; its tokenizer splits what is inside at the spaces, as it split the document.
std::string Quoted(const std::string& words) {
  std::string quoted = "\"";
  for (const char c : words) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string MatchOf(const Query& query) {
  const bool phrase = query.node == Node::kPhrase;
  std::string text;
  for (const std::string& word : query.words) {
    if (!text.empty()) text += phrase ? " " : " OR ";
    text += phrase ? word : Quoted(word);
  }
  return phrase ? Quoted(text) : text;
}

// SQLite's GLOB, in which brackets take away what a star or a question mark means.
std::string GlobOf(const std::vector<std::string>& pieces) {
  std::string glob;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0) glob += '*';
    for (const char c : pieces[i]) {
      const bool special = c == '*' || c == '?' || c == '[';
      glob += special ? std::string{'[', c, ']'} : std::string{c};
    }
  }
  return glob;
}

class Filter {
 public:
  explicit Filter(const Layout& layout) : layout_(layout) {}

  Result<Sql> Of(const Query& query) const {
    switch (query.node) {
      case Node::kAll:
        return Sql{"1", {}};
      case Node::kAnd:
        return List(query, " AND ", "1");
      case Node::kOr:
        return List(query, " OR ", "0");
      case Node::kNot:
        return Not(query);
      case Node::kEquals:
        return Compare(query, {"=", query.value}, {});
      case Node::kPrefix:
        return Prefix(query);
      case Node::kWildcard:
        return Wildcard(query);
      case Node::kRange:
        return Compare(query, {query.lower_inclusive ? ">=" : ">", query.lower},
                       {query.upper_inclusive ? "<=" : "<", query.upper});
      case Node::kExists:
        return Exists(query);
      case Node::kPhrase:
      case Node::kWords:
        return Words(query);
    }
    return Error(Code::kInternal, "search-sqlite: a node of a query that it does not know");
  }

 private:
  struct Bound {
    const char* comparison = nullptr;
    Scalar value = {};
  };

  // Deep children go first: there SQLite's parser, whose stack is bounded, keeps the least in mind.
  Result<Sql> List(const Query& query, const char* with, const char* none) const {
    std::vector<const Query*> children;
    for (const Query& child : query.children) children.push_back(&child);
    std::ranges::stable_sort(children, std::ranges::greater(),
                             [](const Query* child) { return DepthOf(*child); });
    std::vector<Sql> parts;
    for (const Query* child : children) {
      A4C_TRY(Sql part, Of(*child));
      parts.push_back(std::move(part));
    }
    return Joined(std::move(parts), with, none);
  }

  Result<Sql> Not(const Query& query) const {
    Sql sql{"(", {}};
    A4C_TRY(Sql child, Of(query.children.at(0)));
    Append(sql, std::move(child));
    sql.text += " IS NOT TRUE)";
    return sql;
  }

  Result<Sql> Exists(const Query& query) const {
    A4C_CHECK(layout_.TypeOf(query.field));
    return Sql{"f_" + query.field + " IS NOT NULL", {}};
  }

  Result<Sql> Words(const Query& query) const {
    A4C_CHECK(layout_.TypeOf(query.field));
    return Matching(query.field, MatchOf(query));
  }

  Sql Matching(const std::string& field, std::string match) const {
    const std::string table = layout_.Words(field);
    return {"doc IN (SELECT rowid FROM " + table + " WHERE " + table + " MATCH ?)",
            {std::move(match)}};
  }

  Result<Sql> Prefix(const Query& query) const {
    A4C_TRY(const FieldType type, layout_.TypeOf(query.field));
    const auto& prefix = std::get<std::string>(query.value);
    if (type != FieldType::kText) {
      return Compare(query, {">=", prefix}, {"<", BehindPrefix(prefix)});
    }
    if (prefix.empty()) return Sql{"f_" + query.field + " > 0", {}};
    return Matching(query.field, Quoted(prefix) + " *");
  }

  // Among the values, only those that start as the pattern does; of texts, every word is looked at.
  Result<Sql> Wildcard(const Query& query) const {
    A4C_TRY(const FieldType type, layout_.TypeOf(query.field));
    const std::string glob = GlobOf(query.pieces);
    if (type == FieldType::kText) {
      return Sql{"doc IN (SELECT rowid FROM " + layout_.Words(query.field) +
                     " WHERE a4c_any_word(words, ?))",
                 {glob}};
    }
    Sql sql{"doc IN (SELECT doc FROM " + layout_.Values(query.field) + " WHERE ", {}};
    Append(sql, Bounds("value", {">=", query.pieces[0]}, {"<", BehindPrefix(query.pieces[0])}));
    Append(sql, {" AND value GLOB ?)", {glob}});
    return sql;
  }

  Result<Sql> Compare(const Query& query, const Bound& first, const Bound& second) const {
    A4C_TRY(const FieldType type, layout_.TypeOf(query.field));
    if (IsKeywords(type)) {
      Sql sql{"doc IN (SELECT doc FROM " + layout_.Values(query.field) + " WHERE ", {}};
      Append(sql, Bounds("value", first, second));
      sql.text += ")";
      return sql;
    }
    const bool integer = IsInteger(type);
    Sql sql{"(", {}};
    Append(sql, Bounds(integer ? DownwardsKey(query.field) : "f_" + query.field, first, second));
    // The key of an absent integer is within bounds that are open downwards.
    if (integer) sql.text += " AND f_" + query.field + " IS NOT NULL";
    sql.text += ")";
    return sql;
  }

  static Sql Bounds(const std::string& of, const Bound& first, const Bound& second) {
    std::vector<Sql> parts;
    for (const Bound* bound : {&first, &second}) {
      if (IsAbsent(bound->value)) continue;
      parts.push_back({of + " " + bound->comparison + " ?", {bound->value}});
    }
    return Joined(std::move(parts), " AND ", "1");
  }

  const Layout& layout_;
};

// One key of an order, and how values stand to the one that a cursor names.
class OrderKey {
 public:
  explicit OrderKey(const SortField& field) : down_(field.descending) {
    const bool keyword = field.type == FieldType::kKeyword;
    integer_ = IsInteger(field.type);
    if (integer_) {
      key_ = down_ ? DownwardsKey(field.name) : UpwardsKey(field.name);
    } else {
      key_ = (keyword ? (down_ ? "hi_" : "lo_") : "f_") + field.name;
    }
  }

  const std::string& key() const { return key_; }

  // Absent comes last both ways; downwards SQLite has it so by itself.
  std::string Order() const {
    if (down_) return key_ + " DESC";
    return integer_ ? key_ : key_ + " IS NULL, " + key_;
  }
  Sql Behind(const Scalar& value) const {
    if (IsAbsent(value)) return {"0", {}};
    const std::string behind = key_ + (down_ ? " < ?" : " > ?");
    if (integer_) return {behind, {value}};
    return {"(" + behind + " OR " + key_ + " IS NULL)", {value}};
  }
  Sql Same(const Scalar& value) const {
    if (IsAbsent(value)) return {key_ + " IS NULL", {}};
    return {key_ + " = ?", {value}};
  }
  // True for all from the value on: what an index can begin at. Nothing if it says nothing.
  std::optional<Sql> From(const Scalar& value) const {
    if (!integer_) return std::nullopt;
    return Sql{key_ + (down_ ? " <= ?" : " >= ?"), {value}};
  }

 private:
  std::string key_;
  bool down_;
  bool integer_;
};

class Order {
 public:
  explicit Order(const SearchPlan& plan) {
    for (const SortField& field : plan.sort) keys_.emplace_back(field);
  }

  std::string Columns() const {
    std::string text;
    for (const OrderKey& key : keys_) text += ", " + key.key();
    return text;
  }
  std::string Text() const {
    std::string text;
    for (const OrderKey& key : keys_) text += key.Order() + ", ";
    return text + "id";
  }
  // What comes behind the cursor: the same first keys, and the next one behind.
  Sql After(const SortPosition& position) const {
    Sql tail{"id > ?", {position.id}};
    for (size_t i = keys_.size(); i-- > 0;) {
      const Scalar& value = position.values[i];
      tail = Joined(
          {keys_[i].Behind(value), Joined({keys_[i].Same(value), std::move(tail)}, " AND ", "1")},
          " OR ", "0");
    }
    if (keys_.empty()) return tail;
    const std::optional<Sql> from = keys_[0].From(position.values[0]);
    return from ? Joined({*from, std::move(tail)}, " AND ", "1") : tail;
  }

 private:
  std::vector<OrderKey> keys_;
};

FieldType TypeIn(const Layout& layout, const Query& leaf) {
  const auto found = layout.fields.find(leaf.field);
  return found == layout.fields.end() ? FieldType::kBool : found->second;
}

// Whether the query finds its documents by itself, through values or words.
bool IsFinder(const Layout& layout, const Query& query) {
  const auto is_finder = [&](const Query& child) { return IsFinder(layout, child); };
  if (query.node == Node::kAnd) return std::ranges::any_of(query.children, is_finder);
  if (query.node == Node::kOr) return std::ranges::all_of(query.children, is_finder);
  if (query.node == Node::kPhrase || query.node == Node::kWords) return true;
  const bool pattern = query.node == Node::kPrefix || query.node == Node::kWildcard;
  if (pattern && TypeIn(layout, query) == FieldType::kText) return query.node == Node::kPrefix;
  if (query.node == Node::kNot || query.node == Node::kAll || query.node == Node::kExists) {
    return false;
  }
  return IsKeywords(TypeIn(layout, query));
}

// " WHERE …": the living of the scope that match. SQLite guesses how much a condition leaves, and
// would read a whole scope to find one document: the plus takes the scope's indexes from it.
Result<Sql> WhereSql(const Layout& layout, const SearchPlan& plan,
                     const std::optional<std::string>& scope) {
  Sql sql{" WHERE tombstone = 0", {}};
  const char* plus = IsFinder(layout, plan.query) ? "+" : "";
  if (scope) Append(sql, {std::string(" AND ") + plus + "scope = ?", {*scope}});
  if (plan.query.node == Node::kAll) return sql;
  A4C_TRY(Sql filter, FilterSql(layout, plan.query));
  sql.text += " AND ";
  Append(sql, std::move(filter));
  return sql;
}

// The values of a facet, one row a document and value. Most documents have one keyword, which
// stands in the document's row; only of the others are the values looked up.
std::string FacetValuesSql(const Layout& layout, const FacetField& facet) {
  const std::string count = "f_" + facet.name;
  if (!IsKeywords(facet.type)) {
    return "SELECT " + count + " AS value FROM hits WHERE " + count + " IS NOT NULL";
  }
  const bool in_row = facet.type == FieldType::kKeyword;
  const std::string looked_up = "SELECT v.value FROM hits JOIN " + layout.Values(facet.name) +
                                " AS v ON v.doc = hits.doc WHERE hits." + count +
                                (in_row ? " > 1" : " > 0");
  if (!in_row) return looked_up;
  return "SELECT lo_" + facet.name + " AS value FROM hits WHERE " + count + " = 1 UNION ALL " +
         looked_up;
}

Sql FacetSql(const Layout& layout, const FacetField& facet, size_t number) {
  Sql sql{" UNION ALL SELECT * FROM (SELECT " + std::to_string(number) +
              ", value, count(*) FROM (" + FacetValuesSql(layout, facet) + ")",
          {}};
  if (!facet.prefix.empty()) {
    Append(sql, {" WHERE value >= ? AND value < ?", {facet.prefix, BehindPrefix(facet.prefix)}});
  }
  sql.text += " GROUP BY value ORDER BY 3 DESC, 2 LIMIT " + std::to_string(facet.limit) + ")";
  return sql;
}

}  // namespace

Result<Sql> FilterSql(const Layout& layout, const Query& resolved) {
  return Filter(layout).Of(resolved);
}

Result<Sql> PageSql(const Layout& layout, const SearchPlan& plan,
                    const std::optional<std::string>& scope, int limit) {
  for (const SortField& field : plan.sort) A4C_CHECK(layout.Check(field.name, field.type));
  const Order order(plan);
  Sql sql{"SELECT doc, scope, id, rev" + order.Columns() + " FROM " + layout.Documents(), {}};
  A4C_TRY(Sql where, WhereSql(layout, plan, scope));
  Append(sql, std::move(where));
  if (plan.after) {
    sql.text += " AND ";
    Append(sql, order.After(*plan.after));
  }
  Append(sql, {" ORDER BY " + order.Text() + " LIMIT ?", {int64_t{limit} + 1}});
  return sql;
}

Result<Sql> CountsSql(const Layout& layout, const SearchPlan& plan,
                      const std::optional<std::string>& scope) {
  A4C_TRY(Sql where, WhereSql(layout, plan, scope));
  if (plan.facets.empty()) {
    Sql sql{"SELECT -1, NULL, count(*) FROM " + layout.Documents(), {}};
    Append(sql, std::move(where));
    return sql;
  }
  std::string columns = "doc";
  Sql facets;
  for (size_t i = 0; i < plan.facets.size(); ++i) {
    const FacetField& facet = plan.facets[i];
    A4C_CHECK(layout.Check(facet.name, facet.type));
    columns += ", f_" + facet.name;
    if (facet.type == FieldType::kKeyword) columns += ", lo_" + facet.name;
    Append(facets, FacetSql(layout, facet, i));
  }
  Sql sql{"WITH hits AS MATERIALIZED (SELECT " + columns + " FROM " + layout.Documents(), {}};
  Append(sql, std::move(where));
  sql.text += ") SELECT -1, NULL, count(*) FROM hits";
  Append(sql, std::move(facets));
  return sql;
}

}  // namespace a4c::search_sqlite
