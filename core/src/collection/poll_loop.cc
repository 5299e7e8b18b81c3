#include "collection/database.h"
#include "collection/outbox.h"
#include "collection/sync_batch.h"

namespace a4c {
namespace {

// Finds what the hints missed: outbox rows that are due, whatever the reason. It keeps no cursor;
// what is not confirmed is still there, and comes up again. Without faults it finds nothing.
class PollLoop final : public Loop {
 public:
  PollLoop(Database::State& state, const CollectionSpec& collection, int part, int parts)
      : state_(state),
        collection_(collection),
        part_(part),
        parts_(parts),
        name_("poll-" + collection.kind.name + (part > 0 ? "-" + std::to_string(part + 1) : "")),
        syncer_(state, collection) {}

  const std::string& name() const override { return name_; }

  // One refresh a period confirms what all loops indexed before it: throughput does not wait for
  // them. When nothing is left, it is not waited for either.
  Result<int64_t> Step(const Call& call) override {
    A4C_CHECK(syncer_.Confirm(call));
    refused_.reset();
    while (!call.Stopping() && !call.Expired()) {
      A4C_TRY(const std::vector<Record> due, Due(call));
      if (due.empty()) break;
      A4C_TRY(std::vector<Token> ours, Take(call, due));
      if (!ours.empty()) A4C_CHECK(Sync(call, ours));
      A4C_CHECK(syncer_.ConfirmDue(call));
    }
    A4C_CHECK(syncer_.Confirm(call));
    if (refused_) return *refused_;
    return state_.PollPeriodMs();
  }

 private:
  static constexpr int64_t kLeftMs = 1'000;  // where nothing is left to a bus

  // The rows of our part that are due, but for those that wait for our next refresh.
  Result<std::vector<Record>> Due(const Call& call) {
    const auto batch_max = static_cast<size_t>(state_.options.sync_batch_max);
    ScanRequest request{.kind = outbox::KindOf(collection_.kind).name,
                        .index = std::string(outbox::kDueIndex),
                        .upper = Scalar(state_.store_time.NowMs()),
                        .limit = state_.options.sync_batch_max};
    std::vector<Record> due;
    do {
      A4C_TRY(ScanAnswer page, state_.store->Scan(call, request));
      state_.store_time.Heard(page.store_time_ms);
      for (Record& row : page.records) {
        const bool ours = DigestBucket(row.ref.key.id) % parts_ == part_ &&
                          !syncer_.IsUnconfirmed(outbox::RecordOf(row.ref));
        if (ours && due.size() < batch_max) due.push_back(std::move(row));
      }
      request.after = page.next;
    } while (due.size() < batch_max && !request.after.empty());
    return due;
  }

  // Moves the due time of each row on, expecting the one that was read: of several pollers one gets
  // the row, and the others skip it.
  Result<std::vector<Token>> Take(const Call& call, const std::vector<Record>& due) {
    std::vector<WriteBatch> batches;
    for (const Record& row : due) {
      const int64_t next_at = state_.store_time.NowMs() + AgainMs();
      batches.push_back({{Check{.ref = row.ref, .quiet = {{"next_at", row.quiet.at("next_at")}}},
                          Put{.ref = row.ref, .quiet = {{"next_at", next_at}}}}});
    }
    A4C_TRY(ApplyAnswer taken, state_.store->Apply(call, batches));
    std::vector<Token> ours;
    for (size_t i = 0; i < batches.size(); ++i) {
      if (taken.results[i].outcome == BatchOutcome::kNotApplied) return *taken.results[i].error;
      if (taken.results[i].outcome != BatchOutcome::kApplied) continue;
      ours.push_back({outbox::RecordOf(due[i].ref), due[i].rev});
    }
    return ours;
  }

  // How long a row is left to the poller that has it: no longer than a change is left to the bus,
  // so that a poller which dies with rows in hand costs no more than a hint that is lost (first_due
  // and a period). Of that the upper half, so that rows that failed together spread out.
  int64_t AgainMs() {
    const int64_t first_ms = state_.FirstDueMs();
    const int64_t whole = first_ms > 0 ? std::min(first_ms, state_.PollPeriodMs()) : kLeftMs;
    const int64_t half = std::max<int64_t>(whole / 2, 1);
    return half + static_cast<int64_t>(state_.runtime.random.Next() % static_cast<uint64_t>(half));
  }

  Result<void> Sync(const Call& call, const std::vector<Token>& ours) {
    state_.runtime.metrics.Count("a4c_poll_found_total", {{"kind", collection_.kind.name}},
                                 static_cast<double>(ours.size()));
    std::vector<RecordRef> refs;
    for (const Token& found : ours) refs.push_back(found.ref);
    A4C_TRY(std::vector<RecordRef> again, syncer_.Index(call, refs));
    if (again.empty()) return {};
    refused_ = Refused();
    // An index that takes others is there: they do not wait for what it never takes.
    if (again.size() < refs.size()) return {};
    A4C_CHECK(syncer_.Confirm(call));
    return *refused_;
  }

  Error Refused() const {
    const std::optional<Error>& why = syncer_.refusal();
    const std::string message = "the index did not take all documents";
    if (!why) return Error(Code::kUnavailable, message);
    return Error(Code::kUnavailable, message + ": " + why->message(), why->hint());
  }

  Database::State& state_;
  const CollectionSpec& collection_;
  const int part_;
  const int parts_;
  const std::string name_;
  Syncer syncer_;
  std::optional<Error> refused_;  // by the index, in this step
};

}  // namespace

std::unique_ptr<Loop> Database::NewPollLoop(const std::string& kind, int part, int parts) {
  const auto collection = state_->Searchable(kind);
  if (!collection || state_->backends.index == nullptr) return nullptr;
  return std::make_unique<PollLoop>(*state_, **collection, part, parts);
}

}  // namespace a4c
