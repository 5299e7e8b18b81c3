// Connections, lent one call at a time. [any thread]
#pragma once

#include <memory>
#include <vector>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "sqlite_connection.h"

namespace a4c::search_sqlite {

class Pool {
 public:
  explicit Pool(const Runtime& runtime) : waiter_(runtime.threads.NewWaiter()) {}

  void Add(std::unique_ptr<Connection> connection) { free_.push_back(std::move(connection)); }

  // Calls work(connection) in a transaction that `begin` begins. It is committed if the work is a
  // success, and else undone. kTimeout, kCanceled: the call was over before a connection was free,
  // or during the work.
  template <typename Work>
  Result<void> With(const Call& call, const char* begin, Work work) {
    A4C_TRY(const Loan loan, Borrow(call));
    Connection& connection = *loan.connection;
    connection.Obey(&call);
    Result<void> outcome = connection.Execute(begin);
    if (outcome) outcome = work(connection);
    if (outcome) outcome = connection.Execute("COMMIT");
    connection.RollBack();
    connection.Obey(nullptr);
    if (!outcome && call.Stopping()) return Canceled();
    return outcome;
  }

 private:
  struct Loan {
    Pool& owner;
    std::unique_ptr<Connection> connection;

    Loan(Pool& pool, std::unique_ptr<Connection> lent) : owner(pool), connection(std::move(lent)) {}
    Loan(Loan&&) = default;
    ~Loan() {
      if (connection != nullptr) owner.GiveBack(std::move(connection));
    }
  };

  static Error Canceled() { return Error(Code::kCanceled, "search-sqlite: asked to stop"); }

  Result<Loan> Borrow(const Call& call) {
    const Waiter::Lock lock(*waiter_);
    for (;;) {
      if (call.Stopping()) return Canceled();
      if (call.Expired()) return Error(Code::kTimeout, "search-sqlite: no connection came free");
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

}  // namespace a4c::search_sqlite
