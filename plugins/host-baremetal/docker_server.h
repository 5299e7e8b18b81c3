// One server: how to reach its dockerd, and the figures read from it last.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "a4c/clock.h"
#include "a4c/host_provider.h"
#include "baremetal_config.h"
#include "docker_connection.h"
#include "ssh_pool.h"

namespace a4c::baremetal {

// A connection to dockerd, and the SSH session that carries it; going out of scope gives that back.
class DockerLink {
 public:
  DockerLink(SshPool::Lent session, std::unique_ptr<DockerConnection> connection)
      : session_(std::move(session)), connection_(std::move(connection)) {}
  DockerConnection* operator->() { return connection_.get(); }
  DockerConnection& operator*() { return *connection_; }

 private:
  SshPool::Lent session_;  // outlives the channel in it
  std::unique_ptr<DockerConnection> connection_;
};

// [any thread]
class DockerServer {
 public:
  DockerServer(const Runtime& runtime, ServerOptions server, const BaremetalOptions& options);

  // To the socket directly or, where sshd does not allow that, through `docker system dial-stdio`.
  // kUnavailable: nothing was done.
  Result<DockerLink> Open(const Call& call);
  // Reads the figures anew. A server that is out of reach has those read last.
  Host Measure(const Call& call);
  const std::string& id() const { return server_.id; }

 private:
  Result<std::unique_ptr<ByteChannel>> OpenChannel(const Call& call, SshSession& session);
  Result<Host> Read(const Call& call);
  Result<std::string> DiskOutput(const Call& call, const std::string& path);

  const Clock& clock_;
  const ServerOptions server_;
  const int64_t connect_timeout_ms_;
  const int64_t reply_bytes_max_;
  SshPool pool_;
  std::atomic<bool> socket_refused_ = false;
  const std::unique_ptr<Waiter> waiter_;
  Host last_;                 // under waiter_, as is the next
  int64_t last_read_ms_ = 0;  // 0: never
};

// Total, used and free in the output of df --output=size,used,avail -B1.
Result<Host> ReadDiskFigures(const std::string& output);

}  // namespace a4c::baremetal
