#include "sqlite_groups.h"

#include <algorithm>

#include "a4c/batch_rules.h"

namespace a4c::sqlite {

Groups::Groups(const Runtime& runtime, size_t group_calls_max, size_t queue_calls_max)
    : waiter_(runtime.threads.NewWaiter()),
      group_calls_max_(group_calls_max),
      queue_calls_max_(queue_calls_max) {}

// Leads from here to the end of the block, without the lock; whatever is thrown, it ends.
class Groups::Leading {
 public:
  Leading(Groups& groups, std::vector<Member*> group) : groups_(groups), group_(std::move(group)) {
    groups_.leading_ = true;
    groups_.waiter_->Release();
  }
  ~Leading() {
    groups_.waiter_->Acquire();
    groups_.leading_ = false;
    for (Member* member : group_) member->done = true;
    groups_.waiter_->NotifyAll();
  }
  Leading(const Leading&) = delete;
  Leading& operator=(const Leading&) = delete;

  std::span<Member* const> group() const { return group_; }

 private:
  Groups& groups_;
  const std::vector<Member*> group_;
};

Result<void> Groups::Join(Member& member, const Commit& commit) {
  const Waiter::Lock lock(*waiter_);
  if (queue_.size() >= queue_calls_max_) {
    return Error(Code::kExhausted, std::to_string(queue_.size()) + " calls wait for a commit",
                 "retry later, or raise queue_calls_max");
  }
  queue_.push_back(&member);
  while (!member.done) {
    if (!leading_) {
      Lead(commit);
    } else if (member.taken) {
      waiter_->Wait(Waiter::kForever);
    } else if (Result<void> over = CheckCall(member.call); !over) {
      std::erase(queue_, &member);
      return over;
    } else {
      waiter_->Wait(member.call.deadline_ms);
    }
  }
  return {};
}

void Groups::Lead(const Commit& commit) {
  const size_t size = std::min(queue_.size(), group_calls_max_);
  std::vector<Member*> group(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(size));
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(size));
  for (Member* member : group) member->taken = true;
  const Leading leading(*this, std::move(group));
  commit(leading.group());
}

Result<void> Groups::Alone(const Call& call, const std::function<Result<void>()>& work) {
  const Waiter::Lock lock(*waiter_);
  while (leading_) {
    A4C_CHECK(CheckCall(call));
    waiter_->Wait(call.deadline_ms);
  }
  const Leading leading(*this, {});
  return work();
}

}  // namespace a4c::sqlite
