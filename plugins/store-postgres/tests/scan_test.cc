#include <gtest/gtest.h>

#include "read/postgres_scan.h"
#include "tests/test_server.h"

namespace a4c::postgres {
namespace {

Kind Job() {
  return {.name = "job",
          .fields = {{.name = "state"}, {.name = "due", .type = FieldType::kTime}},
          .indexes = {{.name = "by_state", .fields = {"state", "due"}},
                      {.name = "by_due", .fields = {"due"}, .scoped = false}}};
}

// The SQL behind "FROM table WHERE " of each range.
std::string Ranges(ScanRequest request, const std::optional<ScanPosition>& after = {}) {
  const Kinds kinds = {{"job", Job()}};
  const auto plain = CheckScan(Within(), kinds, request);
  EXPECT_TRUE(plain.has_value()) << plain.error().ToString();
  if (after) request.after = ScanCursor(request, *after);
  const auto plan = CheckScan(Within(), kinds, request);
  EXPECT_TRUE(plan.has_value()) << plan.error().ToString();
  const std::string sql = ScanOf(Table("s", Job()), *plan, request).sql;
  std::string ranges;
  for (size_t at = sql.find(" WHERE "); at != std::string::npos; at = sql.find(" WHERE ", at + 1)) {
    const size_t from = at + 7;
    if (!ranges.empty()) ranges += "\n";
    ranges += sql.substr(from, std::min(sql.find(" ORDER BY", from), sql.size()) - from);
  }
  return ranges;
}

std::string Order(const ScanRequest& request) {
  const Kinds kinds = {{"job", Job()}};
  const auto plan = CheckScan(Within(), kinds, request);
  EXPECT_TRUE(plan.has_value()) << plan.error().ToString();
  const std::string sql = ScanOf(Table("s", Job()), *plan, request).sql;
  return sql.substr(sql.find(" ORDER BY ") + 10);
}

TEST(PostgresScan, TheFirstPageIsTheIndexFromItsStart) {
  EXPECT_EQ(Ranges({.kind = "job", .index = "by_due"}),
            "true AND \"f_due\" IS NOT NULL AND NOT tombstone");
  EXPECT_EQ(Order({.kind = "job", .index = "by_due"}),
            "\"f_due\" NULLS FIRST, scope, id LIMIT $1::bigint");
  EXPECT_EQ(Order({.kind = "job", .scope = "x"}), "id LIMIT $2::bigint");
  EXPECT_EQ(Order({.kind = "job", .descending = true}), "scope DESC, id DESC LIMIT $1::bigint");
}

TEST(PostgresScan, PrefixAndBoundsAreConditions) {
  EXPECT_EQ(Ranges({.kind = "job",
                    .index = "by_state",
                    .scope = "x",
                    .prefix = {std::string("new")},
                    .lower = int64_t{1},
                    .upper = int64_t{9},
                    .tombstones = true}),
            "true AND scope = $1::text AND \"f_state\" IS NOT NULL AND \"f_state\" = $2::text AND "
            "\"f_due\" >= $3::bigint AND \"f_due\" < $4::bigint");
}

TEST(PostgresScan, TheNextPageIsARowComparison) {
  EXPECT_EQ(
      Ranges({.kind = "job", .index = "by_state", .scope = "x"},
             ScanPosition{{std::string("new"), int64_t{5}}, {"x", "a"}}),
      "true AND scope = $1::text AND \"f_state\" IS NOT NULL AND NOT tombstone AND (\"f_state\", "
      "\"f_due\", id) > ($3::text, $4::bigint, $5::text)");
  EXPECT_EQ(
      Ranges({.kind = "job", .index = "by_due", .descending = true},
             ScanPosition{{int64_t{5}}, {"x", "a"}}),
      "true AND \"f_due\" IS NOT NULL AND NOT tombstone AND (\"f_due\", scope, id) < ($2::bigint, "
      "$3::text, $4::text)");
}

// Absent comes first: behind it, among its equals by id, then the ones present, then the next
// state.
TEST(PostgresScan, BehindAnAbsentValueComeThreeRanges) {
  const std::string base =
      "true AND scope = $1::text AND \"f_state\" IS NOT NULL AND NOT tombstone AND ";
  EXPECT_EQ(Ranges({.kind = "job", .index = "by_state", .scope = "x"},
                   ScanPosition{{std::string("new"), {}}, {"x", "a"}}),
            base + "\"f_state\" = $3::text AND \"f_due\" IS NULL AND (id) > ($4::text)\n" + base +
                "\"f_state\" = $3::text AND \"f_due\" IS NOT NULL\n" + base +
                "\"f_state\" > $5::text");
}

// Going down, absent ones come after the value on which the cursor stands.
TEST(PostgresScan, GoingDownAbsentValuesAreNotForgotten) {
  const std::string base =
      "true AND scope = $1::text AND \"f_state\" IS NOT NULL AND NOT tombstone AND ";
  EXPECT_EQ(Ranges({.kind = "job", .index = "by_state", .scope = "x", .descending = true},
                   ScanPosition{{std::string("new"), int64_t{5}}, {"x", "a"}}),
            base + "\"f_state\" = $3::text AND \"f_due\" = $4::bigint AND (id) < ($5::text)\n" +
                base + "\"f_state\" = $3::text AND \"f_due\" < $6::bigint\n" + base +
                "\"f_state\" = $3::text AND \"f_due\" IS NULL\n" + base + "\"f_state\" < $7::text");
}

}  // namespace
}  // namespace a4c::postgres
