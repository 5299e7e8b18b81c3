#include "sqlite_index.h"

#include <bitset>
#include <utility>

#include "a4c/digests.h"
#include "a4c/rebuild.h"
#include "a4c/search_document.h"
#include "a4c/search_plan.h"
#include "a4c/sinks.h"
#include "sqlite_ensure.h"
#include "sqlite_layout.h"
#include "sqlite_pool.h"
#include "sqlite_search.h"
#include "sqlite_writer.h"

namespace a4c::search_sqlite {
namespace {

constexpr const char* kRead = "BEGIN";
constexpr const char* kWrite = "BEGIN IMMEDIATE";

using Kinds = std::map<std::string, Kind, std::less<>>;

Error UnknownKind(const std::string& kind) {
  return Error(Code::kNotFound, "search-sqlite: unknown kind \"" + kind + "\"",
               "call Ensure with it first");
}

// What the index and the generations that it opened share.
struct File {
  File(const Options& how, const Runtime& runtime)
      : options(how),
        log(runtime.log),
        threads(runtime.threads),
        readers(runtime),
        writer(runtime) {}

  Result<void> Open(const Call& call) {
    const ConnectionOptions connection{options.path, options.cache_bytes, options.busy_timeout_ms};
    A4C_TRY(auto first, Connection::Open(connection));
    writer.Add(std::move(first));
    A4C_CHECK(writer.With(call, kWrite,
                          [this](Connection& open) { return EnsureOurs(open, options.path); }));
    for (int64_t i = 0; i < options.readers; ++i) {
      A4C_TRY(auto reader, Connection::Open(connection));
      readers.Add(std::move(reader));
    }
    return {};
  }

  const Options options;
  LogSink& log;
  Threads& threads;
  Pool readers;
  Pool writer;  // of one
};

// A document on its way: what does not depend on the file is done before the writer is needed.
struct Pending {
  size_t number;  // among the documents of the call
  SearchDocument indexed;
};

// The layouts of a transaction, each read once. So every transaction meets the generation that is
// live, and the fields that are there, whoever changed them.
class LayoutsOf {
 public:
  LayoutsOf(Connection& connection, int64_t number) : connection_(connection), number_(number) {}

  Result<const Layout*> Find(const std::string& kind) {
    const auto found = read_.find(kind);
    if (found != read_.end()) return &found->second;
    A4C_TRY(std::optional<Layout> layout, ReadLayout(connection_, kind, number_));
    if (!layout) return UnknownKind(kind);
    return &read_.emplace(kind, *std::move(layout)).first->second;
  }

 private:
  Connection& connection_;
  const int64_t number_;
  std::map<std::string, Layout, std::less<>> read_;
};

class SqliteIndex final : public SearchIndex, public Digests, public Rebuild {
 public:
  // number: of the one generation that it works on, or kLive.
  SqliteIndex(std::shared_ptr<File> file, int64_t number, Kinds kinds)
      : file_(std::move(file)),
        number_(number),
        waiter_(file_->threads.NewWaiter()),
        kinds_(std::make_shared<Kinds>(std::move(kinds))) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    for (const Kind& kind : kinds) A4C_CHECK(CheckKind(kind));
    if (number_ != kLive) {
      return Error(Code::kUnsupported, "search-sqlite: a generation is of its kind alone");
    }
    A4C_CHECK(Write(call, [&](Connection& writer) { return EnsureKinds(writer, kinds); }));
    const Waiter::Lock lock(*waiter_);
    auto known = std::make_shared<Kinds>(*kinds_);
    for (const Kind& kind : kinds) (*known)[kind.name] = kind;
    kinds_ = std::move(known);
    return {};
  }

  Result<std::vector<BulkResult>> Bulk(const Call& call,
                                       std::span<const Document> documents) override {
    const std::shared_ptr<const Kinds> kinds = Known();
    const auto documents_max = static_cast<size_t>(file_->options.commit_documents_max);
    const auto bytes_max = static_cast<size_t>(file_->options.commit_bytes_max);
    std::vector<BulkResult> results(documents.size());
    std::vector<Pending> pending;
    size_t bytes = 0;
    for (size_t i = 0; i < documents.size(); ++i) {
      bytes += documents[i].body.size();
      Prepare(*kinds, documents[i], i, pending, results[i]);
      const bool full = pending.size() >= documents_max || bytes >= bytes_max;
      if (!full && i + 1 < documents.size()) continue;
      Commit(call, documents, pending, results);
      pending.clear();
      bytes = 0;
    }
    return results;
  }

  Result<std::vector<BulkResult>> Remove(const Call& call, std::span<const Purge> purges) override {
    const Result<void> removed =
        Write(call, [&](Connection& writer) { return EraseAll(writer, purges); });
    BulkResult result{.outcome = BulkOutcome::kApplied};
    if (!removed) result = {.outcome = BulkOutcome::kRetry, .error = removed.error()};
    return std::vector<BulkResult>(purges.size(), result);
  }

  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override {
    A4C_TRY(const SearchPlan plan, PlanSearch(request));
    SearchAnswer answer;
    A4C_CHECK(Read(call, request.kind.name, [&](Connection& reader, const Layout& layout) {
      auto run = RunSearch(reader, layout, plan, request);
      if (!run) return Result<void>(run.error());
      answer = *std::move(run);
      return Result<void>();
    }));
    return answer;
  }

  // What a commit wrote is read by every search that begins later.
  Result<void> Refresh(const Call&, const std::string& kind) override {
    return Known()->contains(kind) ? Result<void>() : UnknownKind(kind);
  }

  Result<DigestSums> Sums(const Call& call, const Kind& kind) override {
    DigestSums sums{};
    A4C_CHECK(ReadDigests(call, kind.name, "bucket, digest", [&](Statement& row) {
      DigestBucketSum& bucket = sums[static_cast<size_t>(row.Long() % kDigestBuckets)];
      ++bucket.count;
      bucket.sum += row.Long();
    }));
    return sums;
  }

  Result<std::vector<DigestRow>> Rows(const Call& call, const Kind& kind,
                                      std::span<const int> buckets) override {
    std::bitset<kDigestBuckets> wanted;
    for (const int bucket : buckets) wanted.set(static_cast<size_t>(bucket) % kDigestBuckets);
    std::vector<DigestRow> rows;
    A4C_CHECK(ReadDigests(call, kind.name, "bucket, digest, rev, scope, id", [&](Statement& row) {
      if (!wanted.test(static_cast<size_t>(row.Long() % kDigestBuckets))) return;
      DigestRow found;
      found.digest = static_cast<uint32_t>(row.Long());
      found.rev = row.Long();
      found.key.scope = row.Text();
      found.key.id = row.Text();
      rows.push_back(std::move(found));
    }));
    return rows;
  }

  Result<std::vector<IndexGeneration>> Generations(const Call& call, const Kind& kind) override {
    std::vector<IndexGeneration> list;
    A4C_CHECK(file_->readers.With(call, kRead, [&](Connection& reader) {
      auto listed = ListGenerations(reader, kind);
      if (!listed) return Result<void>(listed.error());
      list = *std::move(listed);
      return Result<void>();
    }));
    return list;
  }

  Result<void> Create(const Call& call, const Kind& kind, int64_t number) override {
    A4C_CHECK(CheckKind(kind));
    return Write(call, [&](Connection& w) { return CreateGeneration(w, kind, number); });
  }

  Result<std::unique_ptr<SearchIndex>> Open(const Call& call, const Kind& kind,
                                            int64_t number) override {
    A4C_TRY(const std::vector<IndexGeneration> list, Generations(call, kind));
    for (const IndexGeneration& one : list) {
      if (one.number != number) continue;
      return std::unique_ptr<SearchIndex>(
          std::make_unique<SqliteIndex>(file_, number, Kinds{{kind.name, kind}}));
    }
    return NoGeneration(kind, number);
  }

  Result<void> Swap(const Call& call, const Kind& kind, int64_t number) override {
    return Write(call, [&](Connection& w) { return SwapGeneration(w, kind, number); });
  }

  Result<void> Drop(const Call& call, const Kind& kind, int64_t number) override {
    return Write(call, [&](Connection& w) { return DropGeneration(w, kind, number); });
  }

 protected:
  void* Extension(std::string_view name) override {
    if (name == Digests::kExtension) return static_cast<Digests*>(this);
    if (name == Rebuild::kExtension && number_ == kLive) return static_cast<Rebuild*>(this);
    return nullptr;
  }

 private:
  std::shared_ptr<const Kinds> Known() const {
    const Waiter::Lock lock(*waiter_);
    return kinds_;
  }

  template <typename Work>
  Result<void> Write(const Call& call, Work work) {
    return file_->writer.With(call, kWrite, work);
  }

  template <typename Work>
  Result<void> Read(const Call& call, const std::string& kind, Work work) {
    if (!Known()->contains(kind)) return UnknownKind(kind);
    return file_->readers.With(call, kRead, [&](Connection& reader) -> Result<void> {
      LayoutsOf layouts(reader, number_);
      A4C_TRY(const Layout* layout, layouts.Find(kind));
      return work(reader, *layout);
    });
  }

  static void Prepare(const Kinds& kinds, const Document& document, size_t number,
                      std::vector<Pending>& pending, BulkResult& result) {
    const auto known = kinds.find(document.ref.kind);
    if (known == kinds.end()) {
      result = {.outcome = BulkOutcome::kRejected, .error = UnknownKind(document.ref.kind)};
      return;
    }
    auto indexed = MakeSearchDocument(known->second, document);
    if (indexed) {
      pending.push_back({number, *std::move(indexed)});
    } else {
      result = {.outcome = BulkOutcome::kRejected, .error = indexed.error()};
    }
  }

  // One transaction. If it fails nothing of it is told but that it is to be sent again: also what
  // seemed stale may have rested on what was undone.
  void Commit(const Call& call, std::span<const Document> documents,
              const std::vector<Pending>& pending, std::vector<BulkResult>& results) {
    if (pending.empty()) return;
    const Result<void> written = Write(call, [&](Connection& writer) -> Result<void> {
      LayoutsOf layouts(writer, number_);
      for (const Pending& one : pending) {
        const Document& document = documents[one.number];
        A4C_TRY(const Layout* layout, layouts.Find(document.ref.kind));
        A4C_TRY(results[one.number], WriteDocument(writer, *layout, document, one.indexed));
      }
      return {};
    });
    if (written) return;
    file_->log.Write(
        LogLevel::kWarning, "search-sqlite", "a commit failed",
        {{"error", written.error().ToString()}, {"documents", std::to_string(pending.size())}});
    for (const Pending& one : pending) {
      results[one.number] = {.outcome = BulkOutcome::kRetry, .error = written.error()};
    }
  }

  Result<void> EraseAll(Connection& writer, std::span<const Purge> purges) const {
    LayoutsOf layouts(writer, number_);
    for (const Purge& purge : purges) {
      const auto layout = layouts.Find(purge.ref.kind);
      if (!layout && layout.error().code() == Code::kNotFound) continue;
      if (!layout) return layout.error();
      A4C_CHECK(EraseDocument(writer, **layout, purge.ref.key.id));
    }
    return {};
  }

  template <typename Use>
  Result<void> ReadDigests(const Call& call, const std::string& kind, const std::string& columns,
                           Use use) {
    return Read(call, kind, [&](Connection& reader, const Layout& layout) -> Result<void> {
      A4C_TRY(Statement rows, reader.Prepare("SELECT " + columns + " FROM " + layout.Documents() +
                                             " WHERE tombstone = 0"));
      for (;;) {
        A4C_TRY(const bool there, rows.Step());
        if (!there) return {};
        use(rows);
      }
    });
  }

  const std::shared_ptr<File> file_;
  const int64_t number_;
  const std::unique_ptr<Waiter> waiter_;  // guards the pointer kinds_
  std::shared_ptr<const Kinds> kinds_;
};

}  // namespace

Result<std::unique_ptr<SearchIndex>> OpenSqliteIndex(const Options& options,
                                                     const Runtime& runtime) {
  if (options.path.empty() || options.path.starts_with(':') || options.path.starts_with("file:")) {
    return Error(Code::kInvalid,
                 "search-sqlite: path \"" + options.path + "\" is not the name of a file",
                 "search-memory keeps an index in memory");
  }
  auto file = std::make_shared<File>(options, runtime);
  A4C_CHECK(file->Open(Call::Within(runtime.clock, options.busy_timeout_ms + 1000)));
  return std::unique_ptr<SearchIndex>(
      std::make_unique<SqliteIndex>(std::move(file), kLive, Kinds()));
}

}  // namespace a4c::search_sqlite
