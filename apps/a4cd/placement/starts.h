// The starts of workspaces that this process has in flight, by server: each server gets only some
// at a time, so that one that is new, and so the emptiest, is not flooded.
//
//   const Starts::Turn turn(starts, server);   // until the end of the scope
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "a4c/clock.h"

namespace a4cd {

// [any thread]
class Starts {
 public:
  explicit Starts(const a4c::Runtime& runtime) : waiter_(runtime.threads.NewWaiter()) {}

  int Of(const std::string& server) const {
    const a4c::Waiter::Lock lock(*waiter_);
    const auto found = starts_.find(server);
    return found == starts_.end() ? 0 : found->second;
  }

  class Turn {
   public:
    Turn(Starts& all, std::string server) : all_(all), server_(std::move(server)) {
      const a4c::Waiter::Lock lock(*all_.waiter_);
      ++all_.starts_[server_];
    }
    ~Turn() {
      const a4c::Waiter::Lock lock(*all_.waiter_);
      if (--all_.starts_[server_] == 0) all_.starts_.erase(server_);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Starts& all_;
    const std::string server_;
  };

 private:
  const std::unique_ptr<a4c::Waiter> waiter_;
  std::map<std::string, int> starts_;  // under waiter_; above 0
};

}  // namespace a4cd
