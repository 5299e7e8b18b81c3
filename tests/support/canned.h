// An HTTP server that says what it was told to say.
#pragma once

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace a4c::testing {

// Answers each connection with the next of these texts, the last one over and over, and closes it.
class Canned {
 public:
  explicit Canned(std::vector<std::string> answers) : answers_(std::move(answers)) {
    socket_.bind(Poco::Net::SocketAddress("127.0.0.1", 0));
    socket_.listen();
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(socket_.address().port()); }
  // What was asked so far, the first 4096 bytes of each.
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Run(const std::stop_token& stop) {
    for (size_t i = 0; !stop.stop_requested();) {
      if (!socket_.poll(Poco::Timespan(0, 20'000), Poco::Net::Socket::SELECT_READ)) continue;
      Poco::Net::StreamSocket peer = socket_.acceptConnection();
      char asked[4096];
      const int got = peer.receiveBytes(asked, sizeof(asked));
      Keep(std::string(asked, static_cast<size_t>(std::max(0, got))));
      const std::string& answer = answers_[std::min(i++, answers_.size() - 1)];
      peer.sendBytes(answer.data(), static_cast<int>(answer.size()));
      peer.shutdownSend();
    }
  }

  void Keep(std::string request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
  }

  const std::vector<std::string> answers_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  // under mutex_
  Poco::Net::ServerSocket socket_;
  std::jthread thread_;  // last: joined before what it uses goes
};

}  // namespace a4c::testing
