// ThreadSanitizer of gcc 12 sees POSIX threads, not those of C11, by which librdkafka is built: it
// would take every message that crosses its queues for a race. In this build the C11 names are the
// POSIX calls, which they are in glibc too (the types have one layout).
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>
#include <memory>

namespace {

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t));
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t));
static_assert(sizeof(once_flag) == sizeof(pthread_once_t));

pthread_mutex_t* Of(mtx_t* mutex) {
  return reinterpret_cast<pthread_mutex_t*>(mutex);
}

pthread_cond_t* Of(cnd_t* condition) {
  return reinterpret_cast<pthread_cond_t*>(condition);
}

int Answer(int code) {
  switch (code) {
    case 0:
      return thrd_success;
    case EBUSY:
      return thrd_busy;
    case ENOMEM:
      return thrd_nomem;
    case ETIMEDOUT:
      return thrd_timedout;
    default:
      return thrd_error;
  }
}

struct Start {
  thrd_start_t function;
  void* argument;
};

void* Run(void* given) {
  const std::unique_ptr<Start> start(static_cast<Start*>(given));
  return reinterpret_cast<void*>(static_cast<intptr_t>(start->function(start->argument)));
}

}  // namespace

#define A4C_INSTEAD extern "C" __attribute__((visibility("default")))

A4C_INSTEAD int mtx_lock(mtx_t* mutex) {
  return Answer(pthread_mutex_lock(Of(mutex)));
}

A4C_INSTEAD int mtx_unlock(mtx_t* mutex) {
  return Answer(pthread_mutex_unlock(Of(mutex)));
}

A4C_INSTEAD int cnd_signal(cnd_t* condition) {
  return Answer(pthread_cond_signal(Of(condition)));
}

A4C_INSTEAD int cnd_broadcast(cnd_t* condition) {
  return Answer(pthread_cond_broadcast(Of(condition)));
}

A4C_INSTEAD int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return Answer(pthread_cond_wait(Of(condition), Of(mutex)));
}

A4C_INSTEAD int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  return Answer(pthread_cond_timedwait(Of(condition), Of(mutex), until));
}

A4C_INSTEAD void call_once(once_flag* flag, void (*function)()) {
  pthread_once(reinterpret_cast<pthread_once_t*>(flag), function);
}

A4C_INSTEAD int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  auto start = std::make_unique<Start>(Start{function, argument});
  const int code = pthread_create(thread, nullptr, Run, start.get());
  if (code == 0) static_cast<void>(start.release());  // Run has it
  return Answer(code);
}

A4C_INSTEAD int thrd_join(thrd_t thread, int* result) {
  void* answer = nullptr;
  const int code = pthread_join(thread, &answer);
  if (code == 0 && result != nullptr) {
    *result = static_cast<int>(reinterpret_cast<intptr_t>(answer));
  }
  return Answer(code);
}
