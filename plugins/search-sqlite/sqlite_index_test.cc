// What conformance cannot ask for: the file, other processes, time, hostile input.
#include "sqlite_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>

#include "a4c/sinks.h"
#include "sqlite_test_files.h"

namespace a4c::search_sqlite {
namespace {

using Node = Query::Node;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Runtime& TheRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}

Call Within() {
  return Call::Within(TheRuntime().clock, 60'000);
}

Document Photo(const std::string& id, int64_t rev, std::string body) {
  return {.ref = {"photo", {"s", id}}, .rev = rev, .body = std::move(body)};
}

class SqliteIndexTest : public testing::Test {
 protected:
  std::unique_ptr<SearchIndex> Open(const Kind& kind = PhotoKind()) {
    auto index = OpenSqliteIndex({.path = path_, .busy_timeout_ms = 50}, TheRuntime());
    EXPECT_TRUE(index) << index.error().ToString();
    const auto ensured = (*index)->Ensure(Within(), {&kind, 1});
    EXPECT_TRUE(ensured) << ensured.error().ToString();
    return *std::move(index);
  }
  static std::vector<BulkResult> Bulk(SearchIndex& index, const std::vector<Document>& documents) {
    return *index.Bulk(Within(), documents);
  }
  static std::vector<std::string> Find(SearchIndex& index, Query query, Kind kind = PhotoKind()) {
    const auto answer =
        index.Search(Within(), {.kind = std::move(kind), .scope = "s", .query = std::move(query)});
    EXPECT_TRUE(answer) << answer.error().ToString();
    std::vector<std::string> ids;
    for (const Hit& hit : answer ? answer->hits : std::vector<Hit>()) ids.push_back(hit.ref.key.id);
    return ids;
  }
  static std::vector<std::string> Find(SearchIndex& index, std::string_view text) {
    return Find(index, *ParseQuery(text, PhotoKind(), 0));
  }
  // By a connection of its own, as another process has one.
  void Sql(const std::string& sql) {
    if (other_ == nullptr) sqlite3_open(path_.c_str(), &other_);
    EXPECT_EQ(sqlite3_exec(other_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(other_);
  }
  ~SqliteIndexTest() override { sqlite3_close(other_); }

  const TestDirectory directory_;
  const std::string path_ = directory_.File("search.db");
  sqlite3* other_ = nullptr;
};

TEST_F(SqliteIndexTest, TheFileIsForItsOwnerAlone) {
  const auto index = Open();
  Bulk(*index, {Photo("a", 1, "{}")});
  for (const char* end : {"", "-wal", "-shm"}) {
    struct stat status {};
    ASSERT_EQ(stat((path_ + end).c_str(), &status), 0) << end;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << end;
  }
}

TEST_F(SqliteIndexTest, WhatWasIndexedIsThereAfterAReopening) {
  Bulk(*Open(), {Photo("a", 3, R"({"album":"x","title":"Blue sky"})")});
  const auto index = Open();
  EXPECT_THAT(Find(*index, "album:x and sky"), ElementsAre("a"));
  EXPECT_EQ(Bulk(*index, {Photo("a", 3, "{}")})[0].outcome, BulkOutcome::kStale);
}

TEST_F(SqliteIndexTest, AFileThatIsNotOursIsRefusedAndLeftAlone) {
  Sql("CREATE TABLE theirs (n)");
  const auto index = OpenSqliteIndex({.path = path_}, TheRuntime());
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().code(), Code::kInvalid);
  EXPECT_THAT(index.error().message(), HasSubstr("another program"));
  Sql("INSERT INTO theirs VALUES (1)");
  const std::string text = directory_.File("text.db");
  std::ofstream(text) << std::string(5000, 'x');
  EXPECT_EQ(OpenSqliteIndex({.path = text}, TheRuntime()).error().code(), Code::kInvalid);
  const auto nowhere = OpenSqliteIndex({.path = directory_.File("no/such.db")}, TheRuntime());
  EXPECT_EQ(nowhere.error().code(), Code::kUnavailable);
  for (const char* name : {"", ":memory:", "file:x?mode=memory"}) {
    EXPECT_EQ(OpenSqliteIndex({.path = name}, TheRuntime()).error().code(), Code::kInvalid);
  }
}

TEST_F(SqliteIndexTest, AnotherLayoutOrTypeHasToBeRebuilt) {
  Open();
  Kind changed = PhotoKind();
  changed.fields[0].type = FieldType::kText;
  const auto index = OpenSqliteIndex({.path = path_}, TheRuntime());
  const auto ensured = (*index)->Ensure(Within(), {&changed, 1});
  ASSERT_FALSE(ensured);
  EXPECT_EQ(ensured.error().code(), Code::kConflict);
  EXPECT_THAT(ensured.error().hint(), HasSubstr("rebuild"));
  Sql("UPDATE a4c_generation SET layout = 99");
  const Kind same = PhotoKind();
  EXPECT_EQ((*index)->Ensure(Within(), {&same, 1}).error().code(), Code::kConflict);
}

// An instance of the release before writes a document anew: nothing of what it does not know stays.
TEST_F(SqliteIndexTest, AFieldThatTheWriterDoesNotKnowIsEmptied) {
  Kind older = PhotoKind();
  std::erase_if(older.fields, [](const Field& field) { return field.name != "album"; });
  const auto before = Open(older);
  const auto after = Open();
  Bulk(*after, {Photo("a", 1, R"({"album":"x","title":"sky","views":5,"labels":{"l":"m"}})")});
  Bulk(*before, {Photo("a", 2, R"({"album":"y"})")});
  EXPECT_THAT(Find(*after, "title:* or views:* or labels:* or sky or labels.l:m"), IsEmpty());
  EXPECT_THAT(Find(*after, "album:y"), ElementsAre("a"));
}

TEST_F(SqliteIndexTest, WhileAnotherProcessWritesDocumentsAreToBeSentAgain) {
  const auto index = Open();
  Sql("BEGIN IMMEDIATE");
  const auto results = Bulk(*index, {Photo("a", 1, "{}"), Photo("b", 1, R"({"views":"x"})")});
  EXPECT_EQ(results[0].outcome, BulkOutcome::kRetry);
  EXPECT_EQ(results[0].error->code(), Code::kUnavailable);
  EXPECT_EQ(results[1].outcome, BulkOutcome::kRejected);
  const std::vector<Purge> purges = {{Photo("a", 1, "{}").ref}};
  EXPECT_EQ(index->Remove(Within(), purges)->at(0).outcome, BulkOutcome::kRetry);
  EXPECT_THAT(Find(*index, "*"), IsEmpty());
  Sql("ROLLBACK");
  EXPECT_EQ(Bulk(*index, {Photo("a", 1, "{}")})[0].outcome, BulkOutcome::kApplied);
}

TEST_F(SqliteIndexTest, ACommitThatFailsLeavesNothingBehind) {
  const auto index = Open();
  Sql("CREATE TRIGGER full BEFORE INSERT ON \"d_photo.1\" WHEN new.id = 'c' "
      "BEGIN SELECT raise(ABORT, 'no'); END");
  const auto results =
      Bulk(*index, {Photo("a", 1, R"({"title":"sky"})"), Photo("a", 1, "{}"), Photo("c", 1, "{}")});
  for (const BulkResult& result : results) EXPECT_EQ(result.outcome, BulkOutcome::kRetry);
  EXPECT_THAT(Find(*index, "*"), IsEmpty());
  EXPECT_THAT(Find(*index, "sky"), IsEmpty());
}

// Time that passes with each look at it: ends a call in the middle of its work, at once.
class LookedAtClock final : public Clock {
 public:
  int64_t NowMs() const override { return MonotonicMs(); }
  int64_t MonotonicNs() const override { return ++looks_ * 1'000'000; }

 private:
  mutable std::atomic<int64_t> looks_ = 0;
};

TEST_F(SqliteIndexTest, ACallEndsWithItsDeadlineAndItsCaller) {
  const auto index = Open();
  std::vector<Document> photos;
  for (int i = 0; i < 3000; ++i) photos.push_back(Photo(std::to_string(i), 1, R"({"views":1})"));
  const LookedAtClock clock;
  const auto results = index->Bulk(Call::Within(clock, 20), photos);
  EXPECT_EQ(results->back().outcome, BulkOutcome::kRetry);
  EXPECT_EQ(results->back().error->code(), Code::kTimeout);
  Bulk(*index, photos);
  const SearchRequest request{.kind = PhotoKind(), .sort = {{"rating"}}, .facets = {{"shown"}}};
  const auto late = index->Search(Call::Within(clock, 6), request);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kTimeout);
  std::stop_source gone;
  gone.request_stop();
  const auto stopped =
      index->Search(Call::Within(TheRuntime().clock, 60'000, gone.get_token()), request);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), Code::kCanceled);
  EXPECT_EQ(index->Search(Within(), request)->total, 3000);
}

TEST_F(SqliteIndexTest, TreesFromCodeAreAnsweredHoweverDeepAndWide) {
  const auto index = Open();
  Bulk(*index, {Photo("a", 1, R"({"views":1,"title":"w1 w2999"})")});
  const Query one{.node = Node::kEquals, .field = "views", .value = int64_t{1}};
  const Query two{.node = Node::kEquals, .field = "views", .value = int64_t{2}};
  Query deep = one;
  for (int level = 1; level < kQueryTreeDepthMax; ++level) {
    if (level % 3 == 0 && level + 1 < kQueryTreeDepthMax) {
      deep = {.node = Node::kNot, .children = {{.node = Node::kNot, .children = {deep}}}};
      ++level;
    } else {
      const bool any = level % 2 == 0;
      deep = {.node = any ? Node::kOr : Node::kAnd, .children = {any ? two : one, deep}};
    }
  }
  EXPECT_THAT(Find(*index, deep), ElementsAre("a"));
  Query wide{.node = Node::kOr};
  for (int64_t i = 3000; i > 0; --i) {
    wide.children.push_back({.node = Node::kEquals, .field = "views", .value = i});
  }
  EXPECT_THAT(Find(*index, wide), ElementsAre("a"));
  Query words{.node = Node::kWords, .field = "title"};
  for (int i = 3; i < 3000; ++i) words.words.push_back("w" + std::to_string(i));
  EXPECT_THAT(Find(*index, words), ElementsAre("a"));
}

TEST_F(SqliteIndexTest, WhatLooksLikeSqlOrFts5IsData) {
  const auto index = Open();
  const std::string evil = R"('; DROP TABLE d_photo; -- \" NEAR(a b) {x}: ^y*)";
  const std::string body = R"({"album":")" + evil + R"(","title":"near or not and a\"b col* 'x'"})";
  ASSERT_EQ(Bulk(*index, {Photo(evil, 1, body)})[0].outcome, BulkOutcome::kApplied);
  const std::string value = R"('; DROP TABLE d_photo; -- " NEAR(a b) {x}: ^y*)";
  EXPECT_THAT(Find(*index, {.node = Node::kEquals, .field = "album", .value = value}),
              ElementsAre(evil));
  EXPECT_THAT(Find(*index, {.node = Node::kWords, .field = "title", .words = {"near", "\"", "("}}),
              ElementsAre(evil));
  EXPECT_THAT(Find(*index, {.node = Node::kPhrase, .field = "title", .words = {"or", "not"}}),
              ElementsAre(evil));
  EXPECT_THAT(Find(*index, {.node = Node::kWords, .field = "title", .words = {"co", "nea", "*"}}),
              IsEmpty());
}

TEST_F(SqliteIndexTest, FieldsMayBeNamedAsTablesAndColumnsOfFts5Are) {
  Kind kind{.name = "odd", .fields = {}};
  for (const char* name : {"rowid", "rank", "words", "doc", "title", "title_data", "title_fts",
                           "id", "scope", "select", "value"}) {
    kind.fields.push_back({.name = name, .type = FieldType::kText, .searchable = true});
  }
  const auto index = Open(kind);
  const std::vector<Document> documents = {
      {.ref = {"odd", {"s", "a"}}, .rev = 1, .body = R"({"rank":"x","title_data":"y","id":"z"})"}};
  ASSERT_EQ(Bulk(*index, documents)[0].outcome, BulkOutcome::kApplied);
  for (const auto& [field, word] :
       std::map<std::string, std::string>{{"rank", "x"}, {"title_data", "y"}, {"id", "z"}}) {
    EXPECT_THAT(Find(*index, {.node = Node::kWords, .field = field, .words = {word}}, kind),
                ElementsAre("a"))
        << field;
  }
}

}  // namespace
}  // namespace a4c::search_sqlite
