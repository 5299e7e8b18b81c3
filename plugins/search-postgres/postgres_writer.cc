#include "postgres_writer.h"

#include <map>
#include <set>

#include "postgres_ensure.h"
#include "postgres_text.h"

namespace a4c::search_postgres {
namespace {

constexpr size_t kBefore = 3;  // statements before the first document's

struct Column {
  std::string name;
  std::optional<std::string> value;
};

std::vector<Column> ColumnsOf(const Pending& pending) {
  const Document& document = *pending.document;
  const SearchDocument& indexed = pending.indexed;
  return {{"id", document.ref.key.id},
          {"scope", document.ref.key.scope},
          {"rev", std::to_string(document.rev)},
          {"hash", std::to_string(indexed.body_hash)},
          {"tombstone", document.tombstone ? "true" : "false"},
          {"projection", std::to_string(document.projection)},
          {"bucket", std::to_string(indexed.bucket)},
          {"digest", std::to_string(indexed.digest)},
          // That of a tombstone is in no answer, and may hold what a text cannot: a NUL.
          {"body", document.tombstone ? std::string() : document.body}};
}

std::string TokensOf(const SearchDocument& indexed) {
  std::set<std::string> tokens;
  for (const SearchField& field : indexed.fields) {
    for (const std::string& word : field.words) tokens.insert(WordToken(field.name, word));
    for (const std::string& value : field.keywords) tokens.insert(KeywordToken(field.name, value));
  }
  return ArrayText({tokens.begin(), tokens.end()});
}

std::string Spaced(const std::vector<std::string>& words) {
  std::string text = " ";
  for (const std::string& word : words) text += word + " ";
  return text;
}

void AddKeywords(const std::string& name, const SearchField* field, std::vector<Column>& columns) {
  Column smallest{"lo_" + name, {}};
  Column largest{"hi_" + name, {}};
  Column all{"k_" + name, {}};
  if (field != nullptr && !field->keywords.empty()) {
    smallest.value = field->keywords.front();
    largest.value = field->keywords.back();
    if (field->keywords.size() > 1) all.value = ArrayText(field->keywords);
  }
  for (Column* column : {&smallest, &largest, &all}) columns.push_back(std::move(*column));
}

void AddField(const std::string& name, FieldType type, const SearchField* field,
              std::vector<Column>& columns) {
  Column first{"f_" + name, {}};
  const bool keywords = IsKeywords(type);
  if (field != nullptr && (keywords || type == FieldType::kText)) {
    first.value = std::to_string(keywords ? field->keywords.size() : field->words.size());
  } else if (field != nullptr) {
    first.value = ToText(field->number);
  }
  columns.push_back(std::move(first));
  if (keywords) AddKeywords(name, field, columns);
  if (type != FieldType::kText) return;
  columns.push_back({"t_" + name, {}});
  if (field != nullptr) columns.back().value = Spaced(field->words);
}

// What the table holds of those that were not written, by id.
Result<std::map<std::string, StoredVersion>> ReadStored(const Call& call, Session& session,
                                                        const Options& options,
                                                        const Layout& layout,
                                                        const std::vector<std::string>& ids) {
  const std::vector<Statement> ask = {{"BEGIN READ ONLY"},
                                      LimitTime(call, options),
                                      {"SELECT id, rev, hash, tombstone, projection FROM " +
                                           layout.Table() + " WHERE id = ANY ($1::text[])",
                                       {ArrayText(ids)}},
                                      {"COMMIT"}};
  const Reply reply = session.Run(call, ask);
  if (reply.failure) return reply.failure->error;
  const Rows& rows = reply.rows[2];
  std::map<std::string, StoredVersion> stored;
  for (int row = 0; row < rows.size(); ++row) {
    stored[std::string(rows.Text(row, 0))] = {
        rows.Int(row, 1), static_cast<uint32_t>(rows.Int(row, 2)), rows.Text(row, 3) == "t",
        static_cast<int>(rows.Int(row, 4))};
  }
  return stored;
}

void FillStale(const Call& call, Session& session, const Options& options, const Layout& layout,
               const std::vector<Pending*>& stale) {
  if (stale.empty()) return;
  std::vector<std::string> ids;
  for (const Pending* one : stale) ids.push_back(one->document->ref.key.id);
  const auto stored = ReadStored(call, session, options, layout, ids);
  for (const Pending* one : stale) {
    if (!stored) {
      *one->result = {.outcome = BulkOutcome::kRetry, .error = stored.error()};
      continue;
    }
    const auto found = stored->find(one->document->ref.key.id);
    if (found != stored->end()) {
      *one->result = {.outcome = BulkOutcome::kStale, .stored = found->second};
    } else {
      *one->result = {.outcome = BulkOutcome::kRetry,
                      .error = Error(Code::kUnavailable,
                                     "search-postgres: a stale document has gone meanwhile")};
    }
  }
}

}  // namespace

Statement UpsertSql(const Layout& layout, const Pending& pending) {
  std::vector<Column> columns = ColumnsOf(pending);
  columns.push_back({"tokens", TokensOf(pending.indexed)});
  for (const auto& [name, type] : layout.fields) {
    AddField(name, type, pending.indexed.Find(name), columns);
  }
  Statement statement{.sql = {}, .kept = true};
  std::string names;
  std::string places;
  std::string sets;
  for (Column& column : columns) {
    const char* comma = names.empty() ? "" : ", ";
    names += comma + column.name;
    statement.params.push_back(std::move(column.value));
    places += comma + ("$" + std::to_string(statement.params.size()));
    sets += comma + column.name + " = excluded." + column.name;
  }
  statement.sql = "INSERT INTO " + layout.Table() + " AS t (" + names + ") VALUES (" + places +
                  ") ON CONFLICT (id) DO UPDATE SET " + sets +
                  " WHERE t.rev < excluded.rev RETURNING 1";
  return statement;
}

Reply WriteAll(const Call& call, Session& session, const Options& options, const Layout& layout,
               int64_t number, std::span<Pending* const> pending) {
  std::vector<Statement> statements = {
      {"BEGIN"}, LimitTime(call, options), HoldSame(layout, number)};
  for (const Pending* one : pending) statements.push_back(UpsertSql(layout, *one));
  statements.push_back({"COMMIT"});
  Reply reply = session.Run(call, statements);
  if (reply.failure) return reply;
  std::vector<Pending*> stale;
  for (size_t i = 0; i < pending.size(); ++i) {
    *pending[i]->result = {.outcome = BulkOutcome::kApplied};
    if (reply.rows[kBefore + i].size() == 0) stale.push_back(pending[i]);
  }
  FillStale(call, session, options, layout, stale);
  return reply;
}

}  // namespace a4c::search_postgres
