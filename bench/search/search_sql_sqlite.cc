// The half on SQLite.
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>

#include "bench/search/search_sql_contest.h"
#include "plugins/search-sqlite/sqlite_query.h"

namespace a4c::bench {
namespace {

using search_sqlite::Layout;
using search_sqlite::Sql;

class Bare {
 public:
  explicit Bare(const std::string& path) {
    sqlite3_open_v2(path.c_str(), &connection_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                    nullptr);
    Run("PRAGMA temp_store = MEMORY");
    Run("PRAGMA cache_size = -16384");
  }
  ~Bare() {
    for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
    sqlite3_close(connection_);
  }
  Bare(const Bare&) = delete;
  Bare& operator=(const Bare&) = delete;

  void Run(const char* sql) {
    if (sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) Failed();
  }

  sqlite3_stmt* Prepare(const Sql& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(connection_, sql.text.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement,
                           nullptr) != SQLITE_OK) {
      Failed();
    }
    statements_.push_back(statement);
    int at = 0;
    for (const Scalar& value : sql.parameters) Bind(statement, ++at, value);
    return statement;
  }

  bool Step(sqlite3_stmt* statement) {
    const int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) Failed();
    if (code == SQLITE_DONE) sqlite3_reset(statement);
    return code == SQLITE_ROW;
  }

 private:
  static void Bind(sqlite3_stmt* statement, int at, const Scalar& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } else {
      sqlite3_bind_int64(statement, at, std::get<int64_t>(value));
    }
  }
  [[noreturn]] void Failed() { Die(sqlite3_errmsg(connection_)); }

  sqlite3* connection_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
};

std::string TextOf(sqlite3_stmt* statement, int column) {
  return {reinterpret_cast<const char*>(sqlite3_column_text(statement, column)),
          static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

// The statements of a search, prepared once; every value of the answer is read.
class BareSearch {
 public:
  BareSearch(Bare& bare, const Layout& layout, const SearchRequest& request, const SearchPlan& plan)
      : bare_(bare),
        limit_(static_cast<size_t>(request.limit)),
        page_(bare.Prepare(OrDie(PageSql(layout, plan, request.scope, request.limit)))),
        counts_(bare.Prepare(OrDie(CountsSql(layout, plan, request.scope)))),
        body_(bare.Prepare({"SELECT body FROM " + layout.Bodies() + " WHERE doc = ?", {}})),
        facets_(!plan.facets.empty()) {}

  Found Run() {
    bare_.Run("BEGIN");
    std::vector<Hit> hits;
    const bool more = ReadPage(hits);
    Found found{hits.size(), static_cast<int64_t>(hits.size())};
    if (more || facets_) found.total = ReadCounts();
    bare_.Run("COMMIT");
    return found;
  }

 private:
  bool ReadPage(std::vector<Hit>& hits) {
    while (bare_.Step(page_)) {
      if (hits.size() == limit_) {
        sqlite3_reset(page_);
        return true;
      }
      Hit hit;
      hit.ref.key.scope = TextOf(page_, 1);
      hit.ref.key.id = TextOf(page_, 2);
      hit.rev = sqlite3_column_int64(page_, 3);
      sqlite3_bind_int64(body_, 1, sqlite3_column_int64(page_, 0));
      if (bare_.Step(body_)) hit.body = TextOf(body_, 0);
      sqlite3_reset(body_);
      hits.push_back(std::move(hit));
    }
    return false;
  }
  int64_t ReadCounts() {
    int64_t total = 0;
    std::vector<std::pair<std::string, int64_t>> values;
    while (bare_.Step(counts_)) {
      const int64_t count = sqlite3_column_int64(counts_, 2);
      if (sqlite3_column_int64(counts_, 0) < 0) {
        total = count;
      } else {
        values.emplace_back(TextOf(counts_, 1), count);
      }
    }
    return total;
  }

  Bare& bare_;
  const size_t limit_;
  sqlite3_stmt* const page_;
  sqlite3_stmt* const counts_;
  sqlite3_stmt* const body_;
  const bool facets_;
};

}  // namespace

Json CompareSqlite(PluginHost& plugins, int64_t documents, long rounds) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/search.db";
  Json lines;
  {
    const ConfigValue config = ConfigValue::Map({{"path", ConfigValue::Scalar(path)}});
    const auto index = OrDie(plugins.MakeSearchIndex(A4C_SEARCH_SQLITE, config));
    FillWithJobs(*index, documents);
    Bare bare(path);
    Layout layout{.kind = "job"};
    for (const Field& field : a4cd::JobKind().fields) layout.fields[field.name] = field.type;
    const A4cdProcess a4cd(
        "roles: [api]\nstore: {plugin: store-sqlite, config: {path: @/a4cd.db}}\n"
        "search: {plugin: search-sqlite, config: {path: " +
        path + "}}\nhosts: {plugin: none}\n");
    lines = CompareAll(
        *index, a4cd,
        [&](const SearchRequest& request, const SearchPlan& plan) {
          auto search = std::make_shared<BareSearch>(bare, layout, request, plan);
          return SideOf([search] { return search->Run(); });
        },
        rounds);
  }
  return lines;
}

}  // namespace a4c::bench
