// Collections: records with a durable store, a message bus and a search index that provably agree.
//
//   Database database({.store = *store, .bus = bus.get(), .index = index.get()}, runtime);
//   A4C_CHECK(database.Open(call, {{.kind = photo, .searchable = true}}));
//   Commit commit{.changes = {{.ref = {"photo", key}, .body = body, .expect = Expect::Absent()}}};
//   A4C_TRY(Committed done, database.Write(call, commit));
//   A4C_TRY(Found found, database.Search(call, {.request = {.kind = photo, .query = query},
//                                               .tokens = done.tokens}));
//
// What is promised (design in docs/design/sync.md):
//  - A success is durable. An outcome that was unknown has been resolved, or says kUnknownOutcome.
//  - Every change of a searchable kind leaves an outbox row in the same batch, and the row goes
//  only
//    when the index shows the change. The bus carries hints and may lose all of them.
//  - A search that is given the token of a write waits until that write is searchable, or says not.
// All methods [any thread].
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "a4c/bus.h"
#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/group_commit.h"
#include "a4c/highlight.h"
#include "a4c/search_index.h"
#include "a4c/store.h"
#include "a4c/sync_task.h"

namespace a4c {

struct Backends {
  Store& store;
  Bus* bus = nullptr;            // null: the poller alone brings changes to the index
  SearchIndex* index = nullptr;  // null: Search is kUnsupported
};

struct CollectionSpec {
  Kind kind;
  bool searchable = false;  // synced to the index by way of an outbox
  std::string topic = {};   // default: the kind's name + "-sync"
};

struct DatabaseOptions {
  GroupCommitOptions group_commit = {};
  int64_t first_due_ms = 3'000;     // a change is left to the bus for so long (0 without a bus)
  int64_t poll_period_ms = 30'000;  // 1,000 without a bus
  int64_t refresh_period_ms = 1'000;
  int64_t idempotency_ttl_ms = 24 * 3'600'000;
  int64_t max_wait_ms = 2'000;  // of a search for its tokens
  int64_t tombstone_keep_ms = 7 * 24 * 3'600'000;
  int sync_batch_max = 500;
  int rejections_max = 5;  // of one document, then it is a dead letter
  int tokens_max = 16;
  int64_t verify_period_ms = 10 * 60'000;  // between two proofs that store and index agree
  int64_t task_lease_ms = 30'000;  // a verify, repair or rebuild goes on elsewhere after so long
  // A rebuild fails whose generation took nothing for so long while the live one did.
  int64_t rebuild_stall_ms = 60'000;
  int outbox_count_max = 10'000;    // rows of the outbox that Status counts
  std::string index_identity = {};  // names the index, so that RetireIndex can; empty: it cannot
};

// Every kind that a Database over these collections keeps in its store: the collections' own, their
// outboxes, and what it needs for itself.
A4C_API std::vector<Kind> StoredKinds(std::span<const CollectionSpec> collections);

// "This write": valid on every instance, also after a restart.
struct Token {
  RecordRef ref;
  int64_t rev = 0;
};
A4C_API std::string TokenText(const Token& token);
// kInvalid: not a token. The scope is the caller's own, never read from the text.
A4C_API Result<Token> ParseToken(std::string_view text, std::string_view scope);

struct Change {
  RecordRef ref;
  std::string body = "{}";
  bool tombstone = false;  // a delete, as users see it
  FieldValues quiet = {};
  Expect expect = Expect::Absent();  // or Rev: never Any, so that the rev it makes is known
};

// A request's identity: the same key with the same request is answered once, however often it is
// sent. `answer` is stored with it and handed back to later senders.
struct Idempotency {
  std::string scope;
  std::string key;           // at most 200 bytes
  std::string request_hash;  // of method, path and body
  std::string answer;
};

struct Commit {
  std::vector<Change> changes = {};
  std::vector<Op> also = {};  // checks, counters, quiet changes, records of kinds without search
  std::optional<Idempotency> idempotency = {};
};

struct Committed {
  enum class Outcome : uint8_t {
    kApplied,
    kReplayed,     // this request was done before: `answer` is what it was told then
    kKeyReused,    // the idempotency key belongs to another request
    kConflict,     // see failures; ops are the changes, then `also`
    kOutOfBounds,  // only counters failed; failures hold the values found
  };
  Outcome outcome = Outcome::kApplied;
  int64_t store_time_ms = 0;
  std::vector<Token> tokens = {};  // one per change
  std::string answer = {};
  std::vector<OpFailure> failures = {};
};

struct FindRequest {
  SearchRequest request;
  std::vector<Token> tokens = {};
  // kUnavailable rather than an answer that may lack a token's write; without tokens, any write
  // that was committed before.
  bool require_fresh = false;
  bool highlight = false;  // fill Found::highlights
};

struct Found {
  SearchAnswer answer;
  bool fresh = true;             // that was so; without require_fresh it is about tokens alone
  std::vector<Token> lost = {};  // the primary lacks that rev: a write of a store that lost it
  int64_t lag_ms = 0;            // age of the oldest change that is not confirmed searchable
  std::vector<std::vector<Highlight>> highlights = {};  // one list per hit
};

struct DeadLetter {
  RecordRef ref;
  int64_t rev = 0;
  std::string reason;
  int64_t since_ms = 0;  // when it was given up
};
struct DeadLetterPage {
  std::vector<DeadLetter> letters;
  std::string next;  // opaque; empty: there are no more
};

// A piece of background work that a thread repeats: a4cd runs each by itself, tests step them.
class Loop {
 public:
  virtual ~Loop() = default;
  virtual const std::string& name() const = 0;
  // Does what is due; how many milliseconds may pass until it is stepped again (0: at once).
  // An error is logged and the loop stepped again later: it keeps no state that an error spoils.
  virtual Result<int64_t> Step(const Call& call) = 0;
};

struct VerifyReport {
  int64_t records = 0;
  int64_t mismatched_buckets = 0;
  std::vector<RecordRef> drift = {};  // differ, none on its way; at most 100,000: design/sync.md
};

class A4C_API Database {
 public:
  Database(const Backends& backends, const Runtime& runtime, const DatabaseOptions& options = {});
  ~Database();

  // Ensures store and index. Once, before anything else.
  Result<void> Open(const Call& call, std::vector<CollectionSpec> collections);

  // The store's time, as it was heard last and carried on by the monotonic clock. It never falls.
  // What is stamped or judged by it is so for all instances alike, whatever their wall clocks say.
  int64_t NowMs() const;

  // One atomic, durable commit. Sends again what became unknown, until the call's deadline.
  Result<Committed> Write(const Call& call, const Commit& commit);
  // From the primary, tombstones included.
  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs);
  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request);
  // kDenied: in a scope that the call may not touch.
  Result<Found> Search(const Call& call, const FindRequest& request);
  // Forgets records of a kind with an age_field that are older than that (a4c/retention.h); true:
  // there are more.
  Result<bool> Forget(const Call& call, const std::string& kind, int64_t before_ms);

  // The age of the oldest change that is not confirmed searchable, dead letters left out; read from
  // the store at most once a second.
  Result<int64_t> LagMs(const Call& call, const std::string& kind);
  Result<SyncStatus> Status(const Call& call, const std::string& kind);
  // Compares store and index by digests; lists what differs though nothing is on its way.
  Result<VerifyReport> Verify(const Call& call, const std::string& kind);
  // Sends these records (all of the kind, if none) through the sync again; how many.
  Result<int64_t> Repair(const Call& call, const std::string& kind,
                         std::span<const RecordRef> refs);
  // At most 1,000, in the order of their keys; `after`: the `next` of the page before.
  Result<DeadLetterPage> DeadLetters(const Call& call, const std::string& kind,
                                     const std::string& after = {});
  // Tries these dead letters again (all of the kind, if none); how many.
  Result<int64_t> RetryDeadLetters(const Call& call, const std::string& kind,
                                   std::span<const RecordRef> refs);

  // Long work, done by the loops below, of whichever instance: see a4c/sync_task.h. kConflict: it
  // is running already; kUnsupported: the search plugin cannot do it.
  Result<SyncTask> StartTask(const Call& call, const std::string& kind, SyncWork work);
  Result<std::optional<SyncTask>> FindTask(const Call& call, const std::string& kind,
                                           SyncWork work);
  // kConflict: it is not running, or a rebuild whose generation is in place already.
  Result<SyncTask> CancelTask(const Call& call, const std::string& kind, SyncWork work);
  // For an index that is filled before anybody uses it: writes these records (all of the kind, if
  // none) to it, past the outbox; how many. progress is told so too, and may end it.
  Result<int64_t> Fill(const Call& call, const std::string& kind, std::span<const RecordRef> refs,
                       const std::function<Result<void>(int64_t records)>& progress = {});
  // From now on nobody whose index_identity is this one confirms that a change is searchable: what
  // is written waits in the outbox for those with another index. Empty: nobody is held back.
  Result<void> RetireIndex(const Call& call, const std::string& kind, const std::string& identity);
  // Drops the generations of the index that are neither live nor being filled; how many.
  Result<int64_t> DropOldGenerations(const Call& call, const std::string& kind);

  // The background work of a searchable kind. `sync` reads the bus, so it blocks for up to the
  // call's deadline; it is null without a bus.
  std::unique_ptr<Loop> NewSyncLoop(const std::string& kind);
  // Of several poll loops each takes its part of the records: two keep the index busy.
  std::unique_ptr<Loop> NewPollLoop(const std::string& kind, int part = 0, int parts = 1);
  // verify and repair also do what StartTask asks for; verify does it each verify_period besides.
  std::unique_ptr<Loop> NewVerifyLoop(const std::string& kind);
  std::unique_ptr<Loop> NewRepairLoop(const std::string& kind);
  std::unique_ptr<Loop> NewRebuildLoop(const std::string& kind);
  // Publishes what Status says as metrics.
  std::unique_ptr<Loop> NewStatusLoop(const std::string& kind);
  std::unique_ptr<Loop> NewPurgeLoop(const std::string& kind);

  // What the parts of the implementation share; opaque to users.
  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace a4c
