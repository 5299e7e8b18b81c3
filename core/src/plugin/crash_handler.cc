#include "plugin/crash_handler.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>

#include "a4c/plugin_host.h"
#include "plugin/calls.h"

namespace a4c {
namespace plugin {
namespace {

constexpr size_t kStackBytes = 64 << 10;

struct Caught {
  int number;
  const char* name;
  struct sigaction before;
};
std::array<Caught, 5> caught = {{{SIGSEGV, "SIGSEGV", {}},
                                 {SIGBUS, "SIGBUS", {}},
                                 {SIGFPE, "SIGFPE", {}},
                                 {SIGILL, "SIGILL", {}},
                                 {SIGABRT, "SIGABRT", {}}}};
std::atomic<bool> installed{false};
thread_local void* own_stack = nullptr;

// From here to Handle: only what is async-signal-safe.
void Say(const char* text) {
  // Nothing is left to do about a failure.
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text, std::strlen(text));
}

void SayWhere(const char* signal) {
  Say(signal);
  const CallSite* site = CurrentCall();
  if (site == nullptr) {
    Say(" outside of plugin calls\n");
    return;
  }
  Say(" in plugin ");
  Say(site->plugin->name().c_str());
  Say(", call ");
  Say(site->call);
  Say("\n");
}

// What was there before (the default, or a sanitizer's report) then has its turn: a fault happens
// again on return, and a signal that somebody sent is sent again.
void Handle(int number, siginfo_t* info, void*) {
  for (Caught& signal : caught) {
    if (signal.number != number) continue;
    SayWhere(signal.name);
    sigaction(number, &signal.before, nullptr);
  }
  if (info->si_code <= 0) raise(number);
}

}  // namespace

void EnterAlternateStack() {
  stack_t stack{};
  if (!installed || sigaltstack(nullptr, &stack) != 0 || !(stack.ss_flags & SS_DISABLE)) return;
  void* memory =
      mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  stack = {.ss_sp = memory, .ss_flags = 0, .ss_size = kStackBytes};
  sigaltstack(&stack, nullptr);
  own_stack = memory;
}

void LeaveAlternateStack() {
  if (own_stack == nullptr) return;
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  sigaltstack(&none, nullptr);
  munmap(own_stack, kStackBytes);
  own_stack = nullptr;
}

}  // namespace plugin

void InstallCrashHandler() {
  using plugin::caught;
  if (plugin::installed.exchange(true)) return;
  plugin::EnterAlternateStack();
  for (plugin::Caught& signal : caught) {
    struct sigaction action {};
    action.sa_sigaction = plugin::Handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(signal.number, &action, &signal.before);
  }
}

}  // namespace a4c
