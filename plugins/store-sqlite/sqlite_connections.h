// Connections that are lent to one call at a time: those that read, and the one that writes.
// [any thread]
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "a4c/batch_rules.h"
#include "a4c/call.h"
#include "a4c/clock.h"
#include "sqlite_connection.h"

namespace a4c::sqlite {

class Connections {
 public:
  // Goes back with the loan, and whatever it has begun is undone.
  class Loan {
   public:
    Loan(Connections& owner, std::unique_ptr<Connection> lent)
        : owner_(&owner), lent_(std::move(lent)) {}
    Loan(Loan&&) = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
      if (lent_ != nullptr) owner_->GiveBack(std::move(lent_));
    }
    Connection& operator*() const { return *lent_; }
    Connection* operator->() const { return lent_.get(); }

   private:
    Connections* owner_;
    std::unique_ptr<Connection> lent_;
  };

  explicit Connections(const Runtime& runtime) : waiter_(runtime.threads.NewWaiter()) {}

  void Add(std::unique_ptr<Connection> connection) { free_.push_back(std::move(connection)); }

  // Waits for one that is free: kTimeout, kCanceled.
  Result<Loan> Borrow(const Call& call) {
    const Waiter::Lock lock(*waiter_);
    for (;;) {
      A4C_CHECK(CheckCall(call));
      if (!free_.empty()) break;
      waiter_->Wait(call.deadline_ms);
    }
    Loan loan(*this, std::move(free_.back()));
    free_.pop_back();
    return loan;
  }

  // Calls read(connection) within one snapshot of the database.
  template <typename Read>
  Result<void> With(const Call& call, Read read) {
    A4C_TRY(const Loan connection, Borrow(call));
    A4C_CHECK(connection->Execute("BEGIN"));
    return read(*connection);
  }

 private:
  void GiveBack(std::unique_ptr<Connection> connection) {
    connection->RollBack();
    const Waiter::Lock lock(*waiter_);
    free_.push_back(std::move(connection));
    waiter_->NotifyAll();
  }

  const std::unique_ptr<Waiter> waiter_;  // guards free_
  std::vector<std::unique_ptr<Connection>> free_;
};

}  // namespace a4c::sqlite
