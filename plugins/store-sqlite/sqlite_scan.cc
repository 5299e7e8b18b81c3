#include "sqlite_scan.h"

#include <algorithm>

namespace a4c::sqlite {
namespace {

bool IsAbsent(const Scalar& value) {
  return std::holds_alternative<std::monostate>(value);
}

class Planner {
 public:
  Planner(const Table& table, const ScanPlan& plan, const ScanRequest& request)
      : table_(table), plan_(plan), request_(request) {
    const Kind& kind = table.kind();
    columns_ =
        plan.index == nullptr ? std::vector<std::string>{"scope"} : OrderOf(kind, *plan.index);
    columns_.push_back("id");
    if (request.scope) fixed_.push_back(*request.scope);
    fixed_.insert(fixed_.end(), request.prefix.begin(), request.prefix.end());
    if (plan.after) after_ = PlaceOf(*plan.after);
  }

  std::vector<ScanQuery> Run() {
    if (after_.empty()) {
      Range(fixed_.size(), {});
      return std::move(queries_);
    }
    for (size_t equal = columns_.size(); equal-- > fixed_.size();) Behind(equal);
    return std::move(queries_);
  }

 private:
  // The position's values in the order of the columns.
  std::vector<Scalar> PlaceOf(const ScanPosition& position) const {
    std::vector<Scalar> place;
    const bool scope_first = plan_.index == nullptr || plan_.index->scoped;
    if (scope_first) place.push_back(position.key.scope);
    place.insert(place.end(), position.values.begin(), position.values.end());
    if (!scope_first) place.push_back(position.key.scope);
    place.push_back(position.key.id);
    return place;
  }

  // The rows that agree with the cursor in the first `equal` columns and come behind it in the
  // next.
  void Behind(size_t equal) {
    const std::string& column = columns_[equal];
    const Scalar& value = after_[equal];
    if (!request_.descending) {
      Range(equal, IsAbsent(value) ? column + " IS NOT NULL" : column + " > ?", value);
      return;
    }
    if (IsAbsent(value)) return;  // nothing sorts before absent
    Range(equal, column + " < ?", value);
    if (IsOptional(equal)) Range(equal, column + " IS NULL");
  }

  // Scope, id and an index's first field are always there; what is bounded must be.
  bool IsOptional(size_t column) const {
    if (plan_.index == nullptr) return false;
    if (plan_.bounded != nullptr && column == fixed_.size()) return false;
    const size_t first = plan_.index->scoped ? 1 : 0;
    return column > first && column < first + plan_.fields.size();
  }

  void Range(size_t equal, const std::string& condition, const Scalar& value = {}) {
    ScanQuery query{table_.select(), {}};
    if (plan_.index != nullptr) {
      query.sql += " INDEXED BY " + IndexName(table_.kind(), *plan_.index);
    }
    query.sql += " WHERE 1";
    if (plan_.index != nullptr) query.sql += " AND " + ColumnOf(*plan_.fields[0]) + " IS NOT NULL";
    for (size_t i = 0; i < equal; ++i) {
      Equal(query, columns_[i], i < fixed_.size() ? fixed_[i] : after_[i]);
    }
    if (!condition.empty()) query.sql += " AND " + condition;
    if (!IsAbsent(value)) query.parameters.push_back(value);
    Bound(query);
    if (!request_.tombstones) query.sql += " AND tombstone = 0";
    query.sql += " ORDER BY " + Order() + " LIMIT ?";
    queries_.push_back(std::move(query));
  }

  static void Equal(ScanQuery& query, const std::string& column, const Scalar& value) {
    query.sql += " AND " + column + (IsAbsent(value) ? " IS NULL" : " = ?");
    if (!IsAbsent(value)) query.parameters.push_back(value);
  }

  // Comparisons leave out rows without the field, as bounds do.
  void Bound(ScanQuery& query) const {
    if (plan_.bounded == nullptr) return;
    const std::string column = ColumnOf(*plan_.bounded);
    if (!IsAbsent(request_.lower)) {
      query.sql += " AND " + column + " >= ?";
      query.parameters.push_back(request_.lower);
    }
    if (!IsAbsent(request_.upper)) {
      query.sql += " AND " + column + " < ?";
      query.parameters.push_back(request_.upper);
    }
  }

  std::string Order() const {
    std::string text;
    for (const std::string& column : columns_) {
      text += (text.empty() ? "" : ", ") + column + (request_.descending ? " DESC" : "");
    }
    return text;
  }

  const Table& table_;
  const ScanPlan& plan_;
  const ScanRequest& request_;
  std::vector<std::string> columns_;  // those of the order, id last
  std::vector<Scalar> fixed_;         // values of the first columns, the same on all pages
  std::vector<Scalar> after_;         // values of all columns, if there is a cursor
  std::vector<ScanQuery> queries_;
};

}  // namespace

std::vector<ScanQuery> ScanQueries(const Table& table, const ScanPlan& plan,
                                   const ScanRequest& request) {
  return Planner(table, plan, request).Run();
}

}  // namespace a4c::sqlite
