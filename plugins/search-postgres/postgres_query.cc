#include "postgres_query.h"

#include <algorithm>
#include <set>

#include "postgres_text.h"

namespace a4c::search_postgres {
namespace {

using Node = Query::Node;

bool IsAbsent(const Scalar& value) {
  return std::holds_alternative<std::monostate>(value);
}

void Append(Sql& sql, Sql part) {
  sql.text += part.text;
  std::ranges::move(part.parameters, std::back_inserter(sql.parameters));
}

Sql Joined(std::vector<Sql> parts, const char* with, const char* none) {
  if (parts.empty()) return {none, {}};
  Sql joined{"(", {}};
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) joined.text += with;
    Append(joined, std::move(parts[i]));
  }
  joined.text += ")";
  return joined;
}

Sql HasAll(const std::vector<std::string>& tokens) {
  return {"tokens @> ?::text[]", {ArrayText(tokens)}};
}

Sql HasAny(const std::vector<std::string>& tokens) {
  return {"tokens && ?::text[]", {ArrayText(tokens)}};
}

struct Bound {
  const char* comparison;
  Scalar value;  // absent: the bound is open
};
using Bounds = std::vector<Bound>;

// Before each character that means something in a pattern, a backslash.
std::string Escaped(std::string_view text, std::string_view special) {
  std::string escaped;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string LikeOf(const std::vector<std::string>& pieces) {
  std::string pattern;
  for (size_t i = 0; i < pieces.size(); ++i) {
    pattern += (i > 0 ? "%" : "") + Escaped(pieces[i], "%_\\");
  }
  return pattern;
}

// A word between its spaces.
std::string RegexOf(const std::vector<std::string>& pieces) {
  std::string pattern = " ";
  for (size_t i = 0; i < pieces.size(); ++i) {
    pattern += (i > 0 ? "[^ ]*" : "") + Escaped(pieces[i], R"(\^$.|?*+()[]{})");
  }
  return pattern + " ";
}

class Filter {
 public:
  explicit Filter(const Layout& layout) : layout_(layout) {}

  Result<Sql> Of(const Query& query) const {
    switch (query.node) {
      case Node::kAll:
        return Sql{"true", {}};
      case Node::kAnd:
      case Node::kOr:
        return List(query);
      case Node::kNot:
        return Not(query);
      case Node::kEquals:
      case Node::kWords:
        return Leaf(query);
      case Node::kPrefix:
        return Prefix(query);
      case Node::kWildcard:
        return Wildcard(query);
      case Node::kRange:
        return Compare(query, {{query.lower_inclusive ? ">=" : ">", query.lower},
                               {query.upper_inclusive ? "<=" : "<", query.upper}});
      case Node::kExists:
        return Exists(query);
      case Node::kPhrase:
        return Phrase(query);
    }
    return Error(Code::kInternal, "search-postgres: a node of a query that it does not know");
  }

 private:
  // Of equal keywords and of words; any of the tokens will do.
  Result<std::vector<std::string>> TokensOf(const Query& query) const {
    std::vector<std::string> tokens;
    const bool one_word = query.node == Node::kPhrase && query.words.size() == 1;
    if (query.node != Node::kEquals && query.node != Node::kWords && !one_word) return tokens;
    A4C_TRY(const FieldType type, layout_.TypeOf(query.field));
    for (const std::string& word : query.words) tokens.push_back(WordToken(query.field, word));
    if (query.node == Node::kEquals && IsKeywords(type)) {
      tokens.push_back(KeywordToken(query.field, std::get<std::string>(query.value)));
    }
    return tokens;
  }

  Result<Sql> Leaf(const Query& query) const {
    A4C_TRY(const std::vector<std::string> tokens, TokensOf(query));
    if (tokens.size() == 1) return HasAll(tokens);
    if (query.node == Node::kWords) return HasAny(tokens);
    return tokens.empty() ? Compare(query, {{"=", query.value}}) : Result<Sql>(HasAny(tokens));
  }

  // What the index of tokens can answer at once goes to it as one question.
  Result<Sql> List(const Query& query) const {
    const bool any = query.node == Node::kOr;
    std::vector<std::string> together;
    std::vector<Sql> parts;
    for (const Query& child : query.children) {
      A4C_TRY(const std::vector<std::string> tokens, TokensOf(child));
      if (!tokens.empty() && (any || tokens.size() == 1)) {
        together.insert(together.end(), tokens.begin(), tokens.end());
      } else {
        A4C_TRY(Sql part, Of(child));
        parts.push_back(std::move(part));
      }
    }
    if (!together.empty()) parts.push_back(any ? HasAny(together) : HasAll(together));
    return Joined(std::move(parts), any ? " OR " : " AND ", any ? "false" : "true");
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

  // The index finds documents with all the words, their text says whether one follows another: no
  // word holds a space.
  Result<Sql> Phrase(const Query& query) const {
    A4C_CHECK(layout_.TypeOf(query.field));
    std::vector<std::string> tokens;
    std::string text = " ";
    for (const std::string& word : query.words) {
      tokens.push_back(WordToken(query.field, word));
      text += word + " ";
    }
    Sql sql = HasAll(tokens);
    if (tokens.size() == 1) return sql;
    return Joined({std::move(sql), {"strpos(t_" + query.field + ", ?) > 0", {text}}}, " AND ", "");
  }

  Result<Sql> Compare(const Query& query, const Bounds& bounds) const {
    A4C_TRY(const FieldType type, layout_.TypeOf(query.field));
    if (IsKeywords(type)) return AnyValue(query.field, bounds);
    const std::string column = "f_" + query.field;
    if (!IsInteger(type)) return Within(column, bounds);
    // The key of an absent integer is within bounds that are open downwards.
    Sql sql = Within(DownwardsKey(query.field), bounds);
    sql.text.insert(sql.text.size() - 1, " AND " + column + " IS NOT NULL");
    return sql;
  }

  // A word begins behind a space.
  Result<Sql> Prefix(const Query& query) const {
    A4C_TRY(const FieldType type, layout_.TypeOf(query.field));
    const auto& prefix = std::get<std::string>(query.value);
    if (type != FieldType::kText) return AnyValue(query.field, StartingWith(prefix));
    if (prefix.empty()) return Sql{"f_" + query.field + " > 0", {}};
    return Sql{"strpos(t_" + query.field + ", ?) > 0", {" " + prefix}};
  }

  // Among the values, only those that start as the pattern does; of texts, every word is looked at.
  Result<Sql> Wildcard(const Query& query) const {
    A4C_TRY(const FieldType type, layout_.TypeOf(query.field));
    if (type == FieldType::kText) return Sql{"t_" + query.field + " ~ ?", {RegexOf(query.pieces)}};
    Bounds bounds = StartingWith(query.pieces.at(0));
    bounds.emplace_back("LIKE", LikeOf(query.pieces));
    return AnyValue(query.field, bounds);
  }

  static Bounds StartingWith(const std::string& prefix) {
    std::string behind = BehindPrefix(prefix);
    return {{">=", prefix}, {"<", behind.empty() ? Scalar() : Scalar(std::move(behind))}};
  }

  // Most documents have one value, which is the smallest as well; of the others each is looked at.
  static Sql AnyValue(const std::string& field, const Bounds& bounds) {
    Sql sql{"(", {}};
    Append(sql, Within("lo_" + field, bounds));
    sql.text +=
        " OR (f_" + field + " > 1 AND EXISTS (SELECT FROM unnest(k_" + field + ") AS value WHERE ";
    Append(sql, Within("value", bounds));
    sql.text += ")))";
    return sql;
  }

  static Sql Within(const std::string& of, const Bounds& bounds) {
    std::vector<Sql> parts;
    for (const Bound& bound : bounds) {
      if (IsAbsent(bound.value)) continue;
      parts.push_back({of + " " + bound.comparison + " ?", {ToText(bound.value)}});
    }
    return Joined(std::move(parts), " AND ", "(true)");
  }

  const Layout& layout_;
};

// One key of an order, and how values stand to the one that a cursor names.
class OrderKey {
 public:
  explicit OrderKey(const SortField& field)
      : down_(field.descending), integer_(IsInteger(field.type)) {
    if (integer_) {
      key_ = down_ ? DownwardsKey(field.name) : UpwardsKey(field.name);
    } else {
      const bool keyword = field.type == FieldType::kKeyword;
      key_ = (keyword ? (down_ ? "hi_" : "lo_") : "f_") + field.name;
    }
  }

  const std::string& key() const { return key_; }

  std::string Order() const {
    if (integer_) return key_ + (down_ ? " DESC" : "");
    return key_ + (down_ ? " DESC NULLS LAST" : "");
  }
  Sql Behind(const Scalar& value) const {
    if (IsAbsent(value)) return {"false", {}};
    const std::string behind = key_ + (down_ ? " < ?" : " > ?");
    if (integer_) return {behind, {ToText(value)}};
    return {"(" + behind + " OR " + key_ + " IS NULL)", {ToText(value)}};
  }
  Sql Same(const Scalar& value) const {
    if (IsAbsent(value)) return {key_ + " IS NULL", {}};
    return {key_ + " = ?", {ToText(value)}};
  }
  // True for all from the value on: what an index can begin at. Nothing if it says nothing.
  std::optional<Sql> From(const Scalar& value) const {
    if (!integer_) return std::nullopt;
    return Sql{key_ + (down_ ? " <= ?" : " >= ?"), {ToText(value)}};
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
          {keys_[i].Behind(value), Joined({keys_[i].Same(value), std::move(tail)}, " AND ", "")},
          " OR ", "");
    }
    if (keys_.empty()) return tail;
    const std::optional<Sql> from = keys_[0].From(position.values[0]);
    return from ? Joined({*from, std::move(tail)}, " AND ", "") : tail;
  }

 private:
  std::vector<OrderKey> keys_;
};

// " WHERE …": the living of the scope that match.
Result<Sql> WhereSql(const Layout& layout, const SearchPlan& plan,
                     const std::optional<std::string>& scope) {
  Sql sql{" WHERE NOT tombstone", {}};
  if (scope) Append(sql, {" AND scope = ?", {*scope}});
  if (plan.query.node == Node::kAll) return sql;
  A4C_TRY(Sql filter, FilterSql(layout, plan.query));
  sql.text += " AND ";
  Append(sql, std::move(filter));
  return sql;
}

// The values of a facet, one row a document and value.
std::string FacetValuesSql(const FacetField& facet) {
  const std::string count = "f_" + facet.name;
  if (!IsKeywords(facet.type)) {
    return "SELECT " + count + "::text AS value FROM hits WHERE " + count + " IS NOT NULL";
  }
  return "SELECT lo_" + facet.name + " AS value FROM hits WHERE " + count +
         " = 1 UNION ALL SELECT unnest(k_" + facet.name + ") FROM hits WHERE " + count + " > 1";
}

Sql FacetSql(const FacetField& facet, size_t number) {
  Sql sql{" UNION ALL (SELECT " + std::to_string(number) + ", value, count(*) FROM (" +
              FacetValuesSql(facet) + ") AS v",
          {}};
  if (!facet.prefix.empty()) {
    Append(sql, {" WHERE value >= ?", {facet.prefix}});
    const std::string behind = BehindPrefix(facet.prefix);
    if (!behind.empty()) Append(sql, {" AND value < ?", {behind}});
  }
  sql.text += " GROUP BY value ORDER BY 3 DESC, 2 LIMIT " + std::to_string(facet.limit) + ")";
  return sql;
}

std::string NameOf(Source source, const Layout& layout) {
  return source == Source::kView ? layout.View() : layout.Table();
}

// The columns that facets read, each once.
std::string FacetColumns(const std::vector<FacetField>& facets) {
  std::set<std::string> columns;
  for (const FacetField& facet : facets) {
    columns.insert("f_" + facet.name);
    if (!IsKeywords(facet.type)) continue;
    columns.insert("lo_" + facet.name);
    columns.insert("k_" + facet.name);
  }
  std::string text;
  for (const std::string& column : columns) text += (text.empty() ? "" : ", ") + column;
  return text;
}

}  // namespace

Statement Sql::Numbered() const {
  Statement statement{{}, {parameters.begin(), parameters.end()}};
  int number = 0;
  for (const char c : text) {
    if (c == '?') {
      statement.sql += "$" + std::to_string(++number);
    } else {
      statement.sql += c;
    }
  }
  return statement;
}

Result<Sql> FilterSql(const Layout& layout, const Query& resolved) {
  return Filter(layout).Of(resolved);
}

Result<Sql> PageSql(const Layout& layout, const SearchPlan& plan,
                    const std::optional<std::string>& scope, int limit, Source source) {
  for (const SortField& field : plan.sort) A4C_CHECK(layout.Check(field.name, field.type));
  const Order order(plan);
  Sql sql{"SELECT scope, id, rev, body" + order.Columns() + " FROM " + NameOf(source, layout), {}};
  A4C_TRY(Sql where, WhereSql(layout, plan, scope));
  Append(sql, std::move(where));
  if (plan.after) {
    sql.text += " AND ";
    Append(sql, order.After(*plan.after));
  }
  sql.text += " ORDER BY " + order.Text() + " LIMIT " + std::to_string(limit + 1);
  return sql;
}

Result<Sql> CountsSql(const Layout& layout, const SearchPlan& plan,
                      const std::optional<std::string>& scope, Source source) {
  A4C_TRY(Sql where, WhereSql(layout, plan, scope));
  if (plan.facets.empty()) {
    Sql sql{"SELECT -1, NULL, count(*) FROM " + NameOf(source, layout), {}};
    Append(sql, std::move(where));
    return sql;
  }
  Sql facets;
  for (size_t i = 0; i < plan.facets.size(); ++i) {
    A4C_CHECK(layout.Check(plan.facets[i].name, plan.facets[i].type));
    Append(facets, FacetSql(plan.facets[i], i));
  }
  Sql sql{"WITH hits AS MATERIALIZED (SELECT " + FacetColumns(plan.facets) + " FROM " +
              NameOf(source, layout),
          {}};
  Append(sql, std::move(where));
  sql.text += ") SELECT -1, NULL, count(*) FROM hits";
  Append(sql, std::move(facets));
  return sql;
}

}  // namespace a4c::search_postgres
