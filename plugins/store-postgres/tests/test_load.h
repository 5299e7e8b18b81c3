// A load of writers whose every answer is held against what the store holds in the end: what was
// acknowledged is there, once; what was reported as not applied is not; what is unknown can be
// learned by sending it again.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/test_server.h"

namespace a4c::postgres {

class Load {
 public:
  static const std::vector<Kind>& Kinds() {
    static const std::vector<Kind> kinds = {
        {.name = "thing",
         .fields = {{.name = "turn", .type = FieldType::kLong},
                    {.name = "made", .type = FieldType::kLong, .quiet = true}},
         .indexes = {{.name = "by_turn", .fields = {"turn"}}}},
        {.name = "note",
         .fields = {
             {.name = "since", .type = FieldType::kTime, .quiet = true, .merge = Merge::kKeep}}}};
    return kinds;
  }

  Load(Store& store, int writers) : store_(store), told_(static_cast<size_t>(writers)) {
    for (size_t i = 0; i < told_.size(); ++i) {
      threads_.push_back(TheRuntime().threads.Start(
          "writer", [this, i](const std::stop_token& stop) { Write(i, stop); }));
    }
  }

  int acknowledged() const { return acknowledged_; }

  // False if it takes more than two minutes.
  bool AwaitAcknowledged(int count) const {
    const int64_t deadline_ms = TheRuntime().clock.MonotonicMs() + 120'000;
    while (acknowledged_ < count && TheRuntime().clock.MonotonicMs() < deadline_ms) Pause(1);
    return acknowledged_ >= count;
  }

  // Stops the writers, and holds what they were told against what is there.
  void StopAndCheck() {
    threads_.clear();
    const std::set<std::string> things = Ids("thing");
    const std::set<std::string> notes = Ids("note");
    size_t unknown = 0;
    for (size_t i = 0; i < told_.size(); ++i) {
      const Told& told = told_[i];
      EXPECT_EQ(told.wrong, 0) << "writer " << i;
      for (const std::string& id : told.acknowledged) {
        EXPECT_TRUE(things.contains(id) && notes.contains(id)) << id << " is lost";
      }
      for (const std::string& id : told.not_applied) {
        EXPECT_FALSE(things.contains(id) || notes.contains(id)) << id << " was not applied";
      }
      for (const std::string& id : told.unknown) {
        EXPECT_EQ(things.contains(id), notes.contains(id)) << id << " is there by half";
      }
      CheckOwn(i);
      unknown += told.unknown.size();
    }
    std::printf("%d acknowledged, %zu unknown\n", acknowledged_.load(), unknown);
  }

  static void Pause(int64_t ms) {
    const std::unique_ptr<Waiter> waiter = TheRuntime().threads.NewWaiter();
    const Waiter::Lock lock(*waiter);
    waiter->Wait(TheRuntime().clock.MonotonicMs() + ms);
  }

 private:
  // What one writer was told.
  struct Told {
    std::vector<std::string> acknowledged = {};
    std::vector<std::string> not_applied = {};
    std::vector<std::string> unknown = {};
    int64_t own_rev = 0;  // of its own record, by what it was told and learned
    int64_t made = 0;     // things that its own record counts
    int wrong = 0;
  };

  static std::string Own(size_t writer) { return "own" + std::to_string(writer); }

  void Write(size_t writer, const std::stop_token& stop) {
    Told& told = told_[writer];
    for (int i = 0; !stop.stop_requested(); ++i) {
      const std::string id = "w" + std::to_string(writer) + "-" + std::to_string(i);
      CreateOne(id, told);
      ChangeOne(Own(writer), told);
      if (told.own_rev > 0) CountOne(Own(writer), id + "c", told);
    }
  }

  BatchOutcome Apply(const WriteBatch& batch) {
    const Result<ApplyAnswer> answer = store_.Apply(Within(), {&batch, 1});
    const BatchOutcome outcome = answer                             ? answer->results[0].outcome
                                 : answer.error().unknown_outcome() ? BatchOutcome::kUnknown
                                                                    : BatchOutcome::kNotApplied;
    if (outcome == BatchOutcome::kNotApplied) Pause(20);
    return outcome;
  }

  // Creates a record with a note, as lane 1 does; nobody else creates it.
  void CreateOne(const std::string& id, Told& told) {
    const WriteBatch batch{
        {Put{.ref = {"thing", {"", id}}, .body = R"({"turn":1})", .expect = Expect::Absent()},
         Put{.ref = {"note", {"", id}}, .body = "{}", .quiet = {{"since", int64_t{1}}}}}};
    Note(id, Apply(batch), told);
  }

  void Note(const std::string& id, BatchOutcome outcome, Told& told) {
    if (outcome == BatchOutcome::kApplied) {
      told.acknowledged.push_back(id);
      ++acknowledged_;
    } else if (outcome == BatchOutcome::kNotApplied) {
      told.not_applied.push_back(id);
    } else if (outcome == BatchOutcome::kUnknown) {
      told.unknown.push_back(id);
    } else {
      ++told.wrong;
    }
  }

  // Changes the writer's own record by the rev that it knows, as lane 2 does.
  void ChangeOne(const std::string& own, Told& told) {
    const WriteBatch batch{
        {Put{.ref = {"thing", {"", own}},
             .body = R"({"turn":2})",
             .expect = told.own_rev == 0 ? Expect::Absent() : Expect::Rev(told.own_rev)}}};
    if (Settled(batch, Apply(batch), told)) ++told.own_rev;
  }

  // Creates a record and counts it in the writer's own; sent twice, it must not count twice.
  void CountOne(const std::string& own, const std::string& id, Told& told) {
    const WriteBatch batch{
        {Put{.ref = {"thing", {"", id}}, .body = "{}", .expect = Expect::Absent()},
         Put{.ref = {"note", {"", id}}, .body = "{}"},
         Add{.ref = {"thing", {"", own}}, .field = "made", .delta = 1}}};
    if (Settled(batch, Apply(batch), told)) {
      ++told.made;
      told.acknowledged.push_back(id);
      ++acknowledged_;
    }
  }

  // What is unknown is sent again until it is known: applied now, or in the way of itself.
  bool Settled(const WriteBatch& batch, BatchOutcome outcome, Told& told) {
    if (outcome == BatchOutcome::kApplied) return true;
    if (outcome == BatchOutcome::kNotApplied) return false;
    for (int i = 0; outcome == BatchOutcome::kUnknown && i < 1000; ++i) {
      do {
        outcome = Apply(batch);
      } while (outcome == BatchOutcome::kNotApplied && ++i < 1000);
      if (outcome == BatchOutcome::kApplied || outcome == BatchOutcome::kConflict) return true;
    }
    ++told.wrong;
    return false;
  }

  void CheckOwn(size_t writer) {
    const RecordRef ref{"thing", {"", Own(writer)}};
    const Result<GetAnswer> answer = store_.Get(Within(), {&ref, 1});
    ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
    const std::optional<Record>& own = answer->records[0];
    EXPECT_EQ(own ? own->rev : 0, told_[writer].own_rev) << "writer " << writer;
    if (!own || told_[writer].made == 0) return;
    EXPECT_EQ(own->quiet.at("made"), Scalar(told_[writer].made)) << "writer " << writer;
  }

  std::set<std::string> Ids(const std::string& kind) {
    std::set<std::string> ids;
    ScanRequest request{.kind = kind, .limit = 10'000};
    do {
      const Result<ScanAnswer> page = store_.Scan(Within(), request);
      EXPECT_TRUE(page.has_value()) << page.error().ToString();
      if (!page) break;
      for (const Record& record : page->records) ids.insert(record.ref.key.id);
      request.after = page->next;
    } while (!request.after.empty());
    return ids;
  }

  Store& store_;
  std::atomic<int> acknowledged_ = 0;
  std::vector<Told> told_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace a4c::postgres
