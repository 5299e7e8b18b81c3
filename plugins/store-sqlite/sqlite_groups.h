// Groups: calls that arrive while a commit is under way share the next one.
//
// There is no thread and no timer: the first to find nobody leading leads, takes what waits,
// commits it, wakes all, and goes when its own work is done. Low load waits for nothing, high load
// shares one flush among many. [any thread]
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"

namespace a4c::sqlite {

class Groups {
 public:
  // What a call brings along; it lives until Join returns.
  struct Member {
    explicit Member(const Call& of) : call(of) {}
    const Call& call;
    bool taken = false;  // a leader works on it
    bool done = false;
  };
  using Commit = std::function<void(std::span<Member* const>)>;

  Groups(const Runtime& runtime, size_t group_calls_max, size_t queue_calls_max);

  // Returns when `commit` was called, by this thread or another, with a group that holds the
  // member. An error says that it never will be: kExhausted (too many wait), kTimeout or kCanceled.
  Result<void> Join(Member& member, const Commit& commit);
  // Calls `work` while nobody commits, or says why it never did.
  Result<void> Alone(const Call& call, const std::function<Result<void>()>& work);

 private:
  class Leading;
  void Lead(const Commit& commit);

  const std::unique_ptr<Waiter> waiter_;  // guards all below
  const size_t group_calls_max_;
  const size_t queue_calls_max_;
  std::deque<Member*> queue_;
  bool leading_ = false;
};

}  // namespace a4c::sqlite
