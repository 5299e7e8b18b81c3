#include "apps/a4c/sessions/forward.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <list>
#include <memory>
#include <utility>

#include "apps/a4c/sessions/descriptor.h"
#include "apps/a4c/sessions/exec.h"

namespace a4c_cli {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

namespace {

constexpr const char* kProtocol = "a4c.forward.v1";
constexpr int kConnectionsMax = 64;
constexpr int kBacklog = 64;

struct Listener {
  Descriptor socket;
  PortPair ports;
};

Error CannotListen(int port) {
  return Error(Code::kConflict,
               "cannot listen on 127.0.0.1:" + std::to_string(port) + ": " + std::strerror(errno),
               "choose another: LOCAL:PORT, or 0:PORT for any free one");
}

// On the loopback alone: nobody else's machine gets in through ours.
Result<Listener> Listen(const PortPair& ports) {
  Listener listener{Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), ports};
  const int on = 1;
  setsockopt(listener.socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(ports.local));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener.socket.fd(), generic, size) != 0 ||
      listen(listener.socket.fd(), kBacklog) != 0 ||
      getsockname(listener.socket.fd(), generic, &size) != 0) {
    return CannotListen(ports.local);
  }
  listener.ports.local = ntohs(address.sin_port);
  return listener;
}

class Forwarder {
 public:
  Forwarder(Session& session, std::string workspace)
      : session_(session), workspace_(std::move(workspace)) {}

  int Run(std::vector<Listener> listeners) {
    std::vector<pollfd> fds;
    for (const Listener& listener : listeners) {
      fds.push_back({listener.socket.fd(), POLLIN, 0});
      session_.Note("127.0.0.1:" + std::to_string(listener.ports.local) + " leads to port " +
                    std::to_string(listener.ports.remote) + " of " + workspace_);
    }
    while (true) {
      if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return kFailed;
      for (size_t i = 0; i < fds.size(); ++i) {
        if (fds[i].revents != 0) Accept(listeners[i]);
      }
    }
  }

 private:
  struct Running {
    std::shared_ptr<std::atomic<bool>> done = std::make_shared<std::atomic<bool>>(false);
    std::unique_ptr<a4c::Thread> thread;
  };

  void Accept(const Listener& listener) {
    auto socket =
        std::make_shared<Descriptor>(accept4(listener.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (socket->fd() < 0) return;
    running_.remove_if([](const Running& one) { return one.done->load(); });
    if (running_.size() >= kConnectionsMax) {
      session_.Note("more than " + std::to_string(kConnectionsMax) + " connections: one is closed");
      return;
    }
    Running& one = running_.emplace_back();
    one.thread = session_.runtime.threads.Start(
        "forward",
        [this, port = listener.ports.remote, socket, done = one.done](const std::stop_token&) {
          const Result<void> served = ForwardConnection(
              session_, workspace_, port, {.input = socket->fd(), .output = socket->fd()});
          // Its own end, seen from the other side.
          if (!served && served.error().code() != Code::kCanceled) {
            session_.Note("a connection failed: " + served.error().ToString());
          }
          shutdown(socket->fd(), SHUT_RDWR);
          *done = true;
        });
  }

  Session& session_;
  const std::string workspace_;
  std::list<Running> running_;
};

int ParsePort(std::string_view text, int min) {
  int port = -1;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && at == text.data() + text.size();
  return whole && port >= min && port <= 65535 ? port : -1;
}

}  // namespace

Result<PortPair> ParsePortPair(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string remote = colon == std::string::npos ? text : text.substr(colon + 1);
  const PortPair ports{ParsePort(text.substr(0, colon), 0), ParsePort(remote, 1)};
  if (ports.local >= 0 && ports.remote >= 1) return ports;
  return Error(Code::kInvalid, "\"" + text + "\" is no port",
               "write PORT, or LOCAL:PORT, each from 1 to 65535; LOCAL 0: any free one");
}

Result<void> ForwardConnection(const Session& session, const std::string& workspace, int port,
                               const RelayDescriptors& descriptors) {
  A4C_TRY(const std::unique_ptr<Client> client, session.Open());
  const std::string path =
      "/v1/workspaces/" + PercentEncode(workspace) + ":forward?port=" + std::to_string(port);
  A4C_TRY(const Switched switched, client->Switch(path, kProtocol));
  const auto refused = [](const Reply& reply) {
    return Error(Code::kUnavailable, reply.body["detail"].Text(), reply.body["hint"].Text());
  };
  if (switched.link == nullptr) return refused(switched.refusal);
  std::optional<Reply> problem;
  Relay relay(session.runtime, switched.link->connection(), descriptors);
  A4C_CHECK(relay.Run([&](const Json& said) -> Result<bool> {
    const std::string& type = said["type"].Text();
    if (type == "problem") problem = ProblemReply(said["problem"]);
    return type == "problem" || type == "end";
  }));
  if (problem) return refused(*problem);
  return {};
}

int ForwardPorts(Session& session, const std::string& workspace,
                 const std::vector<PortPair>& ports) {
  // What is refused anyway is said before anybody connects.
  Reply reply;
  if (!session.Send({.path = "/v1/workspaces/" + PercentEncode(workspace)}, reply)) {
    return session.exit_code;
  }
  std::vector<Listener> listeners;
  for (const PortPair& pair : ports) {
    Result<Listener> listener = Listen(pair);
    if (!listener) return session.Complain(listener.error());
    listeners.push_back(*std::move(listener));
  }
  return Forwarder(session, workspace).Run(std::move(listeners));
}

}  // namespace a4c_cli
