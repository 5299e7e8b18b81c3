// What the parts of a Database share. Each part is a file beside this one.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "a4c/collection.h"
#include "a4c/sinks.h"
#include "collection/rebuild_stall.h"
#include "collection/refreshes.h"
#include "collection/store_time.h"

namespace a4c {

inline constexpr std::string_view kIdempotencyKind = "idempotency";
inline constexpr std::string_view kIdempotencyIndex = "by_created";

// How requests are known that were done before: one record each, which ends by age.
Kind IdempotencyKind();

struct Database::State {
  State(const Backends& backends_in, const Runtime& runtime_in, const DatabaseOptions& options_in)
      : backends(backends_in),
        runtime(runtime_in),
        options(options_in),
        store(NewGroupCommit(backends_in.store, runtime_in, options_in.group_commit)),
        waiter(runtime_in.threads.NewWaiter()),
        store_time(runtime_in.clock) {}

  // The searchable collection of that kind, or kInvalid.
  Result<const CollectionSpec*> Searchable(const std::string& kind) const;
  bool IsSearchable(const std::string& kind) const;
  int64_t FirstDueMs() const { return backends.bus != nullptr ? options.first_due_ms : 0; }
  int64_t PollPeriodMs() const {
    return backends.bus != nullptr ? options.poll_period_ms
                                   : std::min<int64_t>(options.poll_period_ms, 1'000);
  }
  // The index holds our kinds: found out once. kUnavailable, and index_outdated: it has another
  // mapping, and has to be rebuilt first; that keeps nobody from starting, and changes wait in the
  // outbox until then.
  Result<void> EnsureIndex(const Call& call);
  // The same at the start, which does not wait long for it: an index that is away keeps nobody from
  // starting either. An error is one that trying again does not cure.
  Result<void> LookForIndex(const Call& call);
  // To be told of every error that the index answered with: one that misses what Ensure has made
  // lets the rebuild loops look at once whether somebody deleted it.
  void Heard(const Error& of_index) {
    if (of_index.code() == Code::kNotFound) ++index_misses;
  }
  // Get in parts: for more records than the queue of reads takes at once.
  Result<GetAnswer> GetInParts(const Call& call, std::span<const RecordRef> refs);
  // Waits, or returns false if the call ends first.
  bool Pause(const Call& call, int64_t pause_ms) const;

  Backends backends;
  Runtime runtime;
  DatabaseOptions options;
  std::unique_ptr<Store> store;  // with group commit: for everything but Ensure
  std::unique_ptr<Waiter> waiter;
  StoreTime store_time;
  std::map<std::string, CollectionSpec> collections;
  std::map<std::string, Refreshes> refreshes;  // of each searchable kind, if there is an index
  std::map<std::string, RebuildStall> stalls;  // of the same
  std::atomic<bool> index_ensured{false};
  std::atomic<bool> index_outdated{false};
  std::atomic<int64_t> index_misses{0};
  struct Lag {
    std::atomic<int64_t> ms{0};
    std::atomic<int64_t> read_at_ms{INT64_MIN};
  };
  std::map<std::string, Lag> lags;  // of each searchable kind
};

// The age of the oldest change, of one scope or of all, that is not confirmed searchable, dead
// letters left out. Nothing, or 0: there is none.
A4C_API Result<std::optional<int64_t>> ReadOldestMs(Database::State& state, const Call& call,
                                                    const Kind& kind,
                                                    const std::optional<std::string>& scope = {});
Result<int64_t> ReadLagMs(Database::State& state, const Call& call, const Kind& kind);

// Batches that can be repeated: of one whose outcome is unknown, or that was not applied, the error
// is the answer, and the caller does all of them again. A conflict is none.
Result<std::vector<BatchResult>> ApplyRepeatable(Database::State& state, const Call& call,
                                                 std::span<const WriteBatch> batches);

// Hints for the bus; losing them is allowed, waiting is not.
void PublishHints(Database::State& state, const Call& call, std::span<const Token> changes);

}  // namespace a4c
