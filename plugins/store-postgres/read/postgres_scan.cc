#include "read/postgres_scan.h"

#include <string>
#include <utility>
#include <vector>

namespace a4c::postgres {
namespace {

bool IsGiven(const Scalar& value) {
  return !std::holds_alternative<std::monostate>(value);
}

std::string RecordColumns(const Table& table) {
  std::string columns = "scope, id, rev, tombstone, body";
  for (const Column& column : table.quiet) columns += ", " + column.name;
  return columns;
}

// A column of the order that is not the same in all rows of the scan.
struct OrderKey {
  std::string column;
  SqlType type;
  bool is_field = false;  // in the index with its absent values first
  bool nullable = false;
  Scalar after = {};  // where the page before ended
};

class ScanBuilder {
 public:
  ScanBuilder(const Table& table, const ScanPlan& plan, const ScanRequest& request)
      : table_(table), plan_(plan), request_(request) {}

  Statement Build() && {
    const std::string where = Where();
    PlanOrder();
    limit_ = Param(ToBinary(int64_t{request_.limit} + 1), kBigint);
    if (!plan_.after) {
      return {Select(where), std::move(params_)};
    }
    const std::vector<std::string> ranges = RangesFrom(0);
    if (ranges.size() == 1) return {Select(where + " AND " + ranges[0]), std::move(params_)};
    std::string sql;
    for (const std::string& range : ranges) {
      sql += sql.empty() ? "(" : " UNION ALL (";
      sql.append(Select(where + " AND " + range)).append(")");
    }
    // An Append gives its parts' rows in the order of its parts, and stops at the limit.
    return {sql + " LIMIT " + limit_, std::move(params_)};
  }

 private:
  std::string Param(std::string bytes, const SqlType& type) {
    params_.push_back(std::move(bytes));
    return "$" + std::to_string(params_.size()) + "::" + type.name;
  }

  std::string Where() {
    std::string where = "true";
    if (request_.scope) where += " AND scope = " + Param(*request_.scope, kText);
    if (!plan_.fields.empty()) {
      where += " AND " + table_.ColumnOf(plan_.fields[0]->name).name + " IS NOT NULL";
    }
    for (size_t i = 0; i < request_.prefix.size(); ++i) {
      where += Compare(*plan_.fields[i], " = ", request_.prefix[i]);
    }
    if (IsGiven(request_.lower)) where += Compare(*plan_.bounded, " >= ", request_.lower);
    if (IsGiven(request_.upper)) where += Compare(*plan_.bounded, " < ", request_.upper);
    if (!request_.tombstones) where += " AND NOT tombstone";
    return where;
  }

  std::string Compare(const Field& field, const char* sign, const Scalar& value) {
    const Column& column = table_.ColumnOf(field.name);
    return " AND " + column.name + sign + Param(ToBinary(value), column.type);
  }

  void PlanOrder() {
    for (size_t i = request_.prefix.size(); i < plan_.fields.size(); ++i) {
      const Column& column = table_.ColumnOf(plan_.fields[i]->name);
      const bool nullable = i > 0 && plan_.fields[i] != plan_.bounded;
      order_.push_back({column.name, column.type, true, nullable,
                        plan_.after ? plan_.after->values[i] : Scalar()});
    }
    if (!request_.scope) order_.push_back({"scope", kText});
    order_.push_back({"id", kText});
    if (!plan_.after) return;
    if (!request_.scope) order_[order_.size() - 2].after = plan_.after->key.scope;
    order_.back().after = plan_.after->key.id;
  }

  std::string Select(const std::string& where) const {
    std::string columns = RecordColumns(table_);
    for (const Field* field : plan_.fields) {
      if (!field->quiet) columns += ", " + table_.ColumnOf(field->name).name;
    }
    std::string order;
    for (const OrderKey& key : order_) {
      order += (order.empty() ? "" : ", ") + key.column;
      if (request_.descending) order += " DESC";
      if (key.is_field) order += request_.descending ? " NULLS LAST" : " NULLS FIRST";
    }
    return "SELECT " + columns + " FROM " + table_.name + " WHERE " + where + " ORDER BY " + order +
           " LIMIT " + limit_;
  }

  // A row comparison leaves out rows with a null where those before are equal: going up they come
  // before the cursor anyway, going down they come after it.
  bool ComparesAsRow(size_t first) const {
    for (size_t i = first; i < order_.size(); ++i) {
      if (!IsGiven(order_[i].after)) return false;
      if (request_.descending && order_[i].nullable) return false;
    }
    return true;
  }

  // The ranges behind the cursor among rows that equal it in the keys before `first`, in order.
  std::vector<std::string> RangesFrom(size_t first) {
    if (ComparesAsRow(first)) return {RowComparison(first)};
    const OrderKey& key = order_[first];
    std::vector<std::string> ranges;
    const std::string same =
        IsGiven(key.after) ? key.column + " = " + AfterParam(key) : key.column + " IS NULL";
    for (std::string& range : RangesFrom(first + 1)) {
      ranges.push_back(range.insert(0, same + " AND "));
    }
    if (!request_.descending) {
      ranges.push_back(IsGiven(key.after) ? key.column + " > " + AfterParam(key)
                                          : key.column + " IS NOT NULL");
    } else if (IsGiven(key.after)) {
      ranges.push_back(key.column + " < " + AfterParam(key));
      if (key.nullable) ranges.push_back(key.column + " IS NULL");
    }
    return ranges;
  }

  std::string RowComparison(size_t first) {
    std::string columns;
    std::string values;
    for (size_t i = first; i < order_.size(); ++i) {
      const char* comma = i == first ? "" : ", ";
      columns += comma + order_[i].column;
      values += comma + AfterParam(order_[i]);
    }
    return "(" + columns + ")" + (request_.descending ? " < " : " > ") + "(" + values + ")";
  }

  std::string AfterParam(const OrderKey& key) { return Param(ToBinary(key.after), key.type); }

  const Table& table_;
  const ScanPlan& plan_;
  const ScanRequest& request_;
  std::vector<OrderKey> order_;
  std::vector<std::string> params_;
  std::string limit_;
};

}  // namespace

Statement FirstsOf(const Table& table, const ScanIndex& index, std::span<const Key> groups) {
  ArrayBuilder scopes(kText);
  ArrayBuilder leads(kText);
  for (const Key& group : groups) {
    scopes.AddBytes(group.scope);
    leads.AddBytes(group.id);
  }
  std::string order;
  for (size_t i = 1; i < index.fields.size(); ++i) {
    order += table.ColumnOf(index.fields[i]).name + " NULLS FIRST, ";
  }
  if (!index.scoped) order += "scope, ";
  const std::string where = std::string(index.scoped ? "scope = g.group_scope AND " : "") +
                            table.ColumnOf(index.fields[0]).name +
                            " = g.group_lead AND NOT tombstone";
  return {
      "SELECT g.place, r.* FROM unnest($1::text[], $2::text[]) WITH ORDINALITY "
      "AS g(group_scope, group_lead, place) CROSS JOIN LATERAL (SELECT " +
          RecordColumns(table) + " FROM " + table.name + " WHERE " + where + " ORDER BY " + order +
          "id LIMIT 1) r",
      {std::move(scopes).Finish(), std::move(leads).Finish()}};
}

Statement ScanOf(const Table& table, const ScanPlan& plan, const ScanRequest& request) {
  return ScanBuilder(table, plan, request).Build();
}

}  // namespace a4c::postgres
