// How many of a process's workers have a job in hand, and how many there are: a4c_workers_busy and
// a4c_workers.
//
//   BusyWorkers::Turn turn(busy);   // until the end of the scope
#pragma once

#include <memory>

#include "a4c/clock.h"
#include "a4c/sinks.h"

namespace a4cd {

// [any thread]
class BusyWorkers {
 public:
  explicit BusyWorkers(const a4c::Runtime& runtime);
  // There are so many more.
  void Add(int workers);

  class Turn {
   public:
    explicit Turn(BusyWorkers& all) : all_(all) { all_.Change(1); }
    ~Turn() { all_.Change(-1); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    BusyWorkers& all_;
  };

 private:
  void Change(int by);

  a4c::MetricSink& metrics_;
  const std::unique_ptr<a4c::Waiter> waiter_;
  int busy_ = 0;  // under waiter_, as is the next
  int workers_ = 0;
};

}  // namespace a4cd
