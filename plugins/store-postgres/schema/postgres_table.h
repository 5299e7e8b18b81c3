// Table: how a kind lies in the database, as SQL text. A table per kind, named after it:
//
//   scope, id      text COLLATE "C", the primary key
//   rev, tombstone, body (json, the bytes that were put), kind_version, changed_at
//   f_<name>       a body field that an index names     q_<name>   a quiet field
//
// Where the kind's records end by age the table is partitioned by
//
//   part           which part of the records, oldest first; the newest is that of new rows, and is
//                  named in _kinds
//
// and the key is unique within a part. That it is unique over all of them, an insert sees to: it
// fails for a key that is in an older part, and there no row appears any more, because the newest
// part is changed under a lock that waits for all writers (postgres_retention.h).
//
// Statements that write many rows take one array per column. They are written so that no statistics
// can lead the planner astray: a lookup is a LATERAL subquery that it cannot flatten, an update of
// a row that is locked is an INSERT ... ON CONFLICT DO UPDATE, which is planned without a join.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/kind.h"
#include "session/postgres_binary.h"

namespace a4c::postgres {

std::string Quoted(std::string_view identifier);
std::string Literal(std::string_view text);

struct Column {
  std::string name;  // quoted
  SqlType type;
  Field field;
};

struct Table {
  Table(const std::string& schema, Kind kind_of_rows);

  Kind kind;
  std::string name;             // "schema"."kind"
  std::vector<Column> indexed;  // the body fields that an index names
  std::vector<Column> quiet;
  bool parted = false;  // by age

  // $1 scopes, $2 ids, $3 revs, $4 tombstones, $5 bodies, then indexed and quiet columns.
  std::string insert_sql;
  std::string update_sql;  // the same, then parts (if parted); for rows that are there and locked
  // $1 scopes, $2 ids, then the quiet columns, parts (if parted); for rows that are there and
  // locked.
  std::string quiet_sql;
  // $1 ctids of rows that are locked, $2 parts (if parted).
  std::string delete_sql;
  // $1 scopes, $2 ids, in the order to lock. Answers: place from 1, ctid, rev, tombstone, quiet,
  // part (if parted).
  std::string lock_sql;
  // $1 scopes, $2 ids. Answers: place from 1, rev, tombstone, body, quiet.
  std::string get_sql;
  // By unique index: $1 scopes (if scoped), then values. Answers: place from 1, scope, id.
  std::map<std::string, std::string, std::less<>> holder_sql;

  const Column& ColumnOf(std::string_view field) const;
};

}  // namespace a4c::postgres
