#include "postgres_ensure.h"

#include <algorithm>

#include "postgres_text.h"

namespace a4c::search_postgres {
namespace {

constexpr std::string_view kNoTable = "42P01";
constexpr std::string_view kNoSchema = "3F000";
constexpr std::string_view kLocked = "55P03";
constexpr int64_t kSpareMs = 100;
constexpr const char* kLiving = " WHERE NOT tombstone";

Error Conflict(const Kind& kind, const std::string& what) {
  return Error(Code::kConflict, "search-postgres: the index of " + kind.name + " " + what,
               "rebuild the index");
}

const char* ColumnType(FieldType type) {
  if (IsInteger(type)) return "bigint";
  if (type == FieldType::kDouble) return "double precision";
  return type == FieldType::kBool ? "boolean" : "integer";
}

std::vector<Statement> MakeTable(const Layout& layout) {
  const std::string table = layout.Table();
  return {{"CREATE TABLE " + table +
           " (id text COLLATE \"C\" PRIMARY KEY, scope text COLLATE \"C\" NOT NULL, rev bigint NOT "
           "NULL, hash bigint NOT NULL, tombstone boolean NOT NULL, projection integer NOT NULL, "
           "bucket integer NOT NULL, digest bigint NOT NULL, body text NOT NULL, tokens text[] "
           "COLLATE \"C\" NOT NULL)"},
          {"CREATE INDEX ON " + table + " (scope, id)" + kLiving},
          {"CREATE INDEX ON " + table + " (bucket) INCLUDE (digest)" + kLiving},
          {"CREATE INDEX ON " + table + " USING gin (tokens)"}};
}

std::string ColumnsOf(const Field& field) {
  const std::string& name = field.name;
  std::string columns = "ADD COLUMN f_" + name + " " + ColumnType(field.type);
  if (field.type == FieldType::kText) columns += ", ADD COLUMN t_" + name + " text COLLATE \"C\"";
  if (IsKeywords(field.type)) {
    columns += ", ADD COLUMN lo_" + name + " text COLLATE \"C\", ADD COLUMN hi_" + name +
               " text COLLATE \"C\", ADD COLUMN k_" + name + " text[] COLLATE \"C\"";
  }
  return columns;
}

std::vector<std::string> IndexesOf(const Field& field) {
  const std::string& name = field.name;
  // Without a condition, as the server takes statistics of an expression from such an index alone.
  if (IsInteger(field.type)) return {"(scope, " + DownwardsKey(name) + " DESC, id)"};
  if (field.type == FieldType::kDouble) return {"(scope, f_" + name + ")" + kLiving};
  if (!IsKeywords(field.type)) return {};
  return {"(scope, lo_" + name + ")" + kLiving,
          "(scope)" + (kLiving + (" AND f_" + name) + " > 1")};
}

void AddField(const std::string& schema, const Layout& layout, const Field& field,
              std::vector<Statement>& out) {
  out.push_back({"ALTER TABLE " + layout.Table() + " " + ColumnsOf(field)});
  for (const std::string& index : IndexesOf(field)) {
    out.push_back({"CREATE INDEX ON " + layout.Table() + " " + index});
  }
  const std::string number = std::to_string(layout.number);
  out.push_back(
      {"INSERT INTO " + Fields(schema) + " (kind, number, field, type) VALUES ($1, $2, $3, $4)",
       {layout.kind, number, field.name, std::to_string(static_cast<int>(field.type))}});
  out.push_back(
      {"UPDATE " + Generations(schema) + " SET fields = fields + 1 WHERE kind = $1 AND number = $2",
       {layout.kind, number}});
}

// A writer holds this row first and then the table; whoever changes both has to take them in the
// same order.
Statement HoldGeneration(const Layout& layout) {
  return {
      "SELECT FROM " + Generations(layout.schema) + " WHERE kind = $1 AND number = $2 FOR UPDATE",
      {layout.kind, std::to_string(layout.number)}};
}

// What the layout lacks of the kind.
Result<std::vector<Statement>> AddFields(const Layout& layout, const Kind& kind) {
  std::vector<Statement> changes;
  for (const Field& field : kind.fields) {
    if (!field.searchable) continue;
    const auto found = layout.fields.find(field.name);
    if (found == layout.fields.end()) {
      AddField(layout.schema, layout, field, changes);
    } else if (found->second != field.type) {
      return Conflict(kind, "has \"" + field.name + "\" as another type");
    }
  }
  return changes;
}

Result<std::vector<Statement>> MakeGeneration(const Options& options, const Kind& kind,
                                              int64_t number, bool live) {
  const std::string& schema = options.schema;
  const Layout layout{.schema = schema, .kind = kind.name, .number = number};
  std::vector<Statement> changes = MakeTable(layout);
  changes.push_back(
      {"INSERT INTO " + Generations(schema) +
           " (kind, number, live, layout, fields) VALUES ($1, $2, $3, $4, 0)",
       {kind.name, std::to_string(number), live ? "true" : "false", std::to_string(kLayout)}});
  A4C_TRY(std::vector<Statement> fields, AddFields(layout, kind));
  std::ranges::move(fields, std::back_inserter(changes));
  if (options.row_security) {
    std::ranges::move(SecuritySql(options, layout), std::back_inserter(changes));
  }
  return changes;
}

// Of a generation that is there: changes, and whatever its row-level security lacks after them.
Result<std::vector<Statement>> Secured(const Options& options, const Layout& layout,
                                       const Security& found, std::vector<Statement> changes) {
  if (found.on && !options.row_security) {
    return Error(Code::kInvalid,
                 "search-postgres: the index of " + layout.kind + " has row-level security",
                 "set row_security: true");
  }
  const bool secured = !options.row_security || (found.on && found.complete);
  if (changes.empty() && secured) return changes;
  std::vector<Statement> all = {HoldGeneration(layout)};
  if (options.row_security && found.view) all.push_back(HoldView(layout));
  std::ranges::move(changes, std::back_inserter(all));
  if (options.row_security) {
    std::ranges::move(SecuritySql(options, layout), std::back_inserter(all));
  }
  return all;
}

}  // namespace

Statement LimitTime(const Call& call, const Options& options) {
  // A little less than the client waits, so that the server's word comes and the session stays
  // whole.
  const int64_t left = call.RemainingMs();
  const int64_t ms =
      std::clamp<int64_t>(left - std::min(left / 10, kSpareMs), 1, options.statement_timeout_ms);
  return {"SELECT set_config('statement_timeout', $1, true)", {std::to_string(ms)}, true};
}

Error NoGeneration(const Kind& kind, int64_t number) {
  return Error(Code::kNotFound, "search-postgres: the index of " + kind.name +
                                    " has no generation " + std::to_string(number));
}

Result<std::optional<Layout>> Schema::Read(const Call& call, const std::string& kind,
                                           int64_t number) {
  const std::vector<Statement> ask = {{"BEGIN READ ONLY"},
                                      LimitTime(call, options_),
                                      AskLayout(options_.schema, kind, number),
                                      {"COMMIT"}};
  const Reply reply = session_.Run(call, ask);
  if (!reply.failure) return LayoutFrom(options_.schema, kind, reply.rows[2]);
  const std::string& state = reply.failure->sqlstate;
  if (state == kNoTable || state == kNoSchema) return std::optional<Layout>();
  return reply.failure->error;
}

Result<void> Schema::Ensure(const Call& call, std::span<const Kind> kinds) {
  if (options_.row_security) A4C_CHECK(CheckUser(call));
  for (const Kind& kind : kinds) {
    A4C_TRY(const std::vector<Statement> changes, Lacking(call, kind));
    if (changes.empty()) continue;
    A4C_CHECK(Locked(call, [&] { return EnsureOne(call, kind); }));
  }
  return {};
}

// Before it is granted anything: from an owner some of that would be taken.
Result<void> Schema::CheckUser(const Call& call) {
  const Statement ask = AskUser(options_);
  const Reply reply = session_.Run(call, {&ask, 1});
  if (reply.failure) return reply.failure->error;
  if (reply.rows[0].size() == 1) return CheckIsBound(reply.rows[0]);
  return Error(Code::kInvalid,
               "search-postgres: row_security: there is no role \"" + options_.user + "\"",
               "make the role of dsn first");
}

// Asks again: another may have done it before the lock was ours.
Result<void> Schema::EnsureOne(const Call& call, const Kind& kind) {
  A4C_CHECK(MakeCatalogue(call));
  A4C_TRY(const std::vector<Statement> changes, Lacking(call, kind));
  return changes.empty() ? Result<void>() : Change(call, changes);
}

// The changes that make of what is live what the kind needs.
Result<std::vector<Statement>> Schema::Lacking(const Call& call, const Kind& kind) {
  A4C_TRY(const std::optional<Layout> live, Read(call, kind.name, kLive));
  if (!live) return MakeGeneration(options_, kind, 1, true);
  if (live->layout != kLayout) {
    return Conflict(
        kind, "has layout " + std::to_string(live->layout) + ", not " + std::to_string(kLayout));
  }
  A4C_TRY(const Security found, ReadSecurity(call, *live));
  A4C_TRY(std::vector<Statement> changes, AddFields(*live, kind));
  return Secured(options_, *live, found, std::move(changes));
}

Result<Security> Schema::ReadSecurity(const Call& call, const Layout& layout) {
  const Statement ask = AskSecurity(options_, layout);
  const Reply reply = session_.Run(call, {&ask, 1});
  if (reply.failure) return reply.failure->error;
  return SecurityFrom(reply.rows[0]);
}

Result<void> Schema::MakeCatalogue(const Call& call) {
  const Statement ask{"SELECT current_setting('server_encoding') = 'UTF8', to_regclass($1) IS NULL",
                      {Generations(options_.schema)}};
  const Reply reply = session_.Run(call, {&ask, 1});
  if (reply.failure) return reply.failure->error;
  if (reply.rows[0].Text(0, 0) != "t") {
    return Error(Code::kInvalid, "search-postgres: the database's encoding is not UTF8",
                 "create it with ENCODING 'UTF8' TEMPLATE template0");
  }
  if (reply.rows[0].Text(0, 1) != "t") return {};
  return Change(
      call,
      {{"CREATE SCHEMA IF NOT EXISTS " + Quoted(options_.schema)},
       {"CREATE TABLE " + Generations(options_.schema) +
        " (kind text, number bigint, live boolean NOT NULL, layout integer NOT NULL, fields "
        "integer "
        "NOT NULL, PRIMARY KEY (kind, number))"},
       {"CREATE UNIQUE INDEX ON " + Generations(options_.schema) + " (kind) WHERE live"},
       {"CREATE TABLE " + Fields(options_.schema) +
        " (kind text, number bigint, field text, type integer NOT NULL, PRIMARY KEY (kind, number, "
        "field))"}});
}

// A lock of the session, which ends with it.
template <typename Work>
Result<void> Schema::Locked(const Call& call, Work work) {
  const std::string key = "hashtextextended('a4c search ' || $1, 0)";
  const std::vector<Statement> lock = {{"BEGIN"},
                                       LimitTime(call, options_),
                                       {"SELECT pg_advisory_lock(" + key + ")", {options_.schema}},
                                       {"COMMIT"}};
  const Reply locked = session_.Run(call, lock);
  if (locked.failure) return locked.failure->error.Within("waiting for another who makes tables");
  Result<void> done = work();
  const Statement unlock{"SELECT pg_advisory_unlock(" + key + ")", {options_.schema}};
  const Reply unlocked = session_.Run(call, {&unlock, 1});
  if (done && unlocked.failure) return unlocked.failure->error;
  return done;
}

// One transaction. Whoever waits for a table's lock makes all behind it wait: not for long, but
// again and again.
Result<void> Schema::Change(const Call& call, const std::vector<Statement>& statements) {
  for (;;) {
    std::vector<Statement> all = {
        {"BEGIN"}, LimitTime(call, options_), {"SELECT set_config('lock_timeout', '1s', true)"}};
    all.insert(all.end(), statements.begin(), statements.end());
    all.push_back({"COMMIT"});
    const Reply reply = session_.Run(call, all);
    if (!reply.failure) return {};
    if (reply.failure->sqlstate != kLocked || call.Expired()) return reply.failure->error;
  }
}

Result<std::vector<IndexGeneration>> Schema::List(const Call& call, const Kind& kind) {
  const Statement ask{"SELECT number, live FROM " + Generations(options_.schema) +
                          " WHERE kind = $1 ORDER BY number",
                      {kind.name}};
  const Reply reply = session_.Run(call, {&ask, 1});
  std::vector<IndexGeneration> list;
  if (reply.failure) {
    const bool none = reply.failure->sqlstate == kNoTable || reply.failure->sqlstate == kNoSchema;
    return none ? Result(list) : reply.failure->error;
  }
  const Rows& rows = reply.rows[0];
  for (int row = 0; row < rows.size(); ++row) {
    list.push_back({rows.Int(row, 0), rows.Text(row, 1) == "t"});
  }
  return list;
}

Result<void> Schema::Create(const Call& call, const Kind& kind, int64_t number) {
  return Locked(call, [&]() -> Result<void> {
    A4C_CHECK(MakeCatalogue(call));
    A4C_TRY(const std::optional<Layout> found, Read(call, kind.name, number));
    if (found && found->live) return Conflict(kind, "is live in this generation");
    if (found) return {};
    A4C_TRY(const std::vector<Statement> changes, MakeGeneration(options_, kind, number, false));
    return Change(call, changes);
  });
}

Result<void> Schema::Swap(const Call& call, const Kind& kind, int64_t number) {
  return Locked(call, [&]() -> Result<void> {
    A4C_TRY(const std::optional<Layout> found, Read(call, kind.name, number));
    if (!found) return NoGeneration(kind, number);
    A4C_TRY(const std::vector<IndexGeneration> list, List(call, kind));
    for (const IndexGeneration& one : list) {
      if (one.live && one.number > number) return Conflict(kind, "is live in a later generation");
    }
    // One of an instance without row_security becomes live with it.
    A4C_TRY(const Security security, ReadSecurity(call, *found));
    A4C_TRY(std::vector<Statement> changes, Secured(options_, *found, security, {}));
    const std::string update = "UPDATE " + Generations(options_.schema) + " SET live = ";
    // In this order, as never two may be live. Both wait for transactions that write.
    changes.push_back({update + "false WHERE kind = $1 AND live", {kind.name}});
    changes.push_back(
        {update + "true WHERE kind = $1 AND number = $2", {kind.name, std::to_string(number)}});
    return Change(call, changes);
  });
}

Result<void> Schema::Drop(const Call& call, const Kind& kind, int64_t number) {
  return Locked(call, [&]() -> Result<void> {
    A4C_TRY(const std::optional<Layout> found, Read(call, kind.name, number));
    if (!found) return {};
    if (found->live) return Conflict(kind, "is live in this generation");
    const std::string where = " WHERE kind = $1 AND number = $2";
    const std::string text = std::to_string(number);
    return Change(call, {{"DELETE FROM " + Generations(options_.schema) + where, {kind.name, text}},
                         {"DELETE FROM " + Fields(options_.schema) + where, {kind.name, text}},
                         {"DROP VIEW IF EXISTS " + found->View()},
                         {"DROP TABLE " + found->Table()}});
  });
}

}  // namespace a4c::search_postgres
