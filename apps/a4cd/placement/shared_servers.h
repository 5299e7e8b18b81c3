// The servers as those see them who choose one at the same time in this process. Reading them all
// costs far more than a choice, so who asks while a reading is under way shares the next one with
// all who wait for it; nobody gets one that began before the ask. What was chosen is noted there,
// so that those who share a reading do not all choose the same server.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "apps/a4cd/placement/placement.h"

namespace a4cd {

// [any thread]
class SharedServers {
 public:
  struct Reading {
    std::unique_ptr<a4c::Waiter> waiter;
    std::vector<Server> servers;  // [waiter held]
  };
  using Read = std::function<a4c::Result<std::vector<Server>>(const a4c::Call&)>;
  SharedServers(const a4c::Runtime& runtime, Read read);

  // Read by the call of one of those who wait; its error is the error of all of them, unless that
  // call ended: then another one reads. kTimeout: the deadline passed while others were reading.
  a4c::Result<std::shared_ptr<Reading>> Take(const a4c::Call& call);

 private:
  a4c::Result<std::shared_ptr<Reading>> ReadNow(const a4c::Call& call);

  const a4c::Runtime runtime_;
  const Read read_;
  const std::unique_ptr<a4c::Waiter> waiter_;
  int64_t asked_ = 0;     // how many asks there were
  int64_t answered_ = 0;  // those up to this one have their answer
  bool is_reading_ = false;
  std::optional<a4c::Result<std::shared_ptr<Reading>>> answer_;  // of the last reading
};

}  // namespace a4cd
