#include "postgres_layout.h"

#include "postgres_text.h"

namespace a4c::search_postgres {
namespace {

constexpr const char* kEnsure = "call Ensure with the kind as it is now";

std::string WhereGeneration(int64_t number) {
  return number == kLive ? "live" : "number = " + std::to_string(number);
}

}  // namespace

std::string Layout::Table() const {
  return Quoted(schema) + "." + Quoted(kind + "." + std::to_string(number));
}

std::string Layout::View() const {
  return Quoted(schema) + "." + Quoted(kind + "." + std::to_string(number) + ".scoped");
}

Result<FieldType> Layout::TypeOf(std::string_view field) const {
  const auto found = fields.find(field);
  if (found != fields.end()) return found->second;
  return Error(Code::kConflict,
               "search-postgres: the index has no field \"" + std::string(field) + "\" of " + kind,
               kEnsure);
}

Result<void> Layout::Check(std::string_view field, FieldType type) const {
  A4C_TRY(const FieldType stored, TypeOf(field));
  if (stored == type) return {};
  return Error(
      Code::kConflict,
      "search-postgres: the index has " + kind + "." + std::string(field) + " as another type",
      kEnsure);
}

bool IsKeywords(FieldType type) {
  return type == FieldType::kKeyword || type == FieldType::kMap;
}

bool IsInteger(FieldType type) {
  return type == FieldType::kLong || type == FieldType::kTime;
}

std::string KeywordToken(std::string_view field, std::string_view value) {
  return std::string(field).append("=").append(value);
}

std::string WordToken(std::string_view field, std::string_view word) {
  return std::string(field).append(" ").append(word);
}

std::string DownwardsKey(std::string_view field) {
  return "coalesce(f_" + std::string(field) + ", '-9223372036854775808'::bigint)";
}

std::string UpwardsKey(std::string_view field) {
  return "coalesce(f_" + std::string(field) + ", '9223372036854775807'::bigint)";
}

std::string Generations(const std::string& schema) {
  return Quoted(schema) + ".\"_generations\"";
}

std::string Fields(const std::string& schema) {
  return Quoted(schema) + ".\"_fields\"";
}

Statement AskLayout(const std::string& schema, const std::string& kind, int64_t number) {
  return {"SELECT g.number, g.layout, g.live, coalesce(f.field, ''), f.type FROM " +
              Generations(schema) + " AS g LEFT JOIN " + Fields(schema) +
              " AS f ON f.kind = g.kind AND f.number = g.number WHERE g.kind = $1 AND g." +
              WhereGeneration(number),
          {kind}};
}

std::optional<Layout> LayoutFrom(const std::string& schema, const std::string& kind,
                                 const Rows& rows) {
  if (rows.size() == 0) return std::nullopt;
  Layout layout{.schema = schema, .kind = kind};
  for (int row = 0; row < rows.size(); ++row) {
    layout.number = rows.Int(row, 0);
    layout.layout = rows.Int(row, 1);
    layout.live = rows.Text(row, 2) == "t";
    const std::string field(rows.Text(row, 3));
    if (!field.empty()) layout.fields[field] = static_cast<FieldType>(rows.Int(row, 4));
  }
  return layout;
}

Statement AskIfSame(const Layout& layout, int64_t number) {
  return {"SELECT number, fields FROM " + Generations(layout.schema) + " WHERE kind = $1 AND " +
              WhereGeneration(number),
          {layout.kind},
          true};
}

bool IsSame(const Layout& layout, const Rows& rows) {
  return rows.size() == 1 && rows.Int(0, 0) == layout.number &&
         rows.Int(0, 1) == static_cast<int64_t>(layout.fields.size());
}

// Division by nothing found is how a statement can end a transaction whose rest is on its way.
Statement HoldSame(const Layout& layout, int64_t number) {
  return {"SELECT 1 / count(*) FROM (SELECT 1 FROM " + Generations(layout.schema) +
              " WHERE kind = $1 AND number = $2 AND fields = $3 AND " + WhereGeneration(number) +
              " FOR SHARE) AS same",
          {layout.kind, std::to_string(layout.number), std::to_string(layout.fields.size())},
          true};
}

}  // namespace a4c::search_postgres
