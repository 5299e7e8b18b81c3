#include "sqlite_layout.h"

namespace a4c::search_sqlite {
namespace {

constexpr const char* kEnsure = "call Ensure with the kind as it is now";

}  // namespace

std::string Layout::Name(const char* prefix, std::string_view field) const {
  std::string name = std::string("\"") + prefix + kind + "." + std::to_string(number);
  if (!field.empty()) name.append(".").append(field);
  return name + "\"";
}

// The end keeps the tables that FTS5 itself makes apart from those of a field named alike.
std::string Layout::Words(std::string_view field) const {
  return Name("w_", std::string(field) + ".fts");
}

Result<FieldType> Layout::TypeOf(std::string_view field) const {
  const auto found = fields.find(field);
  if (found != fields.end()) return found->second;
  return Error(Code::kConflict,
               "search-sqlite: the index has no field \"" + std::string(field) + "\" of " + kind,
               kEnsure);
}

Result<void> Layout::Check(std::string_view field, FieldType type) const {
  A4C_TRY(const FieldType stored, TypeOf(field));
  if (stored == type) return {};
  return Error(
      Code::kConflict,
      "search-sqlite: the index has " + kind + "." + std::string(field) + " as another type",
      kEnsure);
}

bool IsKeywords(FieldType type) {
  return type == FieldType::kKeyword || type == FieldType::kMap;
}

bool IsInteger(FieldType type) {
  return type == FieldType::kLong || type == FieldType::kTime;
}

std::string DownwardsKey(std::string_view field) {
  return "coalesce(f_" + std::string(field) + ", -9223372036854775808)";
}

std::string UpwardsKey(std::string_view field) {
  return "coalesce(f_" + std::string(field) + ", 9223372036854775807)";
}

Result<std::optional<Layout>> ReadLayout(Connection& connection, const std::string& kind,
                                         int64_t number) {
  A4C_TRY(Statement rows,
          connection.Prepare("SELECT g.number, g.layout, g.live, coalesce(f.field, ''), f.type "
                             "FROM a4c_generation AS g LEFT JOIN a4c_field AS f "
                             "ON f.kind = g.kind AND f.number = g.number WHERE g.kind = ?1 AND "
                             "CASE WHEN ?2 = 0 THEN g.live ELSE g.number = ?2 END"));
  rows.Bind(kind).Bind(number);
  std::optional<Layout> layout;
  for (;;) {
    A4C_TRY(const bool there, rows.Step());
    if (!there) return layout;
    if (!layout) layout = Layout{.kind = kind};
    layout->number = rows.Long();
    layout->layout = rows.Long();
    layout->live = rows.Long() != 0;
    const std::string field = rows.Text();
    if (!field.empty()) layout->fields[field] = static_cast<FieldType>(rows.Long());
  }
}

}  // namespace a4c::search_sqlite
