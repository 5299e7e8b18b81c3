#include "tests/simulation/history.h"

#include <algorithm>

namespace a4c::simulation {
namespace {

const Put* PutOf(const Op& op) {
  const Put* put = std::get_if<Put>(&op);
  return put != nullptr && put->body && put->ref.kind == "photo" ? put : nullptr;
}

std::string Name(const RecordRef& ref, int64_t rev) {
  return ref.key.id + " rev " + std::to_string(rev);
}

}  // namespace

Attempt& History::Begin(const RecordRef& ref, Expect expect, bool tombstone, bool poison,
                        bool idempotent) {
  const int number = static_cast<int>(attempts_.size()) + 1;
  const std::string word = "w" + std::to_string(number);
  Attempt& attempt = attempts_.emplace_back();
  attempt.number = number;
  attempt.ref = ref;
  attempt.word = word;
  attempt.body = R"({"title":")" + word + R"(","album":"a",)" +
                 (poison ? std::string(kPoison) : R"("size":)" + std::to_string(number)) + "}";
  attempt.tombstone = tombstone;
  attempt.poison = poison;
  attempt.expect = expect;
  if (idempotent) attempt.idempotency = Idempotency{"s", "key-" + word, "hash-" + word, word};
  by_body_[attempt.body] = &attempt;
  if (tombstone) deletes_tried_.insert(ref);
  if (poison) {
    simulation_.Note(word + " " + ref.key.id + " is poison");
    poisoned_.insert(ref);
  }
  return attempt;
}

// A new generation of the index is filled from the store, which has the refused version alone.
bool History::MayBeHidden(const RecordRef& ref) const {
  return deletes_tried_.contains(ref) || (cluster_.rebuilds && poisoned_.contains(ref));
}

void History::Wrong(const Attempt& attempt, const std::string& what) const {
  simulation_.Fail("w" + std::to_string(attempt.number) + " (" + attempt.ref.key.id + "): " + what);
}

void History::Heard(Attempt& attempt, const Result<Committed>& told) {
  using Outcome = Committed::Outcome;
  if (!told) {
    const bool nothing_done = !told.error().unknown_outcome() && !attempt.sent_before;
    if (nothing_done && attempt.fate == Attempt::Fate::kUnknown) {
      attempt.fate = Attempt::Fate::kRefused;
    }
    if (!nothing_done) attempt.sent_before = true;
    return;
  }
  if (told->outcome == Outcome::kApplied || told->outcome == Outcome::kReplayed) {
    return Acked(attempt, *told);
  }
  if (attempt.fate == Attempt::Fate::kAcked && !cluster_.lossy()) {
    Wrong(attempt, "was acknowledged, and is refused when it is sent again");
  }
  // Where the store has lost the row of a key, the key belongs to whoever comes next.
  const bool lost_key = cluster_.lossy() && attempt.key_reused;
  if (told->outcome == Outcome::kKeyReused && !lost_key) {
    Wrong(attempt, "its key is called another's");
  }
  // Without a key, what conflicts with a lost answer may be the change itself.
  if (attempt.fate == Attempt::Fate::kUnknown && (attempt.idempotency || !attempt.sent_before)) {
    attempt.fate = Attempt::Fate::kRefused;
  }
}

void History::Acked(Attempt& attempt, const Committed& told) {
  if (told.tokens.size() != 1 || told.tokens[0].ref != attempt.ref) {
    return Wrong(attempt, "was answered with tokens of something else");
  }
  const int64_t rev = told.tokens[0].rev;
  if (attempt.idempotency && told.answer != attempt.idempotency->answer) {
    Wrong(attempt, "was answered \"" + told.answer + "\"");
  }
  if (attempt.fate == Attempt::Fate::kAcked && attempt.rev != rev && !cluster_.lossy()) {
    Wrong(attempt, "was acknowledged twice, with different revs");
  }
  const bool is_new = attempt.fate != Attempt::Fate::kAcked;
  attempt.fate = Attempt::Fate::kAcked;
  attempt.rev = rev;
  const auto [at, first] = acked_.try_emplace({attempt.ref, rev}, &attempt);
  if (!first && at->second != &attempt && !cluster_.lossy()) {
    Wrong(attempt, "has the rev of w" + std::to_string(at->second->number));
  }
  if (!is_new) return;
  (attempt.tombstone ? deleted_ : living_).push_back(attempt.ref);
}

void History::HeardOfReuse(const Attempt& attempt, const Result<Committed>& told) {
  if (!told || cluster_.lossy()) return;
  if (told->outcome != Committed::Outcome::kKeyReused) {
    Wrong(attempt, "another request with its key was not refused");
  }
}

const Attempt* History::ByBody(const std::string& body) const {
  const auto found = by_body_.find(body);
  return found == by_body_.end() ? nullptr : found->second;
}

const RecordRef* History::AnyLiving() const {
  if (living_.empty()) return nullptr;
  // Half of the time one of the last: clients meet on it.
  const size_t last =
      simulation_.Chance(500) ? std::min<size_t>(2, living_.size()) : living_.size();
  return &living_[living_.size() - 1 - simulation_.Below(last)];
}

const RecordRef* History::AnyDeleted() const {
  return deleted_.empty() ? nullptr : &deleted_[simulation_.Below(deleted_.size())];
}

void History::CheckToken(const Attempt& token, const std::map<RecordRef, const Hit*>& hits) {
  const auto hit = hits.find(token.ref);
  if (token.tombstone) {
    if (hit != hits.end()) Wrong(token, "is deleted, and a fresh search shows it");
    floor_.gone.insert(token.ref);
    return;
  }
  if (hit == hits.end()) {
    if (!MayBeHidden(token.ref)) Wrong(token, "is not in a fresh search");
    return;
  }
  if (hit->second->rev < token.rev) {
    Wrong(token, "is called fresh, and shown as rev " + std::to_string(hit->second->rev));
  }
  if (hit->second->rev == token.rev && hit->second->body != token.body) {
    Wrong(token, "is called fresh, and shown with the body " + hit->second->body);
  }
  int64_t& shown = floor_.shown[token.ref];
  shown = std::max(shown, token.rev);
}

void History::CheckSearch(const Floor& before, const std::vector<const Attempt*>& tokens,
                          const Found& found) {
  if (cluster_.lossy()) return;
  std::map<RecordRef, const Hit*> hits;
  for (const Hit& hit : found.answer.hits) hits[hit.ref] = &hit;
  for (const auto& [ref, rev] : before.shown) {
    const auto hit = hits.find(ref);
    if (hit != hits.end() && hit->second->rev < rev) {
      simulation_.Fail("searches went back to " + Name(ref, hit->second->rev));
    }
    if (hit == hits.end() && !MayBeHidden(ref)) {
      simulation_.Fail("searches no longer show " + Name(ref, rev));
    }
  }
  for (const RecordRef& ref : before.gone) {
    if (hits.contains(ref)) simulation_.Fail("deleted, and visible again: " + ref.key.id);
  }
  if (!found.lost.empty()) simulation_.Fail("called lost: " + found.lost[0].ref.key.id);
  if (!found.fresh) return;
  for (const Attempt* token : tokens) CheckToken(*token, hits);
}

void History::CheckLog() const {
  std::map<const Attempt*, int> effects;
  for (const LogEntry& entry : cluster_.log()) {
    for (size_t i = 0; i < entry.batch.ops.size(); ++i) {
      const Put* put = PutOf(entry.batch.ops[i]);
      if (put == nullptr || put->min_rev > 0) continue;
      const Attempt* attempt = ByBody(*put->body);
      if (attempt == nullptr) return simulation_.Fail("nobody wrote " + *put->body);
      if (++effects[attempt] > 1) Wrong(*attempt, "was done twice");
      if (cluster_.lossy()) continue;
      if (attempt->fate == Attempt::Fate::kRefused) Wrong(*attempt, "was refused, and done");
      if (attempt->fate == Attempt::Fate::kAcked && attempt->rev != entry.values[i]) {
        Wrong(*attempt, "was acknowledged with another rev than it made");
      }
    }
  }
  if (cluster_.lossy()) return;
  for (const Attempt& attempt : attempts_) {
    if (attempt.fate == Attempt::Fate::kAcked && effects[&attempt] == 0) {
      Wrong(attempt, "was acknowledged, and is not in the store");
    }
  }
}

void History::CheckEqual(bool purged) const {
  const auto stored = cluster_.Scan({.kind = "photo", .tombstones = true, .limit = 10'000});
  const Simulation::Still still;
  const auto shown =
      cluster_.index().Search(cluster_.call(), {.kind = PhotoKind(), .limit = 1'000});
  if (!stored || !shown) return simulation_.Record("store or index cannot be read");
  std::map<RecordRef, const Hit*> hits;
  for (const Hit& hit : shown->hits) hits[hit.ref] = &hit;
  for (const Record& record : stored->records) {
    const auto hit = hits.find(record.ref);
    const Hit* found = hit == hits.end() ? nullptr : hit->second;
    if (found != nullptr) hits.erase(hit);
    const Attempt* attempt = ByBody(record.body);
    if (record.tombstone) {
      if (purged) simulation_.Record("not purged: " + record.ref.key.id);
      if (found != nullptr) simulation_.Record("a search shows the deleted " + record.ref.key.id);
    } else if (attempt != nullptr && attempt->poison) {
      continue;
    } else if (found == nullptr || found->rev != record.rev || found->body != record.body) {
      simulation_.Record("the store has " + Name(record.ref, record.rev) + ", the index " +
                         (found == nullptr ? "nothing" : "rev " + std::to_string(found->rev)));
    }
  }
  if (!hits.empty()) {
    simulation_.Record("the store lacks " + hits.begin()->first.key.id + ", the index has it");
  }
  if (purged) CheckPurged(stored->records);
}

// What the store has forgotten, the index has too. Of a record that a lossy failover took from the
// store a tombstone may stay, which nobody knows of (docs/design/sync.md).
void History::CheckPurged(const std::vector<Record>& stored) const {
  std::set<RecordRef> refs;
  for (const Attempt& attempt : attempts_) refs.insert(attempt.ref);
  for (const Record& record : stored) refs.erase(record.ref);
  for (const RecordRef& ref : refs) {
    if (cluster_.lossy() && cluster_.HasLost(ref)) continue;
    if (cluster_.IndexHolds(ref)) simulation_.Record("the index was not purged of " + ref.key.id);
  }
}

void History::CheckOutbox(bool poison_is_dead) const {
  const auto rows = cluster_.Scan({.kind = std::string(kPhotoOutbox), .limit = 10'000});
  if (!rows) return simulation_.Fail("the outbox cannot be read");
  for (const Record& row : rows->records) {
    const RecordRef ref{"photo", row.ref.key};
    const auto found = cluster_.Get(std::span(&ref, 1));
    const Attempt* attempt = found && found->records[0] ? ByBody(found->records[0]->body) : nullptr;
    const bool poison = attempt != nullptr && attempt->poison;
    const bool dead = row.quiet.contains("dead");
    if (!poison) {
      simulation_.Fail(
          std::string(dead ? "a dead letter of a good document: " : "not confirmed: ") +
          Name(ref, row.rev));
    } else if (poison_is_dead && !dead) {
      simulation_.Fail("no dead letter yet: " + Name(ref, row.rev));
    }
  }
}

}  // namespace a4c::simulation
