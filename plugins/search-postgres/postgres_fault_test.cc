// What conformance cannot ask for: lost sessions, locks, deadlines, changes under way.
#include <gmock/gmock.h>

#include "a4c/json.h"
#include "a4c/rebuild.h"
#include "postgres_test_server.h"

namespace a4c::search_postgres {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PostgresFaults : public ServerTest {
 protected:
  std::vector<BulkResult> Bulk(const std::vector<Document>& documents,
                               const Call& call = Within()) {
    return *index_->Bulk(call, documents);
  }
  void CutAll() {
    Sql("SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity "
        "WHERE application_name = '" +
        name_ + "'");
  }
};

TEST_F(PostgresFaults, ASessionThatWasCutIsThrownAwayAndTheCallGoesOn) {
  Bulk({Photo("a", 1, R"({"title":"sky"})")});
  CutAll();
  EXPECT_THAT(Find(*index_, "sky"), ElementsAre("a"));
  CutAll();
  EXPECT_EQ(Bulk({Photo("a", 2, "{}")})[0].outcome, BulkOutcome::kApplied);
}

// As a rebuild does it that finds no generation live.
TEST_F(PostgresFaults, ASchemaThatSomebodyDroppedIsFoundMissingAndMadeAgain) {
  Bulk({Photo("a", 1, R"({"title":"sky"})")});
  Sql("DROP SCHEMA \"" + name_ + "\" CASCADE");
  EXPECT_EQ(Bulk({Photo("b", 1, "{}")})[0].outcome, BulkOutcome::kRetry);
  Rebuild& rebuild = *index_->As<Rebuild>();
  const auto gone = rebuild.Generations(Within(), PhotoKind());
  ASSERT_TRUE(gone) << gone.error().ToString();
  EXPECT_THAT(*gone, IsEmpty());
  const auto created = rebuild.Create(Within(), PhotoKind(), 2);
  ASSERT_TRUE(created) << created.error().ToString();
  const auto next = rebuild.Open(Within(), PhotoKind(), 2);
  ASSERT_TRUE(next) << next.error().ToString();
  const Document again = Photo("a", 1, R"({"title":"sky"})");
  ASSERT_TRUE((*next)->Bulk(Within(), {&again, 1}));
  ASSERT_TRUE(rebuild.Swap(Within(), PhotoKind(), 2));
  EXPECT_THAT(Find(*index_, "sky"), ElementsAre("a"));
  EXPECT_EQ(Bulk({Photo("a", 2, "{}")})[0].outcome, BulkOutcome::kApplied);
}

TEST_F(PostgresFaults, AnUnreachableServerIsUnavailableAndNothingIsLostAfterIt) {
  const auto nowhere = NewPostgresIndex(
      OptionsWith({{"dsn", ConfigValue::Scalar("host=127.0.0.1 port=1 user=x dbname=x")}}),
      TheRuntime());
  const Kind kind = PhotoKind();
  const auto ensured = nowhere->Ensure(Within(), {&kind, 1});
  ASSERT_FALSE(ensured);
  EXPECT_EQ(ensured.error().code(), Code::kUnavailable);
  EXPECT_TRUE(ensured.error().retryable());
}

TEST_F(PostgresFaults, AWriteThatWaitsForALockEndsWithItsCallAndIsToBeSentAgain) {
  Bulk({Photo("a", 1, "{}")});
  Sql("BEGIN");
  Sql("SELECT id FROM " + Table() + " FOR UPDATE");
  const auto results = Bulk({Photo("a", 2, "{}"), Photo("b", 1, "{}")}, Within(1000));
  CutAll();  // a session that the client gave up first might go on once the lock is free
  Sql("ROLLBACK");
  for (const BulkResult& result : results) {
    EXPECT_EQ(result.outcome, BulkOutcome::kRetry);
    EXPECT_EQ(result.error->code(), Code::kTimeout);
  }
  EXPECT_THAT(Find(*index_, "*"), ElementsAre("a"));
  EXPECT_EQ(Bulk({Photo("a", 2, "{}")})[0].outcome, BulkOutcome::kApplied);
}

TEST_F(PostgresFaults, ACallThatIsOverIsTimeoutOrCanceled) {
  const SearchRequest request{.kind = PhotoKind()};
  EXPECT_EQ(index_->Search(Within(0), request).error().code(), Code::kTimeout);
  std::stop_source gone;
  gone.request_stop();
  const auto stopped =
      index_->Search(Call::Within(TheRuntime().clock, 60'000, gone.get_token()), request);
  EXPECT_EQ(stopped.error().code(), Code::kCanceled);
  EXPECT_EQ(Bulk({Photo("a", 1, "{}")}, Within(0))[0].outcome, BulkOutcome::kRetry);
}

TEST_F(PostgresFaults, ADocumentThatTheServerRefusesIsRejectedAlone) {
  Sql("CREATE FUNCTION \"" + name_ +
      "\".refuse() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN IF new.id = 'poison' THEN RAISE SQLSTATE '22000'; END IF; RETURN new; END $$");
  Sql("CREATE TRIGGER refuse BEFORE INSERT ON " + Table() + " FOR EACH ROW EXECUTE FUNCTION \"" +
      name_ + "\".refuse()");
  const auto results = Bulk({Photo("a", 1, "{}"), Photo("poison", 1, "{}"), Photo("z", 1, "{}")});
  EXPECT_EQ(results[0].outcome, BulkOutcome::kApplied);
  EXPECT_EQ(results[1].outcome, BulkOutcome::kRejected);
  EXPECT_THAT(results[1].error->message(), HasSubstr("22000"));
  EXPECT_EQ(results[2].outcome, BulkOutcome::kApplied);
}

// An instance of the release before writes a document anew: nothing of what it did not know stays.
TEST_F(PostgresFaults, AFieldThatTheWriterDoesNotKnowIsEmptied) {
  Kind older{.name = "grown",
             .fields = {{.name = "album", .type = FieldType::kKeyword, .searchable = true}}};
  Kind newer = older;
  newer.fields.push_back({.name = "views", .type = FieldType::kLong, .searchable = true});
  const auto before = Open({}, older);
  const std::vector<Document> first = {
      {.ref = {"grown", {"s", "a"}}, .rev = 1, .body = R"({"album":"x"})"}};
  ASSERT_EQ(before->Bulk(Within(), first)->at(0).outcome, BulkOutcome::kApplied);
  const auto after = Open({}, newer);
  const std::vector<Document> second = {
      {.ref = {"grown", {"s", "a"}}, .rev = 2, .body = R"({"album":"x","views":5})"}};
  ASSERT_EQ(after->Bulk(Within(), second)->at(0).outcome, BulkOutcome::kApplied);
  const std::vector<Document> third = {
      {.ref = {"grown", {"s", "a"}}, .rev = 3, .body = R"({"album":"y"})"}};
  ASSERT_EQ(before->Bulk(Within(), third)->at(0).outcome, BulkOutcome::kApplied);
  const auto found = after->Search(
      Within(), {.kind = newer, .query = {.node = Query::Node::kExists, .field = "views"}});
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->total, 0);
}

// Another instance swaps and drops what this one knew.
TEST_F(PostgresFaults, ASwapAndADropUnderAnInstanceAreFollowed) {
  Bulk({Photo("old", 1, "{}")});
  const auto other = Open();
  Rebuild& rebuild = *other->As<Rebuild>();
  ASSERT_TRUE(rebuild.Create(Within(), PhotoKind(), 2));
  const auto next = *rebuild.Open(Within(), PhotoKind(), 2);
  const std::vector<Document> fresh = {Photo("new", 1, "{}")};
  ASSERT_EQ(next->Bulk(Within(), fresh)->at(0).outcome, BulkOutcome::kApplied);
  ASSERT_TRUE(rebuild.Swap(Within(), PhotoKind(), 2));
  ASSERT_TRUE(rebuild.Drop(Within(), PhotoKind(), 1));
  EXPECT_EQ(Bulk({Photo("later", 1, "{}")})[0].outcome, BulkOutcome::kApplied);
  EXPECT_THAT(Find(*index_, "*"), ElementsAre("later", "new"));
}

TEST_F(PostgresFaults, AWriterHoldsOffASwapUntilItIsDone) {
  Bulk({Photo("a", 1, "{}")});
  const auto other = Open();
  Rebuild& rebuild = *other->As<Rebuild>();
  ASSERT_TRUE(rebuild.Create(Within(), PhotoKind(), 2));
  // A writer in the middle of its transaction: it waits for this row.
  Sql("BEGIN");
  Sql("SELECT id FROM " + Table() + " FOR UPDATE");
  BulkOutcome outcome = BulkOutcome::kRetry;
  const auto writer = TheRuntime().threads.Start(
      "writer", [&](const std::stop_token&) { outcome = Bulk({Photo("a", 2, "{}")})[0].outcome; });
  const std::string waiting =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
      "AND application_name = '" +
      name_ + "'";
  for (const Call patience = Within(); Sql(waiting) == "0" && !patience.Expired();) {
    Sql("SELECT pg_stat_clear_snapshot()");
  }
  const auto swapped = rebuild.Swap(Within(2000), PhotoKind(), 2);
  Sql("ROLLBACK");
  writer->Join();
  ASSERT_FALSE(swapped);
  EXPECT_EQ(swapped.error().code(), Code::kTimeout);
  EXPECT_EQ(outcome, BulkOutcome::kApplied);
  EXPECT_THAT(Find(*index_, "*"), ElementsAre("a"));
  ASSERT_TRUE(rebuild.Swap(Within(), PhotoKind(), 2));
  EXPECT_THAT(Find(*index_, "*"), IsEmpty());
}

TEST_F(PostgresFaults, WhatLooksLikeSqlIsData) {
  const std::string evil = R"('; DROP TABLE x; -- \ " {"a",b} $1 ?)";
  Json body;
  body.Set("album", Json::Array{"z", evil}).Set("title", "a\"b 'c' ?");
  body.Set("labels", Json().Set("{a,b}", "\\"));
  ASSERT_EQ(Bulk({Photo(evil, 1, body.ToString())})[0].outcome, BulkOutcome::kApplied);
  for (const Query& query :
       {Query{.node = Query::Node::kEquals, .field = "album", .value = evil},
        Query{.node = Query::Node::kPrefix, .field = "album", .value = evil.substr(0, 9)},
        Query{.node = Query::Node::kEquals, .field = "labels.{a,b}", .value = "\\"}}) {
    const auto found =
        index_->Search(Within(), {.kind = PhotoKind(), .query = query, .facets = {{"album"}}});
    ASSERT_TRUE(found) << found.error().ToString();
    EXPECT_THAT(found->hits, SizeIs(1));
    EXPECT_THAT(found->facets.at(0), SizeIs(2));
  }
}

}  // namespace
}  // namespace a4c::search_postgres
