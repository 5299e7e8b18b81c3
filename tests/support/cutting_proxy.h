// Passes bytes on to a server, and breaks its connections, or keeps new ones waiting, when told to.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "a4c/clock.h"

namespace a4c::testing {

class CuttingProxy {
 public:
  CuttingProxy(Threads& threads, std::string address, int port);
  ~CuttingProxy();
  int port() const { return port_; }

  // Once clients have sent so many more bytes, every connection breaks, and a new one as soon as it
  // is made, until Heal.
  void CutAfter(int64_t bytes) { bytes_left_ = bytes; }
  void Heal() { bytes_left_ = INT64_MAX; }
  // New connections stand, and nothing of them is passed on, ever.
  void HoldNewOnes() { holding_ = true; }
  int held() const { return held_; }
  // Once servers have sent so many more bytes, what they send is passed on no more.
  void StallAfter(int64_t bytes) { answer_left_ = bytes; }
  // Every connection breaks, and a new one does not.
  void BreakOnce() { breaking_ = true; }
  bool cut() const { return bytes_left_ <= 0; }
  // What clients have sent in all.
  int64_t bytes_sent() const { return bytes_sent_; }

 private:
  struct Pair;
  void Run(const std::stop_token& stop);
  void Accept(std::vector<Pair>& pairs);
  bool Pass(int from, int to, bool upward);

  const std::string address_;
  const int target_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int64_t> bytes_left_ = INT64_MAX;
  std::atomic<int64_t> answer_left_ = INT64_MAX;
  std::atomic<int64_t> bytes_sent_ = 0;
  std::atomic<bool> breaking_ = false;
  std::atomic<bool> holding_ = false;
  std::atomic<int> held_ = 0;
  std::unique_ptr<Thread> thread_;  // last: joined before what it uses goes
};

}  // namespace a4c::testing
