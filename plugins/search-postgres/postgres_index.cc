#include "postgres_index.h"

#include <algorithm>
#include <map>
#include <utility>

#include "a4c/digests.h"
#include "a4c/rebuild.h"
#include "a4c/search_document.h"
#include "a4c/search_plan.h"
#include "a4c/sinks.h"
#include "postgres_ensure.h"
#include "postgres_layout.h"
#include "postgres_pool.h"
#include "postgres_search.h"
#include "postgres_text.h"
#include "postgres_writer.h"

namespace a4c::search_postgres {
namespace {

// How often a layout that changed under a call is read anew.
constexpr int kAttempts = 4;

using LayoutPtr = std::shared_ptr<const Layout>;

Error UnknownKind(const std::string& kind) {
  return Error(Code::kNotFound, "search-postgres: unknown kind \"" + kind + "\"",
               "call Ensure with it first");
}

Error Moving() {
  return Error(Code::kUnavailable, "search-postgres: the index changed its layout again and again");
}

Error Replaced() {
  return Error(Code::kUnavailable,
               "search-postgres: the server was replaced as primary while it committed");
}

// What the index and the generations that it opened share.
struct Server {
  Server(Options how, const Runtime& given)
      : options(std::move(how)),
        runtime(given),
        pool(options, Role::kOwner, timeline_seen, given),
        bound(options, Role::kBound, timeline_seen, given) {}

  const Options options;
  const Runtime runtime;
  std::atomic<int64_t> timeline_seen{0};
  Pool pool;
  Pool bound;  // with row_security: for searches in some scopes
};

// A kind as Ensure was given it, and the layout as it was last seen.
struct KnownKind {
  Kind kind;
  LayoutPtr layout = {};
};

class PostgresIndex final : public SearchIndex, public Digests, public Rebuild {
 public:
  // number: of the one generation that it works on, or kLive.
  PostgresIndex(std::shared_ptr<Server> server, int64_t number)
      : server_(std::move(server)),
        number_(number),
        waiter_(server_->runtime.threads.NewWaiter()) {}

  void Know(const Kind& kind) {
    const Waiter::Lock lock(*waiter_);
    kinds_[kind.name] = {kind, nullptr};
  }

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    for (const Kind& kind : kinds) A4C_CHECK(CheckKind(kind));
    if (number_ != kLive) {
      return Error(Code::kUnsupported, "search-postgres: a generation is of its kind alone");
    }
    A4C_TRY(Pool::Lease session, server_->pool.Take(call));
    A4C_CHECK(Schema(*session, server_->options).Ensure(call, kinds));
    // Tells whether the sessions that are to search are fit to.
    if (server_->options.row_security) A4C_CHECK(server_->bound.Take(call));
    for (const Kind& kind : kinds) Know(kind);
    return {};
  }

  Result<std::vector<BulkResult>> Bulk(const Call& call,
                                       std::span<const Document> documents) override {
    A4C_CHECK(CheckUnbound(call));
    std::vector<BulkResult> results(documents.size());
    for (const auto& [kind, numbers] : ByKind(documents)) {
      BulkOf(call, kind, documents, numbers, results);
    }
    return results;
  }

  Result<std::vector<BulkResult>> Remove(const Call& call, std::span<const Purge> purges) override {
    A4C_CHECK(CheckUnbound(call));
    std::map<std::string, std::vector<std::string>> ids;
    for (const Purge& purge : purges) ids[purge.ref.kind].push_back(purge.ref.key.id);
    std::map<std::string, BulkResult> outcomes;
    for (const auto& [kind, some] : ids) {
      const Result<void> removed = RemoveOf(call, kind, some);
      if (removed || removed.error().code() == Code::kNotFound) {
        outcomes[kind] = {.outcome = BulkOutcome::kApplied};
      } else {
        outcomes[kind] = {.outcome = BulkOutcome::kRetry, .error = removed.error()};
      }
    }
    std::vector<BulkResult> results;
    for (const Purge& purge : purges) results.push_back(outcomes[purge.ref.kind]);
    return results;
  }

  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override {
    A4C_TRY(const SearchPlan plan, PlanSearch(request));
    // Over all scopes: by the role that may see them, but never for a call that is bound to some.
    const ScopeSet named = request.scope ? ScopeSet{*request.scope} : ScopeSet();
    const ScopeSet* scopes = call.scopes == nullptr && request.scope ? &named : call.scopes;
    if (!server_->options.row_security) scopes = nullptr;
    return Reading<SearchAnswer>(call, scopes == nullptr ? server_->pool : server_->bound,
                                 request.kind.name, [&](Session& session, const Layout& layout) {
                                   return RunSearch(call, session, server_->options, layout,
                                                    number_, plan, request, scopes);
                                 });
  }

  // What a commit wrote is read by every search that begins later.
  Result<void> Refresh(const Call&, const std::string& kind) override {
    return KindOf(kind) ? Result<void>() : UnknownKind(kind);
  }

  Result<DigestSums> Sums(const Call& call, const Kind& kind) override {
    A4C_TRY(const auto rows,
            ReadRows(call, kind.name, "SELECT bucket, count(*), sum(digest)::bigint FROM ",
                     " WHERE NOT tombstone GROUP BY bucket", {}));
    DigestSums sums{};
    for (int row = 0; row < rows.size(); ++row) {
      sums[static_cast<size_t>(rows.Int(row, 0) % kDigestBuckets)] = {rows.Int(row, 1),
                                                                      rows.Int(row, 2)};
    }
    return sums;
  }

  Result<std::vector<DigestRow>> Rows(const Call& call, const Kind& kind,
                                      std::span<const int> buckets) override {
    std::vector<std::string> wanted;
    for (const int bucket : buckets) wanted.push_back(std::to_string(bucket));
    A4C_TRY(const auto rows,
            ReadRows(call, kind.name, "SELECT scope, id, rev, digest FROM ",
                     " WHERE NOT tombstone AND bucket = ANY ($1::integer[])", {ArrayText(wanted)}));
    std::vector<DigestRow> list;
    for (int row = 0; row < rows.size(); ++row) {
      list.push_back({{std::string(rows.Text(row, 0)), std::string(rows.Text(row, 1))},
                      rows.Int(row, 2),
                      static_cast<uint32_t>(rows.Int(row, 3))});
    }
    return list;
  }

  Result<std::vector<IndexGeneration>> Generations(const Call& call, const Kind& kind) override {
    A4C_TRY(Pool::Lease session, server_->pool.Take(call));
    return Schema(*session, server_->options).List(call, kind);
  }
  Result<void> Create(const Call& call, const Kind& kind, int64_t number) override {
    A4C_CHECK(CheckKind(kind));
    A4C_TRY(Pool::Lease session, server_->pool.Take(call));
    return Schema(*session, server_->options).Create(call, kind, number);
  }
  Result<std::unique_ptr<SearchIndex>> Open(const Call& call, const Kind& kind,
                                            int64_t number) override {
    A4C_TRY(const std::vector<IndexGeneration> list, Generations(call, kind));
    if (std::ranges::find(list, number, &IndexGeneration::number) == list.end()) {
      return NoGeneration(kind, number);
    }
    auto opened = std::make_unique<PostgresIndex>(server_, number);
    opened->Know(kind);
    return std::unique_ptr<SearchIndex>(std::move(opened));
  }
  Result<void> Swap(const Call& call, const Kind& kind, int64_t number) override {
    A4C_TRY(Pool::Lease session, server_->pool.Take(call));
    return Schema(*session, server_->options).Swap(call, kind, number);
  }
  Result<void> Drop(const Call& call, const Kind& kind, int64_t number) override {
    A4C_TRY(Pool::Lease session, server_->pool.Take(call));
    return Schema(*session, server_->options).Drop(call, kind, number);
  }

 protected:
  void* Extension(std::string_view name) override {
    if (name == Digests::kExtension) return static_cast<Digests*>(this);
    if (name == Rebuild::kExtension && number_ == kLive) return static_cast<Rebuild*>(this);
    return nullptr;
  }

 private:
  using Numbers = std::vector<size_t>;  // of documents of a call

  static std::map<std::string, Numbers> ByKind(std::span<const Document> documents) {
    std::map<std::string, Numbers> kinds;
    for (size_t i = 0; i < documents.size(); ++i) kinds[documents[i].ref.kind].push_back(i);
    return kinds;
  }

  // What is no search works over all scopes.
  Result<void> CheckUnbound(const Call& call) const {
    if (!server_->options.row_security || call.scopes == nullptr) return {};
    return Error(Code::kDenied,
                 "search-postgres: a caller that is bound to scopes may search only");
  }

  std::optional<Kind> KindOf(const std::string& name) const {
    const Waiter::Lock lock(*waiter_);
    const auto found = kinds_.find(name);
    return found == kinds_.end() ? std::nullopt : std::optional(found->second.kind);
  }

  // As it was last seen, or read now.
  Result<LayoutPtr> LayoutOf(const Call& call, Session& session, const std::string& kind) {
    {
      const Waiter::Lock lock(*waiter_);
      const auto found = kinds_.find(kind);
      if (found == kinds_.end()) return UnknownKind(kind);
      if (found->second.layout != nullptr) return found->second.layout;
    }
    A4C_TRY(std::optional<Layout> read,
            Schema(session, server_->options).Read(call, kind, number_));
    if (!read) return UnknownKind(kind);
    auto layout = std::make_shared<const Layout>(*std::move(read));
    const Waiter::Lock lock(*waiter_);
    kinds_[kind].layout = layout;
    return layout;
  }

  void Forget(const std::string& kind) {
    const Waiter::Lock lock(*waiter_);
    kinds_[kind].layout = nullptr;
  }

  // work answers nothing if the layout was not the one that it was given any more.
  template <typename Answer, typename Work>
  Result<Answer> Reading(const Call& call, Pool& pool, const std::string& kind, Work work) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      if (!KindOf(kind)) return UnknownKind(kind);
      A4C_TRY(Pool::Lease session, pool.Take(call));
      A4C_TRY(const LayoutPtr layout, LayoutOf(call, *session, kind));
      Result<std::optional<Answer>> answer = work(*session, *layout);
      // A field that the layout lacks may be in the one that is there now.
      const bool lacks = !answer && answer.error().code() == Code::kConflict && attempt == 0;
      if (!answer && !lacks) return answer.error();
      if (answer && *answer) return **std::move(answer);
      Forget(kind);
    }
    return Moving();
  }

  Result<search_postgres::Rows> ReadRows(const Call& call, const std::string& kind,
                                         const std::string& select, const std::string& where,
                                         std::vector<std::optional<std::string>> params) {
    A4C_CHECK(CheckUnbound(call));
    return Reading<search_postgres::Rows>(
        call, server_->pool, kind, [&](Session& session, const Layout& layout) {
          return RunRead(call, session, server_->options, layout, number_,
                         {select + layout.Table() + where, params});
        });
  }

  void BulkOf(const Call& call, const std::string& name, std::span<const Document> documents,
              const Numbers& numbers, std::vector<BulkResult>& results) {
    const std::optional<Kind> kind = KindOf(name);
    std::vector<Pending> pending;
    pending.reserve(numbers.size());
    size_t bytes = 0;
    for (const size_t i : numbers) {
      auto indexed = kind ? MakeSearchDocument(*kind, documents[i]) : UnknownKind(name);
      if (!indexed) {
        results[i] = {.outcome = BulkOutcome::kRejected, .error = indexed.error()};
        continue;
      }
      pending.push_back({&documents[i], &results[i], *std::move(indexed)});
      bytes += documents[i].body.size();
      if (pending.size() < static_cast<size_t>(server_->options.commit_documents_max) &&
          bytes < static_cast<size_t>(server_->options.commit_bytes_max)) {
        continue;
      }
      Commit(call, name, pending);
      pending.clear();
      bytes = 0;
    }
    Commit(call, name, pending);
  }

  void Commit(const Call& call, const std::string& kind, std::vector<Pending>& pending) {
    std::vector<Pending*> sorted;
    for (Pending& one : pending) sorted.push_back(&one);
    std::ranges::stable_sort(sorted, {},
                             [](const Pending* one) { return one->document->ref.key.id; });
    if (!sorted.empty()) CommitSome(call, kind, sorted);
  }

  // What fails for a document of it is tried one by one: poison stops nobody.
  void CommitSome(const Call& call, const std::string& kind, std::span<Pending* const> some) {
    const Result<void> written = WriteSome(call, kind, some);
    if (written) return;
    const Error& error = written.error();
    const bool permanent = error.code() == Code::kInvalid;
    if (permanent && some.size() > 1) {
      for (Pending* const& one : some) CommitSome(call, kind, {&one, 1});
      return;
    }
    server_->runtime.log.Write(
        LogLevel::kWarning, "search-postgres", "documents could not be written",
        {{"error", error.ToString()}, {"documents", std::to_string(some.size())}});
    const BulkOutcome outcome = permanent ? BulkOutcome::kRejected : BulkOutcome::kRetry;
    for (Pending* const one : some) *one->result = {.outcome = outcome, .error = error};
  }

  Result<void> WriteSome(const Call& call, const std::string& kind,
                         std::span<Pending* const> some) {
    return Writing(call, kind, [&](Session& session, const Layout& layout) -> Result<Reply> {
      for (const Pending* one : some) {
        for (const SearchField& field : one->indexed.fields) {
          A4C_CHECK(layout.Check(field.name, field.type));
        }
      }
      return WriteAll(call, session, server_->options, layout, number_, some);
    });
  }

  Result<void> RemoveOf(const Call& call, const std::string& kind,
                        const std::vector<std::string>& ids) {
    return Writing(call, kind, [&](Session& session, const Layout& layout) -> Result<Reply> {
      const std::vector<Statement> statements = {
          {"BEGIN"},
          LimitTime(call, server_->options),
          HoldSame(layout, number_),
          {"DELETE FROM " + layout.Table() + " WHERE id = ANY ($1::text[])", {ArrayText(ids)}},
          {"COMMIT"}};
      return session.Run(call, statements);
    });
  }

  template <typename Work>
  Result<void> Writing(const Call& call, const std::string& kind, Work work) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      A4C_TRY(Pool::Lease session, server_->pool.Take(call));
      A4C_TRY(const LayoutPtr layout, LayoutOf(call, *session, kind));
      const Result<Reply> reply = work(*session, *layout);
      const bool lacks = !reply && reply.error().code() == Code::kConflict && attempt == 0;
      if (!reply && !lacks) return reply.error();
      if (reply && !reply->failure && server_->pool.IsReplaced(*session)) return Replaced();
      if (reply && !reply->failure) return {};
      if (reply && reply->failure->sqlstate != kNotSame) return reply->failure->error;
      Forget(kind);
    }
    return Moving();
  }

  const std::shared_ptr<Server> server_;
  const int64_t number_;
  const std::unique_ptr<Waiter> waiter_;  // guards kinds_; never held across a statement
  std::map<std::string, KnownKind, std::less<>> kinds_;
};

}  // namespace

std::unique_ptr<SearchIndex> NewPostgresIndex(Options options, const Runtime& runtime) {
  return std::make_unique<PostgresIndex>(std::make_shared<Server>(std::move(options), runtime),
                                         kLive);
}

}  // namespace a4c::search_postgres
