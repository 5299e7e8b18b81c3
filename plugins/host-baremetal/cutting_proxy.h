// For tests: passes bytes on to a server, and breaks its connections when told to.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "a4c/clock.h"

namespace a4c::baremetal {

class CuttingProxy {
 public:
  CuttingProxy(Threads& threads, std::string address, int port);
  ~CuttingProxy();
  int port() const { return port_; }

  // Once clients have sent so many more bytes, every connection breaks, and a new one as soon as it
  // is made, until Heal.
  void CutAfter(int64_t bytes) { bytes_left_ = bytes; }
  void Heal() { bytes_left_ = INT64_MAX; }
  bool cut() const { return bytes_left_ <= 0; }

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
  std::unique_ptr<Thread> thread_;  // last: joined before what it uses goes
};

}  // namespace a4c::baremetal
