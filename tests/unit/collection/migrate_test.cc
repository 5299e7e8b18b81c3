// Moving to another store, or to another index, as a4cd migrate-backend does.
#include "a4c/store_copy.h"
#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

class MigrateTest : public DatabaseTest {
 protected:
  const std::vector<CollectionSpec> collections_ = {{.kind = PhotoKind(), .searchable = true}};

  StoreCopyReport CopyAll(Store& to) {
    StoreCopyReport all;
    EXPECT_TRUE(to.Ensure(Within(), StoredKinds(collections_)));
    for (const Kind& kind : StoredKinds(collections_)) {
      const auto report = CopyKind(Within(), *memory_, to, kind);
      EXPECT_TRUE(report) << report.error().ToString();
      if (!report) continue;
      all.records += report->records;
      all.written += report->written;
      all.removed += report->removed;
    }
    return all;
  }

  std::unique_ptr<Store> other_ = NewMemoryStore(fake_.runtime());
};

TEST_F(MigrateTest, AStoreIsCopiedWithRevsTombstonesAndQuietValues) {
  Open();
  for (int i = 0; i < 1200; ++i) Put("id-" + std::to_string(i), R"({"size":1})");
  Put("id-7", R"({"size":2})", Expect::Rev(1));
  Put("id-8", "{}", Expect::Rev(1), true);
  EXPECT_GT(CopyAll(*other_).written, 1200);
  const std::vector<RecordRef> refs = {
      Photo("id-7"), Photo("id-8"), {"photo_outbox", {"s", "id-7"}}};
  const auto copied = other_->Get(Within(), refs);
  ASSERT_TRUE(copied);
  EXPECT_EQ(copied->records[0]->rev, 2);
  EXPECT_EQ(copied->records[0]->body, R"({"size":2})");
  EXPECT_TRUE(copied->records[1]->tombstone);
  EXPECT_EQ(copied->records[2]->rev, 2);
  EXPECT_EQ(copied->records[2]->quiet, memory_->Get(Within(), refs)->records[2]->quiet);
}

TEST_F(MigrateTest, ASecondPassWritesWhatChangedAndAThirdNothing) {
  Open();
  for (int i = 0; i < 20; ++i) Put("id-" + std::to_string(i), "{}");
  CopyAll(*other_);
  Put("id-3", R"({"size":3})", Expect::Rev(1));
  Put("new", "{}");
  Sync();  // takes rows of the outbox away
  const StoreCopyReport second = CopyAll(*other_);
  EXPECT_EQ(second.written, 2);
  EXPECT_EQ(second.removed, 20);
  const StoreCopyReport third = CopyAll(*other_);
  EXPECT_EQ(third.written + third.removed, 0);
  EXPECT_EQ(third.records, 21);
}

TEST_F(MigrateTest, ARecordOfTheSameRevWithOtherContentsIsWrittenAgain) {
  Open();
  Put("a", R"({"size":1})");
  ASSERT_TRUE(other_->Ensure(Within(), StoredKinds(collections_)));
  const WriteBatch stray{{a4c::Put{.ref = Photo("a"), .body = R"({"size":9})"}}};
  ASSERT_TRUE(other_->Apply(Within(), std::span(&stray, 1)));
  CopyAll(*other_);
  const RecordRef a = Photo("a");
  EXPECT_EQ(other_->Get(Within(), std::span(&a, 1))->records[0]->body, R"({"size":1})");
}

TEST_F(MigrateTest, AStoreThatHasMovedIsNotOpenedAndItsMarkStaysBehind) {
  Open();
  Put("a", "{}");
  ASSERT_TRUE(MarkStoreMoved(Within(), *memory_, "store-other"));
  CopyAll(*other_);
  EXPECT_EQ(CopyAll(*other_).written, 0);
  const auto open = [&](Store& store) {
    return Database({.store = store, .index = index_.get()}, fake_.runtime())
        .Open(Within(), collections_);
  };
  const auto refused = open(*memory_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kConflict);
  EXPECT_NE(refused.error().message().find("store-other"), std::string::npos);
  EXPECT_TRUE(open(*other_));
  ASSERT_TRUE(MarkStoreMoved(Within(), *memory_, ""));
  EXPECT_TRUE(open(*memory_));
}

class MigrateSearchTest : public MigrateTest {
 protected:
  std::unique_ptr<Database> Instance(SearchIndex& index, const std::string& identity) {
    auto database =
        std::make_unique<Database>(Backends{.store = store_, .index = &index}, fake_.runtime(),
                                   DatabaseOptions{.index_identity = identity});
    EXPECT_TRUE(database->Open(Within(), collections_));
    return database;
  }
  void Poll(Database& database) {
    fake_.clock().Advance(60'000);
    const auto poll = database.NewPollLoop("photo");
    (void)poll->Step(fake_.Within(10'000));
  }

  std::unique_ptr<SearchIndex> next_ = NewMemorySearchIndex(fake_.runtime());
};

TEST_F(MigrateSearchTest, AfterTheOldIndexIsRetiredNothingIsConfirmedByIt) {
  database_ = Instance(*index_, "old");
  Put("a", R"({"album":"x"})");
  Poll(*database_);
  EXPECT_TRUE(Outbox().empty());
  ASSERT_TRUE(database_->RetireIndex(Within(), "photo", "old"));
  Put("b", R"({"album":"x"})");
  Poll(*database_);
  EXPECT_EQ(Outbox().size(), 1u);

  const auto mover = Instance(*next_, "");
  EXPECT_EQ(*mover->Fill(Within(), "photo", {}), 2);
  EXPECT_TRUE(mover->Verify(Within(), "photo")->drift.empty());
  // Instances with the new config go on where the old ones stopped.
  const auto with_new = Instance(*next_, "new");
  Poll(*with_new);
  EXPECT_TRUE(Outbox().empty());
  EXPECT_EQ(with_new->Search(Within(), {.request = {.kind = PhotoKind()}})->answer.total, 2);
}

TEST_F(MigrateSearchTest, WhatChangedDuringTheFillIsFoundByItsProof) {
  database_ = Instance(*index_, "old");
  Put("a", R"({"size":1})");
  Poll(*database_);
  const auto mover = Instance(*next_, "");
  ASSERT_TRUE(mover->Fill(Within(), "photo", {}));
  Put("a", R"({"size":2})", Expect::Rev(1));
  Put("b", R"({"size":2})");
  Poll(*database_);
  const auto report = mover->Verify(Within(), "photo");
  ASSERT_EQ(report->drift.size(), 2u);
  EXPECT_EQ(*mover->Fill(Within(), "photo", report->drift), 2);
  EXPECT_EQ(mover->Verify(Within(), "photo")->mismatched_buckets, 0);
}

TEST_F(MigrateSearchTest, ARetiredIndexCanComeBack) {
  database_ = Instance(*index_, "old");
  ASSERT_TRUE(database_->RetireIndex(Within(), "photo", "old"));
  Put("a", "{}");
  Poll(*database_);
  EXPECT_EQ(Outbox().size(), 1u);
  ASSERT_TRUE(database_->RetireIndex(Within(), "photo", ""));
  Poll(*database_);
  EXPECT_TRUE(Outbox().empty());
}

}  // namespace
}  // namespace a4c::testing
