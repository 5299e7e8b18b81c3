#include "tests/support/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace a4c::testing {
namespace {

constexpr int kPollMs = 20;

sockaddr_in AddressOf(const std::string& text, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, text.c_str(), &address.sin_addr);
  return address;
}

}  // namespace

struct CuttingProxy::Pair {
  int client;
  int server;  // -1: held
};

CuttingProxy::CuttingProxy(Threads& threads, std::string address, int port)
    : address_(std::move(address)),
      target_port_(port),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_in own = AddressOf("127.0.0.1", 0);
  socklen_t size = sizeof(own);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&own), size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(own.sin_port);
  thread_ = threads.Start("proxy", [this](const std::stop_token& stop) { Run(stop); });
}

CuttingProxy::~CuttingProxy() {
  thread_.reset();
  close(listener_);
}

void CuttingProxy::Accept(std::vector<Pair>& pairs) {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  if (holding_) {
    pairs.push_back({client, -1});
    ++held_;
    return;
  }
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = AddressOf(address_, target_port_);
  // Bounded by the patience of the network stack of a link that is down.
  const timeval patience{1, 0};
  setsockopt(server, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (cut() || connect(server, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) {
    close(client);
    close(server);
    return;
  }
  pairs.push_back({client, server});
}

// False once the pair is to be closed.
bool CuttingProxy::Pass(int from, int to, bool upward) {
  char bytes[16384];
  std::atomic<int64_t>& left = upward ? bytes_left_ : answer_left_;
  const int64_t most = std::min<int64_t>(sizeof(bytes), left);
  if (most <= 0) return false;
  const ssize_t count = recv(from, bytes, static_cast<size_t>(most), 0);
  if (count <= 0 || send(to, bytes, static_cast<size_t>(count), MSG_NOSIGNAL) != count)
    return false;
  if (left != INT64_MAX) left -= count;
  if (upward) bytes_sent_ += count;
  return true;
}

void CuttingProxy::Run(const std::stop_token& stop) {
  std::vector<Pair> pairs;
  const auto drop = [&](size_t i) {
    close(pairs[i].client);
    if (pairs[i].server >= 0) close(pairs[i].server);
    pairs.erase(pairs.begin() + static_cast<std::ptrdiff_t>(i));
  };
  while (!stop.stop_requested()) {
    std::vector<pollfd> entries{{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs) {
      entries.push_back({pair.server < 0 ? -1 : pair.client, POLLIN, 0});
      entries.push_back({answer_left_ > 0 ? pair.server : -1, POLLIN, 0});
    }
    (void)poll(entries.data(), entries.size(), kPollMs);
    const bool is_breaking = breaking_.exchange(false);
    for (size_t i = pairs.size(); i-- > 0;) {
      const bool from_client = entries[2 * i + 1].revents != 0;
      const bool from_server = entries[2 * i + 2].revents != 0;
      const bool goes_on = !is_breaking && !cut() &&
                           (!from_client || Pass(pairs[i].client, pairs[i].server, true)) &&
                           (!from_server || Pass(pairs[i].server, pairs[i].client, false));
      if (!goes_on) drop(i);
    }
    if (entries[0].revents != 0) Accept(pairs);
  }
  while (!pairs.empty()) drop(pairs.size() - 1);
}

}  // namespace a4c::testing
