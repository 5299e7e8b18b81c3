// The connections that read, lent one call at a time. [any thread]
#pragma once

#include <memory>
#include <vector>

#include "a4c/batch_rules.h"
#include "a4c/call.h"
#include "a4c/clock.h"
#include "sqlite_connection.h"

namespace a4c::sqlite {

class Readers {
 public:
  explicit Readers(const Runtime& runtime) : waiter_(runtime.threads.NewWaiter()) {}

  void Add(std::unique_ptr<Connection> connection) { free_.push_back(std::move(connection)); }

  // Calls read(connection) within one snapshot of the database.
  template <typename Read>
  Result<void> With(const Call& call, Read read) {
    A4C_TRY(const Loan loan, Borrow(call));
    Connection& connection = *loan.connection;
    A4C_CHECK(connection.Execute("BEGIN"));
    const Result<void> outcome = read(connection);
    connection.RollBack();
    return outcome;
  }

 private:
  struct Loan {
    Readers& owner;
    std::unique_ptr<Connection> connection;

    Loan(Readers& readers, std::unique_ptr<Connection> lent)
        : owner(readers), connection(std::move(lent)) {}
    Loan(Loan&&) = default;
    ~Loan() {
      if (connection != nullptr) owner.GiveBack(std::move(connection));
    }
  };

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

  void GiveBack(std::unique_ptr<Connection> connection) {
    const Waiter::Lock lock(*waiter_);
    free_.push_back(std::move(connection));
    waiter_->NotifyAll();
  }

  const std::unique_ptr<Waiter> waiter_;  // guards free_
  std::vector<std::unique_ptr<Connection>> free_;
};

}  // namespace a4c::sqlite
