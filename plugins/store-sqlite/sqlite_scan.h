// A page of an index as SQL.
//
// "Behind the cursor" over several columns is no one range of an index, but a row of them: the same
// first columns and the next one greater, from the longest match to the shortest. Each is one query
// that seeks and reads in order; a page takes from them one after another until it is full. One
// query with ORs would read the index from the start of the prefix for every page.
#pragma once

#include <string>
#include <vector>

#include "a4c/scan_rules.h"
#include "sqlite_table.h"

namespace a4c::sqlite {

struct ScanQuery {
  std::string sql;  // its last parameter is the limit
  std::vector<Scalar> parameters;
};

std::vector<ScanQuery> ScanQueries(const Table& table, const ScanPlan& plan,
                                   const ScanRequest& request);

}  // namespace a4c::sqlite
