#include "tests/simulation/scheduler.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

namespace a4c::simulation {

class SimWaiter;

struct Simulation::Task {
  enum class State : uint8_t { kReady, kWaiting, kLocking, kJoining, kDone };
  static constexpr int64_t kNever = INT64_MAX;

  int number = 0;
  std::string name;
  std::binary_semaphore turn{0};
  State state = State::kReady;
  int64_t wake_ns = kNever;
  const SimWaiter* waiter = nullptr;  // kWaiting (null: asleep), kLocking
  const Task* joined = nullptr;       // kJoining
  Process* process = nullptr;
  int locks = 0;
  int still = 0;
  std::stop_source stop = {};
  std::thread thread = {};
};

thread_local Simulation::Task* Simulation::current_ = nullptr;

class SimWaiter final : public Waiter {
 public:
  explicit SimWaiter(Simulation& simulation) : simulation_(simulation) {}

  void Acquire() override {
    simulation_.Yield();
    Lock();
    Simulation::current_->locks++;
  }

  // A thread that was unwound where it had given the lock up comes by here without it.
  void Release() override {
    if (owner_ != Simulation::current_) return;
    owner_ = nullptr;
    Simulation::current_->locks--;
  }

  void Wait(int64_t deadline_ms) override {
    Simulation::Task& self = *Simulation::current_;
    owner_ = nullptr;
    self.state = Simulation::Task::State::kWaiting;
    self.waiter = this;
    self.wake_ns =
        deadline_ms >= INT64_MAX / 1'000'000 ? Simulation::Task::kNever : deadline_ms * 1'000'000;
    simulation_.Switch();
    Lock();
    simulation_.CheckAlive();
  }

  void NotifyAll() override {
    for (const auto& task : simulation_.tasks_) {
      if (task->state == Simulation::Task::State::kWaiting && task->waiter == this) {
        task->wake_ns = 0;
      }
    }
  }

  bool free() const { return owner_ == nullptr; }

 private:
  void Lock() {
    while (owner_ != nullptr) {
      Simulation::current_->state = Simulation::Task::State::kLocking;
      Simulation::current_->waiter = this;
      simulation_.Switch();
    }
    owner_ = Simulation::current_;
  }

  Simulation& simulation_;
  const Simulation::Task* owner_ = nullptr;
};

class SimThread final : public Thread {
 public:
  SimThread(Simulation& simulation, Simulation::Task& task)
      : simulation_(simulation), task_(task) {}
  ~SimThread() override {
    RequestStop();
    Join();
  }
  // Stop callbacks run here; nobody else moves meanwhile, who could wait for their end.
  void RequestStop() override {
    const Simulation::Still still;
    task_.stop.request_stop();
  }
  void Join() override {
    if (task_.state == Simulation::Task::State::kDone) return;
    Simulation::current_->state = Simulation::Task::State::kJoining;
    Simulation::current_->joined = &task_;
    simulation_.Switch();
  }

 private:
  Simulation& simulation_;
  Simulation::Task& task_;
};

std::unique_ptr<Thread> SimThreads::Start(const std::string& name,
                                          std::function<void(std::stop_token)> body) {
  return std::make_unique<SimThread>(simulation_,
                                     simulation_.Start(name, std::move(body), process_));
}

std::unique_ptr<Waiter> SimThreads::NewWaiter() {
  return std::make_unique<SimWaiter>(simulation_);
}

Simulation::Simulation(const SimulationOptions& options)
    : options_(options), random_(options.seed) {
  static constexpr int kStickiness[] = {0, 300, 700, 950};
  stickiness_ = kStickiness[Below(4)];
}

Simulation::~Simulation() = default;

void Simulation::Run(std::function<void()> root) {
  Start(
      "root", [&root](std::stop_token) { root(); }, nullptr);
  tasks_.front()->turn.release();
  ended_.acquire();
  for (const auto& task : tasks_) task->thread.join();
}

Simulation::Task& Simulation::Start(const std::string& name,
                                    std::function<void(std::stop_token)> body, Process* process) {
  tasks_.push_back(std::make_unique<Task>());
  Task& task = *tasks_.back();
  task.number = static_cast<int>(tasks_.size());
  task.name = name;
  task.process = process;
  if (process != nullptr) ++process->inside;
  task.thread = std::thread([this, &task, body = std::move(body)] {
    task.turn.acquire();
    current_ = &task;
    Body(task, body);
    task.state = Task::State::kDone;
    if (task.process != nullptr) --task.process->inside;
    task.process = nullptr;  // which goes before the task does
    Task* next = Pick(nullptr);
    if (next != nullptr) {
      next->turn.release();
    } else {
      ended_.release();
    }
  });
  return task;
}

void Simulation::Body(Task& task, const std::function<void(std::stop_token)>& body) {
  try {
    CheckAlive();
    body(task.stop.get_token());
  } catch (const Crashed&) {
  } catch (const Aborted&) {
  }
}

bool Simulation::IsReady(const Task& task) const {
  const bool unwinding = aborting_ || (task.process != nullptr && task.process->crashed);
  switch (task.state) {
    case Task::State::kReady:
      return true;
    case Task::State::kWaiting:
      return unwinding || task.wake_ns <= now_ns_;
    case Task::State::kLocking:
      return task.waiter->free();
    case Task::State::kJoining:
      return task.joined->state == Task::State::kDone;
    case Task::State::kDone:
      return false;
  }
  return false;
}

std::vector<Simulation::Task*> Simulation::Ready() const {
  std::vector<Task*> ready;
  for (const auto& task : tasks_) {
    if (IsReady(*task)) ready.push_back(task.get());
  }
  return ready;
}

// Whose turn it is; null: all have ended.
Simulation::Task* Simulation::Pick(const Task* self) {
  if (++steps_ > options_.steps_max && !aborting_) {
    Record("the run did not end in " + std::to_string(options_.steps_max) + " steps");
  }
  now_ns_ += static_cast<int64_t>(Below(50'000));
  std::vector<Task*> ready = Ready();
  if (ready.empty()) {
    Task* next = JumpToEarliest();
    if (next == nullptr) return nullptr;
    ready = Ready();
  }
  Task* next = ready[Below(ready.size())];
  if (self != nullptr && IsReady(*self) && Chance(stickiness_)) next = const_cast<Task*>(self);
  if (Chance(8)) {
    Task* other = tasks_[Below(tasks_.size())].get();  // a spurious wake-up
    if (other->state == Task::State::kWaiting && other->waiter != nullptr) next = other;
  }
  Mix(static_cast<uint64_t>(next->number));
  Mix(static_cast<uint64_t>(now_ns_));
  next->state = Task::State::kReady;
  next->waiter = nullptr;
  return next;
}

Simulation::Task* Simulation::JumpToEarliest() {
  Task* earliest = nullptr;
  std::string waiting;
  for (const auto& task : tasks_) {
    if (task->state == Task::State::kDone) continue;
    waiting += " " + task->name;
    if (task->state != Task::State::kWaiting || task->wake_ns == Task::kNever) continue;
    if (earliest == nullptr || task->wake_ns < earliest->wake_ns) earliest = task.get();
  }
  if (waiting.empty()) return nullptr;
  if (earliest == nullptr) {
    if (aborting_) {
      std::fprintf(stderr, "simulation: threads that cannot be unwound:%s\n", waiting.c_str());
      std::abort();
    }
    Record("deadlock:" + waiting);
    const std::vector<Task*> unwound = Ready();
    if (!unwound.empty()) return unwound.front();
    std::abort();
  }
  now_ns_ = std::max(now_ns_, earliest->wake_ns);
  return earliest;
}

void Simulation::Switch() {
  Task* self = current_;
  Task* next = Pick(self);
  if (next == self) return;
  next->turn.release();
  self->turn.acquire();
}

bool Simulation::MayMove() const {
  return current_->still == 0 && std::uncaught_exceptions() == 0;
}

void Simulation::CheckAlive() const {
  if (!MayMove()) return;
  if (aborting_) throw Aborted();
  if (current_->process != nullptr && current_->process->crashed) throw Crashed();
}

int Simulation::CurrentTask() const {
  return current_->number;
}

void Simulation::Yield() {
  if (!MayMove()) return;
  Switch();
  CheckAlive();
}

void Simulation::Sleep(int64_t ms) {
  if (!MayMove()) return;
  current_->state = Task::State::kWaiting;
  current_->waiter = nullptr;
  current_->wake_ns = now_ns_ + ms * 1'000'000;
  Switch();
  CheckAlive();
}

void Simulation::Record(const std::string& what) {
  if (failure_.empty()) {
    failure_ = "at " + std::to_string(NowMs() - 1'000'000) + " ms: " + what;
    if (options_.trace) std::printf("FAILED %s\n", failure_.c_str());
  }
  aborting_ = true;
}

void Simulation::Fail(const std::string& what) {
  Record(what);
  CheckAlive();
}

void Simulation::Mix(uint64_t value) {
  hash_ = (hash_ ^ value) * 1099511628211ULL;
  hash_ ^= hash_ >> 29;
}

void Simulation::Note(std::string_view what) {
  for (const char c : what) Mix(static_cast<unsigned char>(c));
  if (!options_.trace) return;
  const Task& task = *current_;
  std::printf("%8lld.%03lld  %-6s %-10s %.*s\n", static_cast<long long>(NowMs() - 1'000'000),
              static_cast<long long>(now_ns_ / 1'000 % 1'000),
              task.process == nullptr ? "-" : task.process->name.c_str(), task.name.c_str(),
              static_cast<int>(what.size()), what.data());
}

void Simulation::AtBackend(std::string_view what) {
  if (current_->locks > 0) {
    Fail("a lock is held across " + std::string(what) + ", by " + current_->name);
  }
  Yield();
}

Simulation::In::In(Simulation&, Process* process)
    : before_(Simulation::current_->process), process_(process) {
  Simulation::current_->process = process_;
  if (process_ != nullptr) ++process_->inside;
}

Simulation::In::~In() {
  Simulation::current_->process = before_;
  if (process_ != nullptr) --process_->inside;
}

Simulation::Still::Still() {
  ++Simulation::current_->still;
}

Simulation::Still::~Still() {
  --Simulation::current_->still;
}

}  // namespace a4c::simulation
