#include "postgres_store.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "a4c/migrations.h"
#include "a4c/replicas.h"
#include "a4c/retention.h"
#include "read/postgres_leases.h"
#include "read/postgres_reader.h"
#include "schema/postgres_catalog.h"
#include "schema/postgres_ensure.h"
#include "schema/postgres_retention.h"
#include "session/postgres_connector.h"
#include "session/postgres_pool.h"
#include "write/postgres_committer.h"

namespace a4c::postgres {
namespace {

class PostgresStore final : public Store, public Replicas, public Migrations, public Retention {
 public:
  PostgresStore(Options options, const Runtime& runtime)
      : options_(std::move(options)),
        runtime_(runtime),
        catalogs_(options_.row_security, runtime),
        to_primary_(Connector::Wanted::kPrimary, options_.conninfos, options_, timeline_seen_,
                    runtime),
        to_owner_(Connector::Wanted::kOwner,
                  options_.row_security ? options_.background_conninfos : options_.conninfos,
                  options_, timeline_seen_, runtime),
        to_replicas_(Connector::Wanted::kReplica, options_.replica_conninfos, options_,
                     timeline_seen_, runtime),
        primary_(NewSessionPool(to_primary_, options_, runtime)),
        background_(options_.row_security ? NewSessionPool(to_owner_, options_, runtime) : nullptr),
        replicas_(options_.replica_conninfos.empty()
                      ? nullptr
                      : NewSessionPool(to_replicas_, options_, runtime)),
        replica_reader_(replicas_ == nullptr ? nullptr
                                             : NewReplicaReader(*primary_, *replicas_,
                                                                timeline_seen_, options_, runtime)),
        reader_(NewReader(*primary_, background_ == nullptr ? *primary_ : *background_,
                          replica_reader_.get())),
        committer_(NewCommitter(*primary_, options_, runtime)),
        leases_(NewPostgresLeases(*this, *reader_, catalogs_)) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    A4C_CHECK(EnsureKinds(call, kinds, to_owner_, options_, runtime_));
    // Also tells whether the sessions that are to write are fit to.
    A4C_TRY(const SessionPool::Lease session, primary_->Take(call));
    catalogs_.Add(options_.schema, kinds);
    return {};
  }

  Result<std::vector<std::string>> Plan(const Call& call, std::span<const Kind> kinds) override {
    return PlanKinds(call, kinds, to_owner_, options_, runtime_);
  }

  Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) override;

  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    return reader_->Get(call, *catalogs_.Newest(), refs);
  }

  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) override {
    A4C_TRY(ReplicaScan page, reader_->Scan(call, *catalogs_.Newest(), request));
    return std::move(page.scan);
  }

  Result<ReplicaScan> ScanReplica(const Call& call, const ScanRequest& request) override {
    ScanRequest may_be_old = request;
    may_be_old.replica_ok = true;
    return reader_->Scan(call, *catalogs_.Newest(), may_be_old);
  }

  Result<bool> Forget(const Call& call, const std::string& kind, int64_t before_ms) override {
    A4C_CHECK(CheckCall(call));
    const CatalogPtr catalog = catalogs_.Newest();
    A4C_CHECK(CheckForget(call, catalog->kinds, kind));
    return ForgetParts(call, catalog->TableOf(kind), before_ms, to_owner_, options_);
  }

 protected:
  void* Extension(std::string_view name) override {
    if (name == Migrations::kExtension) return static_cast<Migrations*>(this);
    if (name == Leases::kExtension) return leases_.get();
    if (name == Retention::kExtension) return static_cast<Retention*>(this);
    if (name == Replicas::kExtension && replicas_ != nullptr) return static_cast<Replicas*>(this);
    return nullptr;
  }

 private:
  Result<void> SetTime(const Call& call, ApplyAnswer& answer);

  const Options options_;
  const Runtime runtime_;
  Catalogs catalogs_;
  std::atomic<int64_t> timeline_seen_{0};
  // Each borrows those above it.
  Connector to_primary_;
  Connector to_owner_;
  Connector to_replicas_;
  const std::unique_ptr<SessionPool> primary_;
  const std::unique_ptr<SessionPool> background_;  // null without row-level security: the primary
  const std::unique_ptr<SessionPool> replicas_;
  const std::unique_ptr<ReplicaReader> replica_reader_;
  const std::unique_ptr<Reader> reader_;
  const std::unique_ptr<Committer> committer_;
  const std::unique_ptr<Leases> leases_;
  std::atomic<int64_t> ahead_ms_{0};  // of our clock, the store's
};

Result<ApplyAnswer> PostgresStore::Apply(const Call& call, std::span<const WriteBatch> batches) {
  A4C_CHECK(CheckCall(call));
  ApplyAnswer answer = committer_->Apply(call, *catalogs_.Newest(), batches);
  A4C_CHECK(SetTime(call, answer));
  return answer;
}

// Where no batch reached the store: its time is asked for, or the reason is the answer to the call.
Result<void> PostgresStore::SetTime(const Call& call, ApplyAnswer& answer) {
  const auto with = [&](BatchOutcome outcome) {
    return std::ranges::find(answer.results, outcome, &BatchResult::outcome);
  };
  if (answer.store_time_ms != 0) {
    ahead_ms_ = answer.store_time_ms - runtime_.clock.NowMs();
  } else if (with(BatchOutcome::kUnknown) != answer.results.end()) {
    answer.store_time_ms = runtime_.clock.NowMs() + ahead_ms_;
  } else if (const auto found = with(BatchOutcome::kNotApplied); found != answer.results.end()) {
    return *found->error;
  } else {
    A4C_TRY(answer.store_time_ms, reader_->TimeMs(call));
  }
  return {};
}

}  // namespace

std::unique_ptr<Store> NewPostgresStore(Options options, const Runtime& runtime) {
  return std::make_unique<PostgresStore>(std::move(options), runtime);
}

}  // namespace a4c::postgres
