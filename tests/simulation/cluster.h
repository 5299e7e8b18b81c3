// The back ends that all instances share, as they really are, and the log of everything committed.
//
// The store has a standby, as a production store has: a commit is seen by readers at once, and is
// acknowledged when the standby has it. A failover loses what the standby lacks: never what was
// acknowledged, unless the scenario allows for a standby that lags ("lossy").
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "a4c/bus.h"
#include "a4c/digests.h"
#include "a4c/json.h"
#include "a4c/search_index.h"
#include "a4c/store.h"
#include "tests/simulation/scheduler.h"

namespace a4c::simulation {

// How often what goes wrong, in calls of a thousand.
struct Faults {
  int error = 0;    // nothing was done, and it says so
  int unknown = 0;  // the answer is lost, before or after the effect
  int late = 0;     // the answer is lost, and the effect comes later
  int64_t late_ms_max = 2'000;
  int slow = 0;  // the call takes up to slow_ms_max, before and after its effect
  int64_t slow_ms_max = 3000;
  int hint_lost = 0;
  int hint_twice = 0;
  int document_retry = 0;   // one document of a bulk is not done, or done without saying so
  int refreshed_early = 0;  // the index refreshes by itself
  int crash = 0;            // of the calling instance, in calls of a hundred thousand
};

// A kind without application: what clients write.
Kind PhotoKind();
inline constexpr std::string_view kPhotoOutbox = "photo_outbox";
inline constexpr std::string_view kPhotoMarkers = "photo_tombstone";

// In a body: the index refuses it.
inline constexpr std::string_view kPoison = R"("size":"much")";

struct LogEntry {
  WriteBatch batch;
  std::vector<int64_t> values;
};

// Looks at every batch that is applied, before and after it, as one step with it.
class CommitWatcher {
 public:
  virtual ~CommitWatcher() = default;
  virtual void Before(Store& store, const WriteBatch& batch) = 0;
  virtual void After(Store& store, const WriteBatch& batch) = 0;
};

class Cluster {
 public:
  Cluster(Simulation& simulation, const Faults& faults_in);
  ~Cluster();

  Simulation& simulation() { return simulation_; }
  Call call() const { return Call{.clock = runtime_.runtime().clock}; }
  const Runtime& runtime() const { return runtime_.runtime(); }

  Result<void> EnsureStore(std::span<const Kind> kinds);
  // One batch, as one step; position: behind it in the log, if it was applied.
  BatchResult Commit(const WriteBatch& batch, size_t* position);
  Result<GetAnswer> Get(std::span<const RecordRef> refs);
  Result<ScanAnswer> Scan(const ScanRequest& request);
  int64_t StoreTimeMs();

  // The standby has everything up to there.
  void Replicate(size_t position) {
    replicated_ = std::max(replicated_, std::min(position, log_.size()));
  }
  // The standby takes over; of what it had, it has lost the last `lossy` batches.
  void FailOver(size_t lossy);
  int failovers() const { return failovers_; }
  bool lossy() const { return lossy_; }
  const std::vector<LogEntry>& log() const { return log_; }
  // Of an outbox row: up to which rev it was confirmed or refused, also if it was announced again.
  int64_t JudgedRev(const RecordRef& row) const;
  // Whether a batch, also one that a failover lost, made a tombstone of it.
  bool WasDeleted(const RecordRef& ref) const;
  // Whether a failover lost a batch that wrote it.
  bool HasLost(const RecordRef& ref) const;

  SearchIndex& index() { return *index_; }
  // What searches show of it; nothing also for a tombstone.
  std::optional<DigestRow> Visible(const RecordRef& ref);
  // Whether the index has a document of it, of whatever sort. Asked at the end of a run only.
  bool IndexHolds(const RecordRef& ref);

  // Another generation of the index has just become the live one: nothing confirmed is missing.
  void CheckSwapped();

  std::shared_ptr<Bus> bus() const { return bus_; }
  int bus_generation() const { return bus_generation_; }
  void WipeTopics();

  // Does it later, in a thread of its own: what is in the network when its sender dies.
  void Later(int64_t delay_ms, std::function<void()> effect);
  // Waits for all that is in the network.
  void Drain();

  Faults faults;
  CommitWatcher* watcher = nullptr;
  bool rebuilds = false;  // the index has generations
  // The instance whose poller takes a row next dies with it, and stays away.
  bool next_taker_dies = false;
  // Whether a batch is that of a poller which takes a row.
  static bool IsTake(const WriteBatch& batch);

 private:
  std::string TakenTooEarly(const WriteBatch& batch);
  void CheckConfirms(const WriteBatch& batch, const BatchResult& result);
  void CheckConfirm(const Delete& confirm, int64_t rev);
  void CheckAdvance(const Put& advance);
  void CheckTask(const Put& written);
  bool Shows(const RecordRef& ref, int64_t rev);
  void NoteJudged(const RecordRef& row, int64_t rev);

  Simulation& simulation_;
  SimRuntime runtime_;
  std::vector<Kind> kinds_;
  std::unique_ptr<Store> store_;
  std::vector<LogEntry> log_;
  std::vector<LogEntry> dropped_;
  size_t replicated_ = 0;
  int failovers_ = 0;
  bool lossy_ = false;
  std::map<RecordRef, int64_t> judged_;  // by outbox row
  std::map<RecordRef, Json> tasks_;      // as they were written last
  std::unique_ptr<SearchIndex> index_;
  std::shared_ptr<Bus> bus_;
  int bus_generation_ = 0;
  std::vector<std::unique_ptr<Thread>> network_;
};

}  // namespace a4c::simulation
