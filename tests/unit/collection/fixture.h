// A Database over memory back ends whose calls a test can spoil, on time that passes at waits.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "a4c/collection.h"
#include "a4c/digests.h"
#include "a4c/memory.h"
#include "a4c/rebuild.h"
#include "tests/support/fake_clock.h"

namespace a4c::testing {

// Hands every call on; `on_apply` and `on_get` may answer in its place, or spoil the answer.
class HookedStore final : public Store {
 public:
  using Apply_ =
      std::function<Result<ApplyAnswer>(Store&, const Call&, std::span<const WriteBatch>)>;
  using Get_ = std::function<Result<GetAnswer>(Store&, const Call&, std::span<const RecordRef>)>;

  explicit HookedStore(Store& store) : store_(store) {}
  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    return store_.Ensure(call, kinds);
  }
  Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) override {
    ++applies;
    return on_apply ? on_apply(store_, call, batches) : store_.Apply(call, batches);
  }
  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    return on_get ? on_get(store_, call, refs) : store_.Get(call, refs);
  }
  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) override {
    if (const auto before = before_scan) before();
    return store_.Scan(call, request);
  }

  std::function<void()> before_scan;
  Apply_ on_apply;
  Get_ on_get;
  std::atomic<int> applies = 0;

 private:
  Store& store_;
};

// Hands every call on; `on_bulk` and `on_refresh` are called before the effect, and may refuse
// it. What is done to one generation alone passes by them. A document that `refuses` is for is
// never taken, and others are.
class HookedIndex final : public SearchIndex {
 public:
  explicit HookedIndex(SearchIndex& index) : index_(index) {}
  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    return index_.Ensure(call, kinds);
  }
  Result<std::vector<BulkResult>> Bulk(const Call& call,
                                       std::span<const Document> documents) override {
    if (on_bulk) A4C_CHECK(on_bulk(documents));
    if (!refuses) return index_.Bulk(call, documents);
    std::vector<BulkResult> results;
    for (const Document& document : documents) {
      if (refuses(document)) {
        results.push_back({.error = Error(Code::kUnavailable, "status 400 odd", "look at it")});
        continue;
      }
      A4C_TRY(const std::vector<BulkResult> taken, index_.Bulk(call, std::span(&document, 1)));
      results.push_back(taken[0]);
    }
    return results;
  }
  Result<std::vector<BulkResult>> Remove(const Call& call, std::span<const Purge> purges) override {
    return index_.Remove(call, purges);
  }
  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override {
    return index_.Search(call, request);
  }
  Result<void> Refresh(const Call& call, const std::string& kind) override {
    if (on_refresh) A4C_CHECK(on_refresh());
    return index_.Refresh(call, kind);
  }

  std::function<Result<void>(std::span<const Document>)> on_bulk;
  std::function<Result<void>()> on_refresh;
  std::function<bool(const Document&)> refuses;

 protected:
  void* Extension(std::string_view name) override {
    if (name == Rebuild::kExtension) return index_.As<Rebuild>();
    if (name == Digests::kExtension) return index_.As<Digests>();
    return nullptr;
  }

 private:
  SearchIndex& index_;
};

inline Kind PhotoKind() {
  return Kind{.name = "photo",
              .fields = {{.name = "title", .type = FieldType::kText, .searchable = true},
                         {.name = "album", .type = FieldType::kKeyword, .searchable = true},
                         {.name = "size", .type = FieldType::kLong, .searchable = true}},
              .indexes = {{.name = "by_album", .fields = {"album"}}}};
}

// What Apply answers when the connection broke: before the effect, or after it.
inline ApplyAnswer AllUnknown(size_t batches) {
  ApplyAnswer answer{.store_time_ms = 1, .results = {}};
  answer.results.resize(batches);
  for (BatchResult& result : answer.results) {
    result.error = Error(Code::kUnknownOutcome, "connection lost");
  }
  return answer;
}

class DatabaseTest : public ::testing::Test {
 protected:
  void Open(bool with_bus = true, const DatabaseOptions& options = {}) {
    database_ = std::make_unique<Database>(
        Backends{.store = store_, .bus = with_bus ? bus_.get() : nullptr, .index = index_.get()},
        fake_.runtime(), options);
    const auto opened = database_->Open(Within(), {{.kind = PhotoKind(), .searchable = true}});
    ASSERT_TRUE(opened) << opened.error().ToString();
    sync_ = database_->NewSyncLoop("photo");
    poll_ = database_->NewPollLoop("photo");
  }

  Call Within(int64_t timeout_ms = 60'000) const { return fake_.Within(timeout_ms); }

  static RecordRef Photo(const std::string& id) { return {"photo", {"s", id}}; }

  static RecordRef PhotoRow(const std::string& id) { return {"photo_outbox", {"s", id}}; }

  Committed Put(const std::string& id, const std::string& body, Expect expect = Expect::Absent(),
                bool tombstone = false) {
    const auto done = database_->Write(
        Within(),
        {.changes = {{.ref = Photo(id), .body = body, .tombstone = tombstone, .expect = expect}}});
    EXPECT_TRUE(done) << done.error().ToString();
    return done ? *done : Committed{};
  }

  std::optional<Record> Read(const std::string& id) {
    const RecordRef ref = Photo(id);
    const auto got = database_->Get(Within(), std::span(&ref, 1));
    EXPECT_TRUE(got);
    return got->records[0];
  }

  // Lets `spoil` see the first answer to a read of photos.
  void AfterPhotosAreRead(std::function<void(Store&, Result<GetAnswer>&)> spoil) {
    store_.on_get = [this, spoil = std::move(spoil)](Store& store, const Call& call,
                                                     std::span<const RecordRef> refs) {
      auto answer = store.Get(call, refs);
      if (!refs.empty() && refs[0].kind == "photo") {
        const auto first = spoil;
        store_.on_get = nullptr;
        first(store, answer);
      }
      return answer;
    };
  }

  // The outbox rows there are, dead or alive.
  std::vector<Record> Outbox() {
    const auto page = database_->Scan(Within(), {.kind = "photo_outbox"});
    EXPECT_TRUE(page);
    return page->records;
  }

  void Step(Loop& loop, int64_t timeout_ms = 100) {
    const auto stepped = loop.Step(fake_.Within(timeout_ms));
    ASSERT_TRUE(stepped) << stepped.error().ToString();
  }

  // As many steps of the sync loop as it takes to poll, index and confirm what there is.
  void Sync() {
    for (int i = 0; i < 4; ++i) Step(*sync_, 2'000);
  }

  std::vector<std::string> Find(const std::string& text) {
    const auto query = ParseQuery(text, PhotoKind(), 0);
    EXPECT_TRUE(query);
    const auto found = index_->Search(Within(), {.kind = PhotoKind(), .query = *query});
    EXPECT_TRUE(found) << found.error().ToString();
    std::vector<std::string> ids;
    for (const Hit& hit : found->hits) ids.push_back(hit.ref.key.id);
    return ids;
  }

  FakeRuntime fake_{1, Passing::kAtWaits};
  std::unique_ptr<Store> memory_ = NewMemoryStore(fake_.runtime());
  HookedStore store_{*memory_};
  std::unique_ptr<Bus> bus_ = NewMemoryBus(fake_.runtime());
  std::unique_ptr<SearchIndex> index_ = NewMemorySearchIndex(fake_.runtime());
  std::unique_ptr<Database> database_;
  std::unique_ptr<Loop> sync_;
  std::unique_ptr<Loop> poll_;
};

}  // namespace a4c::testing
