// The statements that make and change a kind's table. Text only: postgres_ensure.cc runs them.
#pragma once

#include <string>
#include <vector>

#include "schema/postgres_table.h"

namespace a4c::postgres {

// The name of what belongs to a table: kind$part, shortened with a hash past PostgreSQL's 63 bytes.
std::string NameOf(const Kind& kind, const std::string& part);

// The table of all kinds: name, version, definition, layout, and of kinds parted by age the part
// that is written now.
std::string KindsTable(const std::string& schema);
// The advisory lock of whoever changes tables, as an expression.
std::string LockKey(const std::string& schema);

std::string CreateTableSql(const std::string& schema, const Table& table);
// Of a table that is parted by age.
std::string PartName(const std::string& schema, const Kind& kind, int64_t part);  // quoted
// The numbers of the parts there are, in order.
std::string PartsSql(const Table& table);
std::string CreatePartSql(const std::string& schema, const Table& table, int64_t part);
// Makes the table of a kind whose records did not end by age before one that is parted, with the
// rows there are as its part 0: what looks at rows goes on while others read and write; the last
// statement waits for the table's lock, and changes names alone.
std::vector<std::string> PartTableSql(const std::string& schema, const Table& table,
                                      const std::vector<ScanIndex>& there,
                                      const std::vector<std::string>& row_security);
// What an insert calls that finds its key in an older part; and the part that is written now, for
// those who name none: instances of a release that knew no parts, and hands.
std::vector<std::string> PartFunctionsSql(const std::string& schema);
// What a table of an older layout lacks: constraints that make wrong rows impossible, added without
// a look at the rows and validated afterwards, which stops nobody; and its storage parameters.
std::vector<std::string> LayoutSql(const Table& table);
// Rows are seen and written by `user` only in the scopes of the transaction's setting a4c.scopes,
// and by the table's owner in all. What is written once, `user` may insert and read.
std::vector<std::string> RowSecuritySql(const std::string& schema, const Table& table,
                                        const std::string& user);
// One per column: an added column is empty, so that it is there at once however large the table.
std::vector<std::string> AddColumnsSql(const Table& table);
// The part of CREATE INDEX after the name: it tells one definition from another.
std::string IndexDefinition(const Table& table, const ScanIndex& index);
std::string CreateIndexSql(const Table& table, const ScanIndex& index, bool concurrently);
// Without the parts' own, which are made one by one and become parts of it.
std::string CreateIndexOnlySql(const Table& table, const ScanIndex& index);
std::vector<std::string> CreatePartIndexSql(const std::string& schema, const Table& table,
                                            const ScanIndex& index, int64_t part);
std::string CommentIndexSql(const std::string& schema, const Table& table, const ScanIndex& index);
std::string DropIndexSql(const std::string& schema, const std::string& index_name,
                         bool concurrently);
// Triggers: a row changed by hand in SQL gets a new rev, and its indexed columns follow its body;
// what is written once cannot be changed, not by hand either; a row written by an instance that
// knows only an older version of the kind gets the columns of the newer one's indexes, so that no
// record misses an index that is being made.
std::vector<std::string> TriggerSql(const std::string& schema, const Table& table);

// Rows that an older version of the kind wrote, and filling in their indexed columns.
// $1 after scope, $2 after id, $3 limit. Answers: scope, id, rev, body.
std::string OutdatedSql(const Table& table);
// $1 scopes, $2 ids, $3 revs, then the indexed columns.
std::string BackfillSql(const Table& table);

}  // namespace a4c::postgres
