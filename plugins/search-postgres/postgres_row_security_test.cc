// Row-level security: a search sees the documents of its call's scopes alone, whatever it asks for.
#include <gmock/gmock.h>

#include <set>

#include "a4c/digests.h"
#include "a4c/rebuild.h"
#include "postgres_test_server.h"

namespace a4c::search_postgres {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kForced =
    "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = to_regclass('";

class PostgresRowSecurity : public BoundTest {
 protected:
  static Document In(const std::string& scope, const std::string& id) {
    return {.ref = {"photo", {scope, id}},
            .rev = 1,
            .body = R"({"album":"of )" + scope + R"(","title":"sky","views":1})"};
  }
  // Two documents of "s" and one of "theirs".
  static void Fill(SearchIndex& index) {
    const std::vector<Document> documents = {In("s", "a"), In("s", "b"), In("theirs", "c")};
    const auto results = index.Bulk(Within(), documents);
    ASSERT_TRUE(results) << results.error().ToString();
    for (const BulkResult& result : *results) {
      EXPECT_EQ(result.outcome, BulkOutcome::kApplied);
    }
  }
  static SearchAnswer Answer(SearchIndex& index, const Call& call,
                             const std::optional<std::string>& scope,
                             std::string_view text = "sky") {
    auto answer = index.Search(call, {.kind = PhotoKind(),
                                      .scope = scope,
                                      .query = *ParseQuery(text, PhotoKind(), 0),
                                      .facets = {{.field = "album"}}});
    EXPECT_TRUE(answer) << answer.error().ToString();
    return answer ? *std::move(answer) : SearchAnswer{.hits = {}, .facets = {{}}};
  }
  static std::string IdsOf(const SearchAnswer& answer) {
    std::set<std::string> ids;
    for (const Hit& hit : answer.hits) ids.insert(hit.ref.key.id);
    std::string text;
    for (const std::string& id : ids) text += id;
    return text;
  }

  const ScopeSet mine_ = {"s"};
  Call BoundCall() const {
    Call call = Within();
    call.scopes = &mine_;
    return call;
  }
};

// As an engine would ask that checks nothing.
TEST_F(PostgresRowSecurity, ABoundSearchFindsNothingElsewhere) {
  const auto index = Open(Secured());
  Fill(*index);
  for (const char* text : {"sky", "*", "album:\"of theirs\" or sky", "views:1", "not album:x"}) {
    const SearchAnswer theirs = Answer(*index, BoundCall(), "theirs", text);
    EXPECT_THAT(theirs.hits, IsEmpty()) << text;
    EXPECT_EQ(theirs.total, 0) << text;
    EXPECT_THAT(theirs.facets.at(0), IsEmpty()) << text;
    const SearchAnswer all = Answer(*index, BoundCall(), std::nullopt, text);
    EXPECT_EQ(IdsOf(all), "ab") << text;
    EXPECT_EQ(all.total, 2) << text;
    ASSERT_EQ(all.facets.at(0).size(), 1u) << text;
    EXPECT_EQ(all.facets.at(0)[0].value, Scalar(std::string("of s"))) << text;
    EXPECT_EQ(IdsOf(Answer(*index, BoundCall(), "s", text)), "ab") << text;
  }
  const ScopeSet none;
  Call nowhere = Within();
  nowhere.scopes = &none;
  EXPECT_EQ(Answer(*index, nowhere, std::nullopt).total, 0);
}

TEST_F(PostgresRowSecurity, ACallBoundToNoScopesSearchesInTheOneItNamesOrInAll) {
  const auto index = Open(Secured());
  const std::string odd = R"(a "quoted", \scope{})";
  const std::vector<Document> documents = {
      In("", "a"),
      Photo("b", 1, R"({"title":"sky"})"),
      {.ref = {"photo", {odd, "c"}}, .rev = 1, .body = R"({"title":"sky"})"}};
  ASSERT_TRUE(index->Bulk(Within(), documents));
  EXPECT_EQ(IdsOf(Answer(*index, Within(), "")), "a");
  EXPECT_EQ(IdsOf(Answer(*index, Within(), "s")), "b");
  EXPECT_EQ(IdsOf(Answer(*index, Within(), odd)), "c");
  EXPECT_EQ(IdsOf(Answer(*index, Within(), std::nullopt)), "abc");
  const ScopeSet two = {"s", odd};
  Call call = Within();
  call.scopes = &two;
  EXPECT_EQ(IdsOf(Answer(*index, call, std::nullopt)), "bc");
}

TEST_F(PostgresRowSecurity, TheRoleReadsItsScopesAndNothingElse) {
  Fill(*Open(Secured()));
  const Connection bound = ConnectBound();
  EXPECT_EQ(Run(bound, "SELECT count(*) FROM " + View()), "0")
      << "without a scope nothing is there";
  Run(bound, "SET a4c.scopes = '{theirs}'");
  EXPECT_EQ(Run(bound, "SELECT string_agg(id, '') FROM " + View()), "c");
  EXPECT_EQ(Run(bound, "SELECT 1 FROM " + Table()), "42501") << "nor past the view";
  EXPECT_EQ(Run(bound, "SET row_security = off; SELECT 1 FROM " + Table()), "42501");
  EXPECT_EQ(Run(bound, "UPDATE " + View() + " SET rev = 9"), "42501");
  EXPECT_EQ(Run(bound, "DELETE FROM " + View()), "42501");
  EXPECT_EQ(Run(bound, "UPDATE \"" + name_ + "\".\"_generations\" SET live = false"), "42501");
  EXPECT_EQ(Run(bound, "ALTER TABLE " + Table() + " DISABLE ROW LEVEL SECURITY"), "42501");
  // Somebody who grants too much opens nothing.
  Sql("GRANT SELECT ON ALL TABLES IN SCHEMA \"" + name_ + "\" TO \"" + name_ + "\"");
  EXPECT_EQ(Run(bound, "SELECT count(*) FROM " + Table()), "0");
}

TEST_F(PostgresRowSecurity, WhatIsNoSearchIsRefusedToABoundCall) {
  const auto index = Open(Secured());
  Fill(*index);
  const std::vector<Document> documents = {In("s", "d")};
  EXPECT_EQ(index->Bulk(BoundCall(), documents).error().code(), Code::kDenied);
  const std::vector<Purge> purges = {{.ref = {"photo", {"theirs", "c"}}}};
  EXPECT_EQ(index->Remove(BoundCall(), purges).error().code(), Code::kDenied);
  Digests& digests = *index->As<Digests>();
  EXPECT_EQ(digests.Sums(BoundCall(), PhotoKind()).error().code(), Code::kDenied);
  EXPECT_TRUE(digests.Sums(Within(), PhotoKind()));
}

TEST_F(PostgresRowSecurity, ARoleThatItDoesNotBindIsRefused) {
  const Kind kind = PhotoKind();
  Settings owner = Secured();
  owner["dsn"] = ConfigValue::Scalar(dsn_ + " user=" + Sql("SELECT current_user"));
  const auto as_owner =
      NewPostgresIndex(OptionsWith(owner), TheRuntime())->Ensure(Within(), {&kind, 1});
  ASSERT_FALSE(as_owner);
  EXPECT_THAT(as_owner.error().message(), HasSubstr("owns the tables"));
  EXPECT_EQ(IdsOf(Answer(*Open(Secured()), BoundCall(), std::nullopt)), "")
      << "nothing has changed";
  Run(admin_, "ALTER ROLE \"" + name_ + "\" BYPASSRLS");
  const auto as_bypass =
      NewPostgresIndex(OptionsWith(Secured()), TheRuntime())->Ensure(Within(), {&kind, 1});
  ASSERT_FALSE(as_bypass);
  EXPECT_THAT(as_bypass.error().message(), HasSubstr("BYPASSRLS"));
  Settings nobody = Secured();
  nobody["dsn"] = ConfigValue::Scalar(dsn_ + " user=a4c_nobody");
  const auto as_nobody =
      NewPostgresIndex(OptionsWith(nobody), TheRuntime())->Ensure(Within(), {&kind, 1});
  ASSERT_FALSE(as_nobody);
  EXPECT_THAT(as_nobody.error().message(), HasSubstr("a4c_nobody"));
}

TEST_F(PostgresRowSecurity, ItCanBeSwitchedOnLaterAndIsNotForgotten) {
  Fill(*index_);
  const auto secured = Open(Secured());
  EXPECT_EQ(IdsOf(Answer(*secured, BoundCall(), std::nullopt)), "ab");
  EXPECT_EQ(Sql(kForced + Table() + "')"), "t");
  const Kind kind = PhotoKind();
  const auto forgotten =
      NewPostgresIndex(OptionsWith(), TheRuntime())->Ensure(Within(), {&kind, 1});
  ASSERT_FALSE(forgotten);
  EXPECT_EQ(forgotten.error().code(), Code::kInvalid) << forgotten.error().ToString();
  EXPECT_EQ(IdsOf(Answer(*index_, Within(), std::nullopt)), "abc")
      << "an instance that is still to be restarted goes on";
  Sql("REVOKE SELECT ON " + View() + " FROM \"" + name_ + "\"");
  EXPECT_EQ(IdsOf(Answer(*Open(Secured()), BoundCall(), std::nullopt)), "ab") << "granted again";
}

TEST_F(PostgresRowSecurity, AFieldThatIsNewIsSearchedLikeTheOthers) {
  Kind newer = PhotoKind();
  newer.fields.push_back({.name = "lens", .type = FieldType::kKeyword, .searchable = true});
  Fill(*Open(Secured()));
  const auto index = Open(Secured(), newer);
  const std::vector<Document> documents = {
      {.ref = {"photo", {"s", "d"}}, .rev = 1, .body = R"({"lens":"wide"})"}};
  ASSERT_TRUE(index->Bulk(Within(), documents));
  const auto found = index->Search(
      BoundCall(),
      {.kind = newer, .query = *ParseQuery("lens:w*", newer, 0), .facets = {{"lens"}}});
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(IdsOf(*found), "d");
  EXPECT_EQ(found->facets.at(0).size(), 1u);
}

// The second of them was begun by an instance that had no row_security yet.
TEST_F(PostgresRowSecurity, EachGenerationHasIt) {
  Rebuild& before = *index_->As<Rebuild>();
  ASSERT_TRUE(before.Create(Within(), PhotoKind(), 2));
  const auto index = Open(Secured());
  Rebuild& rebuild = *index->As<Rebuild>();
  for (const int64_t number : {2, 3}) {
    if (number == 3) {
      ASSERT_TRUE(rebuild.Create(Within(), PhotoKind(), number));
    }
    const auto next = rebuild.Open(Within(), PhotoKind(), number);
    ASSERT_TRUE(next) << next.error().ToString();
    Fill(**next);
    const auto swapped = rebuild.Swap(Within(), PhotoKind(), number);
    ASSERT_TRUE(swapped) << swapped.error().ToString();
    const auto dropped = rebuild.Drop(Within(), PhotoKind(), number - 1);
    ASSERT_TRUE(dropped) << dropped.error().ToString();
    const std::string table = "\"" + name_ + "\".\"photo." + std::to_string(number) + "\"";
    EXPECT_EQ(Sql(kForced + table + "')"), "t");
    EXPECT_EQ(IdsOf(Answer(*index, BoundCall(), std::nullopt)), "ab");
    EXPECT_EQ(Answer(*index, BoundCall(), "theirs").total, 0);
  }
}

}  // namespace
}  // namespace a4c::search_postgres
