#include "postgres_store.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "postgres_catalog.h"
#include "postgres_committer.h"
#include "postgres_ensure.h"
#include "postgres_group.h"
#include "postgres_pool.h"
#include "postgres_queue.h"
#include "postgres_reader.h"

namespace a4c::postgres {
namespace {

class PostgresStore final : public Store {
 public:
  PostgresStore(Options options, const Runtime& runtime)
      : options_(std::move(options)),
        runtime_(runtime),
        catalogs_(runtime),
        primary_(NewSessionPool(options_.conninfo, options_, runtime)),
        replicas_(options_.replica_conninfo.empty()
                      ? nullptr
                      : NewSessionPool(options_.replica_conninfo, options_, runtime)),
        reader_(NewReader(*primary_, replicas_.get())),
        committer_(NewCommitter(*primary_, options_, runtime)),
        queue_(NewWriteQueue(*committer_, options_, runtime)) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    A4C_CHECK(EnsureKinds(call, kinds, options_, runtime_));
    catalogs_.Add(options_.schema, kinds);
    return {};
  }

  Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) override;

  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    return reader_->Get(call, *catalogs_.Newest(), refs);
  }

  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) override {
    return reader_->Scan(call, *catalogs_.Newest(), request);
  }

 private:
  Result<ApplyAnswer> AnswerOf(const Call& call, Submission& submission);
  Result<void> SetTime(const Call& call, ApplyAnswer& answer);

  const Options options_;
  const Runtime runtime_;
  Catalogs catalogs_;
  // Each borrows those above it.
  const std::unique_ptr<SessionPool> primary_;
  const std::unique_ptr<SessionPool> replicas_;
  const std::unique_ptr<Reader> reader_;
  const std::unique_ptr<GroupWriter> committer_;
  const std::unique_ptr<WriteQueue> queue_;
  std::atomic<int64_t> ahead_ms_{0};  // of our clock, the store's
};

Result<ApplyAnswer> PostgresStore::Apply(const Call& call, std::span<const WriteBatch> batches) {
  if (call.Stopping()) return Error(Code::kCanceled, "asked to stop");
  if (call.Expired()) return Error(Code::kTimeout, "no time left to write");
  const auto submission =
      std::make_shared<Submission>(catalogs_.Newest(), batches, runtime_, call.deadline_ms);
  queue_->Submit(call, *submission, ItemsOf(submission));
  return AnswerOf(call, *submission);
}

Result<ApplyAnswer> PostgresStore::AnswerOf(const Call& call, Submission& submission) {
  ApplyAnswer answer;
  {
    // What is still in flight when the caller leaves reads as unknown.
    const Waiter::Lock lock(*submission.waiter);
    answer.store_time_ms = submission.store_time_ms;
    answer.results = submission.pending == 0 ? std::move(submission.results) : submission.results;
  }
  for (BatchResult& result : answer.results) {
    if (result.outcome != BatchOutcome::kUnknown || result.error) continue;
    result.error =
        Error(Code::kUnknownOutcome, "the time was up while the batch was being committed",
              "send the same batch again to learn its outcome");
  }
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
