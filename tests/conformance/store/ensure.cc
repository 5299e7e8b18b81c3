#include <algorithm>
#include <atomic>

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreEnsure : public StoreSuite {
 protected:
  std::string Ensure(const std::vector<Kind>& kinds) {
    const Result<void> ensured = store().Ensure(Within(), kinds);
    return ensured ? "ensured" : std::string(CodeName(ensured.error().code()));
  }
  // Version 2: colour, an index over it, and a quiet rank with one.
  Kind Second() const {
    Kind second = kind_data();
    second.version = 2;
    second.fields.push_back({.name = "colour"});
    second.fields.push_back({.name = "rank", .type = FieldType::kLong, .quiet = true});
    second.indexes.push_back({.name = "by_colour", .fields = {"colour"}});
    second.indexes.push_back({.name = "by_rank", .fields = {"rank"}, .scoped = false});
    return second;
  }
};

TEST_F(StoreEnsure, TwiceIsOnce) {
  Create("a");
  EXPECT_EQ(Ensure({kind_data()}), "ensured");
  EXPECT_EQ(Ensure({kind_data(), kind_data()}), "ensured");
  EXPECT_EQ(Ensure({}), "ensured");
  EXPECT_TRUE(Read("a").has_value());
}

TEST_F(StoreEnsure, AWrongKindIsInvalidAndSaysWhy) {
  Kind wrong = kind_data();
  wrong.name = "No Name";
  EXPECT_EQ(Ensure({wrong}), "invalid");
  wrong = {.name = Unique("wrong"), .indexes = {{.name = "by_x", .fields = {"x"}}}};
  EXPECT_EQ(Ensure({wrong}), "invalid");
  wrong = {.name = Unique("wrong"),
           .fields = {{.name = "n", .type = FieldType::kLong, .quiet = true}},
           .indexes = {{.name = "by_n", .fields = {"n"}, .unique = true}}};
  EXPECT_EQ(Ensure({wrong}), "invalid") << "unique over a quiet field";
}

TEST_F(StoreEnsure, ANewVersionFindsTheRecordsThatAreThere) {
  Create("a", R"({"colour":"red","size":1})", {{"count", int64_t{4}}});
  Create("b", R"({"colour":"blue"})");
  Create("c");
  EXPECT_EQ(Apply({Put{.ref = Ref("d"), .body = R"({"colour":"green"})", .tombstone = true}}),
            "applied 1");
  EXPECT_EQ(Ensure({Second()}), "ensured");
  EXPECT_EQ(Ids(ByScoped("by_colour")), "b a");
  ScanRequest with = ByScoped("by_colour");
  with.tombstones = true;
  EXPECT_EQ(Ids(with), "b d a");
  EXPECT_EQ(Quiet("a"), "count=4");
  EXPECT_EQ(Read("a")->rev, 1) << "a migration is no change";
  EXPECT_EQ(
      Apply(
          {Put{.ref = Ref("c"), .body = R"({"colour":"black"})", .quiet = {{"rank", int64_t{1}}}}}),
      "applied 2");
  EXPECT_EQ(Ids(ByScoped("by_colour")), "c b a");
  EXPECT_EQ(Ids(By("by_rank")), "c");
  EXPECT_EQ(Ids(By("by_size")), "a");
}

TEST_F(StoreEnsure, ANewVersionMayLeaveFieldsAndIndexesOut) {
  Create("a", R"({"name":"x"})", {{"count", int64_t{4}}, {"holder", "h"}});
  Kind second = kind_data();
  second.version = 2;
  std::erase_if(second.fields,
                [](const Field& field) { return field.name == "name" || field.name == "count"; });
  std::erase_if(second.indexes, [](const ScanIndex& index) { return index.name == "by_name"; });
  EXPECT_EQ(Ensure({second}), "ensured");
  EXPECT_EQ(Quiet("a"), "holder=h");
  EXPECT_EQ(Apply({Put{.ref = Ref("b"), .body = R"({"name":"x"})"}}), "applied 1");
  EXPECT_EQ(Apply({Put{.ref = Ref("b"), .quiet = {{"count", int64_t{1}}}}}),
            "invalid 0:invalid(count)");
  EXPECT_FALSE(store().Scan(Within(), ByScoped("by_name")).has_value());
}

TEST_F(StoreEnsure, AnOlderVersionIsAConflictAndChangesNothing) {
  EXPECT_EQ(Ensure({Second()}), "ensured");
  EXPECT_EQ(Ensure({kind_data()}), "conflict");
  Create("a", R"({"colour":"red"})");
  EXPECT_EQ(Ids(ByScoped("by_colour")), "a");
}

TEST_F(StoreEnsure, AnotherShapeUnderTheSameVersionIsInvalid) {
  Kind other = Second();
  other.version = 1;
  EXPECT_EQ(Ensure({other}), "invalid");
}

TEST_F(StoreEnsure, AFieldCannotChangeItsTypeOrBecomeQuiet) {
  Kind second = Second();
  second.fields[0].type = FieldType::kLong;
  EXPECT_EQ(Ensure({second}), "invalid");
  second = Second();
  second.fields.back() = {.name = "rank"};
  second.fields[0].quiet = true;
  EXPECT_EQ(Ensure({second}), "invalid");
}

TEST_F(StoreEnsure, AUniqueIndexOverRecordsThatAreNotIsRefused) {
  Create("a", R"({"colour":"red"})");
  Create("b", R"({"colour":"red"})");
  Kind second = Second();
  for (ScanIndex& index : second.indexes) index.unique |= index.name == "by_colour";
  EXPECT_EQ(Ensure({second}), "invalid");
  EXPECT_EQ(Ids({.kind = kind()}), "a b") << "and the store works on with the version before";
  Create("c", R"({"colour":"red"})");
}

TEST_F(StoreEnsure, ManyCallersAtOnceAllSucceed) {
  const Kind fresh = ThingKind(Unique("fresh"));
  const Kind second = Second();
  Create("a", R"({"colour":"red"})");
  std::atomic<int> ensured = 0;
  OnThreads(8, [&](int) {
    std::unique_ptr<Store> own = Absent("shared_instances") ? nullptr : Make<Store>();
    Store& here = own ? *own : store();
    const std::vector<Kind> kinds = {fresh, second};
    const Result<void> result = here.Ensure(Within(120'000), kinds);
    EXPECT_TRUE(result.has_value()) << result.error().ToString();
    ensured += result.has_value();
  });
  EXPECT_EQ(ensured, 8);
  EXPECT_EQ(Ensure({fresh, second}), "ensured");
  EXPECT_EQ(Ids(ByScoped("by_colour")), "a");
  EXPECT_EQ(Apply({Put{.ref = {fresh.name, {"", "x"}}, .body = "{}"}}), "applied 1");
}

TEST_F(StoreEnsure, WritersGoOnDuringAMigration) {
  std::vector<WriteBatch> batches;
  for (int i = 0; i < 400; ++i) {
    batches.push_back(
        {{Put{.ref = Ref("old" + std::to_string(i)), .body = R"({"colour":"red"})"}}});
  }
  ASSERT_EQ(ApplyAll(batches).size(), 400u);
  std::atomic<bool> migrated = false;
  std::atomic<int> written = 0;
  OnThreads(3, [&](int thread) {
    if (thread == 0) {
      EXPECT_EQ(Ensure({Second()}), "ensured");
      migrated = true;
      return;
    }
    for (int i = 0; !migrated || i < 10; ++i) {
      const std::string id = "new" + std::to_string(thread) + "-" + std::to_string(i);
      const BatchResult result =
          ApplySurely({{Put{.ref = Ref(id), .body = R"({"colour":"red"})"}}});
      EXPECT_EQ(Told(result), "applied 1");
      ++written;
    }
  });
  const std::string ids = Ids(ByScoped("by_colour"));
  EXPECT_EQ(std::ranges::count(ids, ' ') + 1, 400 + written) << "no record missed the new index";
}

}  // namespace
}  // namespace a4c::conformance
