// Sessions are cut under load, again and again: what was acknowledged is there, what was reported
// as not applied is not, and what is unknown can be learned by sending it again.
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "test_server.h"

namespace a4c::postgres {
namespace {

constexpr int kWriters = 6;
constexpr int kCuts = 25;
constexpr int kWritesPerCut = 20;

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {
      {.name = "thing",
       .fields = {{.name = "turn", .type = FieldType::kLong}},
       .indexes = {{.name = "by_turn", .fields = {"turn"}}}},
      {.name = "note",
       .fields = {
           {.name = "since", .type = FieldType::kTime, .quiet = true, .merge = Merge::kKeep}}}};
  return kinds;
}

// What one writer was told.
struct Told {
  std::vector<std::string> acknowledged;
  std::vector<std::string> not_applied;
  std::vector<std::string> unknown;
  int64_t counter_rev = 0;  // of its own record, by what it was told and read
  int wrong = 0;
};

class PostgresFaults : public ServerTest {
 protected:
  // Creates a record with a note, as lane 1 does.
  void CreateOne(const std::string& id, Told& told) {
    const WriteBatch batch{
        {Put{.ref = {"thing", {"", id}}, .body = R"({"turn":1})", .expect = Expect::Absent()},
         Put{.ref = {"note", {"", id}}, .body = "{}", .quiet = {{"since", int64_t{1}}}}}};
    const Result<ApplyAnswer> answer = store_->Apply(Within(), {&batch, 1});
    const BatchOutcome outcome = answer ? answer->results[0].outcome : BatchOutcome::kNotApplied;
    if (outcome == BatchOutcome::kApplied) {
      told.acknowledged.push_back(id);
      ++acknowledged_;
    } else if (outcome == BatchOutcome::kNotApplied) {
      told.not_applied.push_back(id);
    } else if (outcome == BatchOutcome::kUnknown) {
      told.unknown.push_back(id);
    } else {
      ++told.wrong;  // nobody else creates it
    }
  }

  // Changes the writer's own record by the rev that it knows, as lane 2 does.
  void ChangeOne(const std::string& own, Told& told) {
    const RecordRef ref{"thing", {"", own}};
    const WriteBatch batch{
        {Put{.ref = ref,
             .body = R"({"turn":2})",
             .expect = told.counter_rev == 0 ? Expect::Absent() : Expect::Rev(told.counter_rev)}}};
    const Result<ApplyAnswer> answer = store_->Apply(Within(), {&batch, 1});
    const BatchOutcome outcome = answer ? answer->results[0].outcome : BatchOutcome::kNotApplied;
    if (outcome == BatchOutcome::kApplied) {
      ++told.counter_rev;
    } else if (outcome == BatchOutcome::kUnknown) {
      Learn(batch, told);
    } else if (outcome != BatchOutcome::kNotApplied) {
      ++told.wrong;
    }
  }

  // Sending the same again tells: applied now, or the rev has moved on, which was us.
  void Learn(const WriteBatch& batch, Told& told) {
    for (int i = 0; i < 200; ++i) {
      const Result<ApplyAnswer> answer = store_->Apply(Within(), {&batch, 1});
      if (!answer) continue;
      const BatchOutcome outcome = answer->results[0].outcome;
      if (outcome != BatchOutcome::kApplied && outcome != BatchOutcome::kConflict) continue;
      ++told.counter_rev;
      return;
    }
    ++told.wrong;
  }

  void Write(int writer, Told& told) {
    const std::string own = "own" + std::to_string(writer);
    for (int i = 0; !done_; ++i) {
      CreateOne("w" + std::to_string(writer) + "-" + std::to_string(i), told);
      ChangeOne(own, told);
    }
  }

  // Cuts all sessions, each time after some more writes were acknowledged. Those still connecting
  // are left alone: Poco 1.11 would leak their connection (poco#4231).
  void CutSessions() {
    const std::unique_ptr<Waiter> waiter = TheRuntime().threads.NewWaiter();
    const int64_t deadline_ms = TheRuntime().clock.MonotonicMs() + 120'000;
    for (int cuts = 1; cuts <= kCuts && TheRuntime().clock.MonotonicMs() < deadline_ms; ++cuts) {
      const Waiter::Lock lock(*waiter);
      while (acknowledged_ < cuts * kWritesPerCut &&
             TheRuntime().clock.MonotonicMs() < deadline_ms) {
        waiter->Wait(TheRuntime().clock.MonotonicMs() + 1);
      }
      cut_ += std::stoi(
          Sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query <> '' AND "
              "query NOT LIKE '%set_config%' AND application_name = '" +
              name_ + "'"));
    }
    done_ = true;
  }

  std::set<std::string> Ids(const std::string& kind) {
    std::set<std::string> ids;
    ScanRequest request{.kind = kind, .limit = 1000};
    do {
      const Result<ScanAnswer> page = store_->Scan(Within(), request);
      EXPECT_TRUE(page.has_value()) << page.error().ToString();
      if (!page) break;
      for (const Record& record : page->records) ids.insert(record.ref.key.id);
      request.after = page->next;
    } while (!request.after.empty());
    return ids;
  }

  std::atomic<bool> done_ = false;
  std::atomic<int> acknowledged_ = 0;
  int cut_ = 0;
};

TEST_F(PostgresFaults, NothingAcknowledgedIsLostAndNothingUnknownIsCalledAFailure) {
  Open(Kinds());
  std::vector<Told> told(kWriters);
  {
    std::vector<std::unique_ptr<Thread>> threads;
    for (int i = 0; i < kWriters; ++i) {
      threads.push_back(TheRuntime().threads.Start(
          "writer",
          [this, i, &told](const std::stop_token&) { Write(i, told[static_cast<size_t>(i)]); }));
    }
    CutSessions();
  }
  const std::set<std::string> things = Ids("thing");
  const std::set<std::string> notes = Ids("note");
  size_t acknowledged = 0;
  size_t unknown = 0;
  for (size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].wrong, 0) << "writer " << i;
    for (const std::string& id : told[i].acknowledged) {
      EXPECT_TRUE(things.contains(id) && notes.contains(id))
          << id << " was acknowledged and is lost";
    }
    for (const std::string& id : told[i].not_applied) {
      EXPECT_FALSE(things.contains(id) || notes.contains(id))
          << id << " was not applied and is there";
    }
    for (const std::string& id : told[i].unknown) {
      EXPECT_EQ(things.contains(id), notes.contains(id)) << id << " is there by half";
    }
    const std::optional<Record> own = Read({"thing", {"", "own" + std::to_string(i)}});
    EXPECT_EQ(own ? own->rev : 0, told[i].counter_rev) << "writer " << i;
    acknowledged += told[i].acknowledged.size();
    unknown += told[i].unknown.size();
  }
  EXPECT_GE(acknowledged, size_t{kCuts * kWritesPerCut});
  EXPECT_GE(cut_, kCuts);
  RecordProperty("acknowledged", static_cast<int>(acknowledged));
  RecordProperty("unknown", static_cast<int>(unknown));
  std::printf("%zu acknowledged, %zu unknown, %d sessions cut\n", acknowledged, unknown, cut_);
}

}  // namespace
}  // namespace a4c::postgres
