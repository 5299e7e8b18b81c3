#include "sqlite_writer.h"

#include <vector>

namespace a4c::search_sqlite {
namespace {

struct Found {
  int64_t doc;
  StoredVersion version;
};

Result<std::optional<Found>> Find(Connection& connection, const Layout& layout,
                                  const std::string& id) {
  A4C_TRY(Statement find, connection.Prepare("SELECT doc, rev, hash, tombstone, projection FROM " +
                                             layout.Documents() + " WHERE id = ?"));
  find.Bind(id);
  A4C_TRY(const bool there, find.Step());
  if (!there) return std::optional<Found>();
  Found found{.doc = find.Long(), .version = {.rev = find.Long()}};
  found.version.body_hash = static_cast<uint32_t>(find.Long());
  found.version.tombstone = find.Long() != 0;
  found.version.projection = static_cast<int>(find.Long());
  return std::optional<Found>(found);
}

Result<void> EraseValues(Connection& connection, const Layout& layout, int64_t doc) {
  for (const auto& [field, type] : layout.fields) {
    if (!IsKeywords(type) && type != FieldType::kText) continue;
    const bool text = type == FieldType::kText;
    const std::string from = text ? layout.Words(field) : layout.Values(field);
    A4C_TRY(Statement erase, connection.Prepare("DELETE FROM " + from + " WHERE " +
                                                (text ? "rowid" : "doc") + " = ?"));
    A4C_CHECK(erase.Bind(doc).Run());
  }
  return {};
}

// The columns of d_<kind> that a field has.
std::vector<std::string> ColumnsOf(const std::string& field, FieldType type) {
  if (type != FieldType::kKeyword) return {"f_" + field};
  return {"f_" + field, "lo_" + field, "hi_" + field};
}

std::string PutSql(const Layout& layout) {
  std::string columns = "doc, scope, id, rev, hash, tombstone, projection, bucket, digest";
  std::string places = "?, ?, ?, ?, ?, ?, ?, ?, ?";
  for (const auto& [field, type] : layout.fields) {
    for (const std::string& column : ColumnsOf(field, type)) {
      columns += ", " + column;
      places += ", ?";
    }
  }
  return "INSERT OR REPLACE INTO " + layout.Documents() + " (" + columns + ") VALUES (" + places +
         ")";
}

void BindField(Statement& put, FieldType type, const SearchField* field) {
  const bool values = IsKeywords(type);
  if (field == nullptr) {
    put.Bind(Scalar());
  } else if (values || type == FieldType::kText) {
    put.Bind(static_cast<int64_t>(values ? field->keywords.size() : field->words.size()));
  } else {
    put.Bind(field->number);
  }
  if (type != FieldType::kKeyword) return;
  if (field == nullptr || field->keywords.empty()) {
    put.Bind(Scalar()).Bind(Scalar());
  } else {
    put.Bind(field->keywords.front()).Bind(field->keywords.back());
  }
}

Result<int64_t> PutRow(Connection& connection, const Layout& layout, const Document& document,
                       const SearchDocument& indexed, const std::optional<Found>& found) {
  A4C_TRY(Statement put, connection.Prepare(PutSql(layout)));
  put.Bind(found ? Scalar(found->doc) : Scalar());
  put.Bind(document.ref.key.scope).Bind(document.ref.key.id).Bind(document.rev);
  put.Bind(int64_t{indexed.body_hash}).Bind(int64_t{document.tombstone});
  put.Bind(int64_t{document.projection}).Bind(int64_t{indexed.bucket});
  put.Bind(int64_t{indexed.digest});
  for (const auto& [name, type] : layout.fields) BindField(put, type, indexed.Find(name));
  A4C_CHECK(put.Run());
  return found ? found->doc : connection.last_row();
}

Result<void> PutBody(Connection& connection, const Layout& layout, int64_t doc,
                     const std::string& body) {
  A4C_TRY(Statement put, connection.Prepare("INSERT OR REPLACE INTO " + layout.Bodies() +
                                            " (doc, body) VALUES (?, ?)"));
  return put.Bind(doc).Bind(body).Run();
}

Result<void> PutKeywords(Connection& connection, const Layout& layout, int64_t doc,
                         const SearchField& field) {
  const std::string sql =
      "INSERT INTO " + layout.Values(field.name) + " (value, doc) VALUES (?, ?)";
  for (const std::string& value : field.keywords) {
    A4C_TRY(Statement put, connection.Prepare(sql));
    A4C_CHECK(put.Bind(value).Bind(doc).Run());
  }
  return {};
}

Result<void> PutWords(Connection& connection, const Layout& layout, int64_t doc,
                      const SearchField& field) {
  std::string words;
  for (const std::string& word : field.words) words.append(words.empty() ? "" : " ").append(word);
  A4C_TRY(Statement put, connection.Prepare("INSERT INTO " + layout.Words(field.name) +
                                            " (rowid, words) VALUES (?, ?)"));
  return put.Bind(doc).Bind(words).Run();
}

}  // namespace

Result<BulkResult> WriteDocument(Connection& connection, const Layout& layout,
                                 const Document& document, const SearchDocument& indexed) {
  A4C_TRY(const std::optional<Found> found, Find(connection, layout, document.ref.key.id));
  if (found && found->version.rev >= document.rev) {
    return BulkResult{.outcome = BulkOutcome::kStale, .stored = found->version};
  }
  for (const SearchField& field : indexed.fields) {
    A4C_CHECK(layout.Check(field.name, field.type));
  }
  if (found) A4C_CHECK(EraseValues(connection, layout, found->doc));
  A4C_TRY(const int64_t doc, PutRow(connection, layout, document, indexed, found));
  A4C_CHECK(PutBody(connection, layout, doc, document.body));
  for (const SearchField& field : indexed.fields) {
    if (IsKeywords(field.type)) A4C_CHECK(PutKeywords(connection, layout, doc, field));
    if (!field.words.empty()) A4C_CHECK(PutWords(connection, layout, doc, field));
  }
  return BulkResult{.outcome = BulkOutcome::kApplied};
}

Result<void> EraseDocument(Connection& connection, const Layout& layout, const std::string& id) {
  A4C_TRY(const std::optional<Found> found, Find(connection, layout, id));
  if (!found) return {};
  A4C_CHECK(EraseValues(connection, layout, found->doc));
  for (const std::string& table : {layout.Bodies(), layout.Documents()}) {
    A4C_TRY(Statement erase, connection.Prepare("DELETE FROM " + table + " WHERE doc = ?"));
    A4C_CHECK(erase.Bind(found->doc).Run());
  }
  return {};
}

}  // namespace a4c::search_sqlite
