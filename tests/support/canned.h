// An HTTP server that says what it was told to say.
#pragma once

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <algorithm>
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

 private:
  void Run(const std::stop_token& stop) {
    for (size_t i = 0; !stop.stop_requested();) {
      if (!socket_.poll(Poco::Timespan(0, 20'000), Poco::Net::Socket::SELECT_READ)) continue;
      Poco::Net::StreamSocket peer = socket_.acceptConnection();
      char asked[4096];
      peer.receiveBytes(asked, sizeof(asked));
      const std::string& answer = answers_[std::min(i++, answers_.size() - 1)];
      peer.sendBytes(answer.data(), static_cast<int>(answer.size()));
      peer.shutdownSend();
    }
  }

  const std::vector<std::string> answers_;
  Poco::Net::ServerSocket socket_;
  std::jthread thread_;  // last: joined before what it uses goes
};

}  // namespace a4c::testing
