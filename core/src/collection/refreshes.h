// Refreshes of one kind's index, shared by the loops of a process as a commit is by its writers.
//
//   const int64_t mark = refreshes.Begun();              // once the index has answered
//   A4C_TRY(int64_t shown, refreshes.ShowDue(call, 0));  // or another loop does
//   if (shown > mark) ...                                // searches show what was answered
//
// Refreshes are numbered as they begin, and are made one at a time. One that began after the index
// answered shows what was written, whoever asked for it; one that had begun before proves nothing.
//
// A refresh costs the index what hundreds of documents do, so a backlog is worked off sooner with
// fewer: who asks for what is late already waits longer for the next, by a quarter of that at most,
// and never by more than five periods.
// [any thread]
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/export.h"
#include "a4c/search_index.h"

namespace a4c {

class A4C_API Refreshes {
 public:
  // The index outlives this.
  Refreshes(SearchIndex& index, const Runtime& runtime, std::string kind, int64_t period_ms);

  // How many have begun.
  int64_t Begun();
  // On the monotonic clock, for what is late by so much: a period after the last one began, or
  // more.
  int64_t DueAtMs(int64_t late_ms);
  // Refreshes if that is due and nobody does, and does not wait for others. The number of the last
  // one that succeeded.
  Result<int64_t> ShowDue(const Call& call, int64_t late_ms);
  // Refreshes at once unless one above the mark succeeds meanwhile; waits for the one under way.
  // If that is above the mark, its error is the caller's too.
  Result<int64_t> Show(const Call& call, int64_t mark);

 private:
  static constexpr int64_t kLateShare = 4;
  static constexpr int64_t kPeriodsMax = 5;

  int64_t DueAt(int64_t late_ms) const;
  int64_t Begin();
  Result<int64_t> Lead(const Call& call, int64_t number);
  Result<void> AwaitEnd(const Call& call, int64_t mark);

  SearchIndex& index_;
  const Runtime runtime_;
  const std::string kind_;
  const int64_t period_ms_;
  const std::unique_ptr<Waiter> waiter_;  // guards all below
  bool running_ = false;                  // the one numbered begun_
  int64_t begun_ = 0;
  int64_t shown_ = 0;
  int64_t began_at_ms_ = 0;
  int64_t ended_ = 0;  // and how
  Result<void> outcome_;
};

}  // namespace a4c
