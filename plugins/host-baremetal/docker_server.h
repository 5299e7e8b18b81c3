// One server: how to reach its dockerd, and the figures read from it last.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "a4c/clock.h"
#include "a4c/host_provider.h"
#include "baremetal_config.h"
#include "docker/docker_connection.h"
#include "docker/engine_facts.h"
#include "route_pool.h"
#include "ssh/breaker.h"

namespace a4c::baremetal {

// A connection to dockerd or to a4c-host, which hands on to dockerd, and what carries it; going out
// of scope gives that back.
class DockerLink {
 public:
  explicit DockerLink(RoutePool::Lent route) : route_(std::move(route)) {}
  DockerConnection* operator->() { return route_->connection.get(); }
  DockerConnection& operator*() { return *route_->connection; }
  bool helper() { return route_->peer == Peer::kHelper; }

 private:
  RoutePool::Lent route_;
};

// A stream to a port that the server can reach or to a command there, and what carries it.
struct ChannelLink {
  std::unique_ptr<RoutePool::Lent> route;  // outlives the channel in it; null: none was needed
  std::unique_ptr<ByteChannel> channel;
};

// [any thread]
class DockerServer {
 public:
  DockerServer(const Runtime& runtime, ServerOptions server, const BaremetalOptions& options);

  // To the socket directly or, where sshd does not allow that, through `docker system dial-stdio`.
  // kUnavailable: nothing was done. kDenied: it is not who it was, or does not let us in.
  Result<DockerLink> Open(const Call& call);
  // The same, but nothing is waited for. kExhausted: all connections are in use.
  Result<DockerLink> OpenIfFree(const Call& call);
  // The same as Open for what lasts (builds, commands, logs), which so never keeps short requests
  // waiting.
  Result<DockerLink> OpenStream(const Call& call);
  // The same for what people have open (commands with input, ports), which keeps neither waiting.
  // kExhausted: there are too many.
  Result<DockerLink> OpenForTerminal(const Call& call);
  Result<ChannelLink> OpenPort(const Call& call, const std::string& address, int port);
  // For what changes units: through a4c-host where the server has it, and never around it.
  Result<DockerLink> OpenForUnits(const Call& call);
  bool has_helper() const { return server_.helper; }
  // Another a4c-host may be there by now: no connection to the one that was is used again.
  void ForgetHelper();
  // What proves to the helper who we are; empty: nothing.
  std::string token() const;
  void SetToken(const std::string& token);
  // kInvalid: its engine is too old.
  Result<void> CheckEngine(const Call& call);
  // Disk and inodes of the file system that holds this path there.
  Result<Host> ReadDiskOf(const Call& call, const std::string& path);
  // Reads the figures anew. A server that is out of reach has those read last.
  Host Measure(const Call& call);
  const std::string& id() const { return server_.id; }

 private:
  Result<std::unique_ptr<SshSession>> Connect(const Call& call);
  Result<DockerLink> OpenTo(const Call& call, RoutePool& pool, Peer peer, bool wait = true);
  using Opener = std::function<Result<std::unique_ptr<ByteChannel>>(SshSession&)>;
  Result<ChannelLink> OpenBare(const Call& call, RoutePool& pool, const Opener& open);
  static bool IsStale(RoutePool::Lent& route);
  Result<void> OpenConnection(const Call& call, Route& route, Peer peer);
  bool IsOutdated(const Route& route) const;
  bool IsAlive(const Call& call, Route& route) const;
  Result<std::unique_ptr<ByteChannel>> OpenChannel(const Call& call, SshSession* session,
                                                   Peer peer);
  Result<std::unique_ptr<ByteChannel>> OpenDocker(const Call& call, SshSession& session);
  Result<EngineFacts> ReadFacts(const Call& call, DockerConnection& docker);
  Result<void> CheckHelperOf(const Call& call, DockerLink& docker);
  Result<Host> Read(const Call& call);
  Result<std::string> DiskOutput(const Call& call, const std::string& path);

  const Runtime runtime_;
  const ServerOptions server_;
  const int64_t connect_timeout_ms_;
  const int64_t keepalive_interval_ms_;
  const int64_t reply_bytes_max_;
  const int64_t clock_difference_max_ms_;
  const ChannelWrapper wrap_channel_;
  Breaker breaker_;
  RoutePool requests_;
  RoutePool streams_;
  RoutePool terminals_;
  std::atomic<bool> socket_refused_ = false;
  std::atomic<int64_t> helper_since_ms_ = 0;  // connections to it that are older are not used
  const std::unique_ptr<Waiter> waiter_;
  Host last_;                 // under waiter_, as are the next ones
  int64_t last_read_ms_ = 0;  // 0: never
  EngineFacts facts_;
  int64_t facts_read_ms_ = 0;  // 0: never
  std::string token_;
};

// What is in the output of df -B1 --output=size,used,avail,itotal,iavail.
Result<Host> ReadDiskFigures(const std::string& output);

}  // namespace a4c::baremetal
