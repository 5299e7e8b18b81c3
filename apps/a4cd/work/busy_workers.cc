#include "apps/a4cd/work/busy_workers.h"

namespace a4cd {

using a4c::Waiter;

BusyWorkers::BusyWorkers(const a4c::Runtime& runtime)
    : metrics_(runtime.metrics), waiter_(runtime.threads.NewWaiter()) {}

void BusyWorkers::Add(int workers) {
  const Waiter::Lock lock(*waiter_);
  workers_ += workers;
  metrics_.Gauge("a4c_workers", {}, workers_);
  metrics_.Gauge("a4c_workers_busy", {}, busy_);
}

// Told under the lock: of two changes at once the later one stays.
void BusyWorkers::Change(int by) {
  const Waiter::Lock lock(*waiter_);
  busy_ += by;
  metrics_.Gauge("a4c_workers_busy", {}, busy_);
}

}  // namespace a4cd
