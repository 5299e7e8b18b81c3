// The ways to one server that are kept for reuse, never more than a bound: an SSH session, and in
// it the connection that was used last. A server of this machine has connections alone.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "a4c/clock.h"
#include "docker/docker_connection.h"
#include "ssh/ssh_session.h"

namespace a4c::baremetal {

// Where a connection ends.
enum class Peer : uint8_t { kNone, kDocker, kHelper };

struct Route {
  std::unique_ptr<SshSession> session;  // null: none is needed; outlives the channel in it
  std::unique_ptr<DockerConnection> connection;
  Peer peer = Peer::kNone;  // of connection
  int64_t opened_ms = 0;    // when connection was
  int64_t used_ms = 0;      // when it was given back
};

struct RoutePoolOptions {
  int64_t routes_max = 8;
  int64_t idle_max_ms = 300'000;
  bool wait = true;  // for one to come back while all are lent; false: kExhausted
};

// [any thread]; outlives what it lent.
class RoutePool {
 public:
  using Connect = std::function<Result<std::unique_ptr<SshSession>>(const Call&)>;
  RoutePool(const Runtime& runtime, const RoutePoolOptions& options, Connect connect);

  // A route for one thread; going out of scope gives it back.
  class Lent {
   public:
    Lent(RoutePool& pool, Route route, bool fresh)
        : pool_(&pool), route_(std::make_unique<Route>(std::move(route))), fresh_(fresh) {}
    Lent(Lent&& other) noexcept = default;
    Lent& operator=(Lent&&) = delete;
    ~Lent() {
      if (route_ != nullptr) pool_->GiveBack(std::move(*route_));
    }
    Route& operator*() { return *route_; }
    Route* operator->() { return route_.get(); }
    bool fresh() const { return fresh_; }

   private:
    RoutePool* pool_;
    std::unique_ptr<Route> route_;
    bool fresh_;
  };

  // Prefers one that leads to that peer already. Waits while all are lent, if it may. kTimeout:
  // none came back in time.
  Result<Lent> Take(const Call& call, Peer peer, bool wait = true);

 private:
  std::unique_ptr<Route> TakeIdle(Peer peer, std::vector<Route>& stale);
  void GiveBack(Route route);
  void ForgetOne();

  const Clock& clock_;
  const RoutePoolOptions options_;
  const Connect connect_;
  const std::unique_ptr<Waiter> waiter_;
  std::vector<Route> idle_;  // under waiter_, as is the next; the one used last is last
  int64_t count_ = 0;        // lent and idle
};

}  // namespace a4c::baremetal
