#include "postgres_security.h"

#include "postgres_text.h"

namespace a4c::search_postgres {
namespace {

// Asked for once a statement, not once a row; without a setting there is no scope.
constexpr const char* kInScope =
    " WHERE scope = ANY (ARRAY(SELECT unnest(nullif(current_setting('a4c.scopes', true), "
    "'')::text[])))";

}  // namespace

Statement AskSecurity(const Options& options, const Layout& layout) {
  const auto columns = [](const char* of) {
    return std::string("(SELECT count(*) FROM pg_attribute WHERE attrelid = ") + of +
           " AND attnum > 0 AND NOT attisdropped)";
  };
  const auto may = [](const char* of) {
    return std::string("coalesce(has_table_privilege($3::name, ") + of + ", 'SELECT'), false)";
  };
  const std::string granted = may("seen") + " AND " + may("to_regclass($4)") + " AND " +
                              may("to_regclass($5)") +
                              " AND has_schema_privilege($3::name, $6, 'USAGE')";
  // Without a user there is nobody to ask for.
  return {
      "SELECT (SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = held), "
      "seen IS NOT NULL, CASE WHEN $3::name = '' THEN false ELSE " +
          columns("held") + " = " + columns("seen") + " AND " + granted +
          " END FROM (SELECT to_regclass($1)::oid AS held, to_regclass($2)::oid AS seen) AS t",
      {layout.Table(), layout.View(), options.user, Generations(layout.schema),
       Fields(layout.schema), layout.schema}};
}

Security SecurityFrom(const Rows& rows) {
  return {.on = rows.Text(0, 0) == "t",
          .view = rows.Text(0, 1) == "t",
          .complete = rows.Text(0, 2) == "t"};
}

std::vector<Statement> SecuritySql(const Options& options, const Layout& layout) {
  const std::string user = Quoted(options.user);
  const std::string table = layout.Table();
  const std::string view = layout.View();
  return {
      {"CREATE OR REPLACE VIEW " + view + " AS SELECT * FROM " + table + kInScope},
      {"DROP POLICY IF EXISTS a4c_background ON " + table},
      {"CREATE POLICY a4c_background ON " + table +
       " TO CURRENT_USER USING (true) WITH CHECK (true)"},
      {"ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"},
      {"GRANT USAGE ON SCHEMA " + Quoted(layout.schema) + " TO " + user},
      // A view of one table can be written to by whoever is granted that, as by default privileges.
      {"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON " + view + " FROM " + user},
      {"GRANT SELECT ON " + view + ", " + Generations(layout.schema) + ", " +
       Fields(layout.schema) + " TO " + user},
  };
}

Result<void> CheckIsBound(const Rows& rows) {
  if (rows.Text(0, 0) == "t") {
    return Error(Code::kInvalid,
                 "search-postgres: row_security: the role is a superuser or has BYPASSRLS",
                 "give the plugin a role that is neither");
  }
  if (rows.Text(0, 1) == "t") {
    return Error(Code::kInvalid,
                 "search-postgres: row_security: the role owns the tables, and could switch it off",
                 "give the plugin another role than that of background_dsn");
  }
  return {};
}

Statement AskUser(const Options& options) {
  return {
      "SELECT rolsuper OR rolbypassrls, pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles "
      "WHERE rolname = $1",
      {options.user}};
}

Statement HoldView(const Layout& layout) {
  return {"LOCK TABLE " + layout.View() + " IN ACCESS EXCLUSIVE MODE"};
}

}  // namespace a4c::search_postgres
