// What clients asked for and were told, and whether that was true: the promises of the collection.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

#include "a4c/collection.h"
#include "tests/simulation/cluster.h"

namespace a4c::simulation {

// One change that a client wants; its body is its own, so that the log tells whose a row is.
struct Attempt {
  enum class Fate : uint8_t { kUnknown, kAcked, kRefused };
  int number = 0;
  RecordRef ref;
  std::string word;  // in its body
  std::string body;
  bool tombstone = false;
  bool poison = false;  // the index refuses the document
  Expect expect = Expect::Absent();
  std::optional<Idempotency> idempotency = {};
  bool sent_before = false;  // an earlier answer was lost
  bool key_reused = false;   // another request was sent with its key
  Fate fate = Fate::kUnknown;
  int64_t rev = 0;  // kAcked
};

class History {
 public:
  History(Simulation& simulation, Cluster& cluster) : simulation_(simulation), cluster_(cluster) {}

  Attempt& Begin(const RecordRef& ref, Expect expect, bool tombstone, bool poison, bool idempotent);
  // What a client was told about it.
  void Heard(Attempt& attempt, const Result<Committed>& told);
  // The same key with another request.
  void HeardOfReuse(const Attempt& attempt, const Result<Committed>& told);

  // What must be in a search that begins now.
  struct Floor {
    std::map<RecordRef, int64_t> shown;  // revs that a fresh search has shown
    std::set<RecordRef> gone;            // deletes that a fresh search has shown
  };
  Floor Now() const { return floor_; }
  void CheckSearch(const Floor& before, const std::vector<const Attempt*>& tokens,
                   const Found& found);

  // At the end: what was acknowledged is in the log, once; what was refused is not.
  void CheckLog() const;
  // Store and index hold the same, but for what is poison.
  void CheckEqual(bool purged) const;
  // No outbox rows but those of dead letters, all of which are poison.
  void CheckOutbox(bool poison_is_dead) const;

  std::deque<Attempt>& attempts() { return attempts_; }
  const Attempt* ByBody(const std::string& body) const;
  // Of records that were acknowledged and not deleted by anyone, one; null: none.
  const RecordRef* AnyLiving() const;
  const RecordRef* AnyDeleted() const;

 private:
  void Wrong(const Attempt& attempt, const std::string& what) const;
  void Acked(Attempt& attempt, const Committed& told);
  bool MayBeHidden(const RecordRef& ref) const;
  void CheckPurged(const std::vector<Record>& stored) const;
  void CheckToken(const Attempt& token, const std::map<RecordRef, const Hit*>& hits);

  Simulation& simulation_;
  Cluster& cluster_;
  std::deque<Attempt> attempts_;
  std::map<std::string, Attempt*> by_body_;
  std::map<std::pair<RecordRef, int64_t>, const Attempt*> acked_;
  std::vector<RecordRef> living_;
  std::set<RecordRef> deletes_tried_;
  std::set<RecordRef> poisoned_;
  std::vector<RecordRef> deleted_;
  Floor floor_;
};

}  // namespace a4c::simulation
