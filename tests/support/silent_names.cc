#include "tests/support/silent_names.h"

#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <mutex>
#include <string_view>

namespace a4c::testing {
namespace {

struct State {
  std::mutex mutex;
  std::condition_variable changed;
  bool silent = false;
  int times = 0;  // it has spoken again
  int asked = 0;
};

// Never freed: a lookup may still be under way when the program ends.
State& TheState() {
  static auto* state = new State;
  return *state;
}

void AwaitSpeech() {
  State& state = TheState();
  std::unique_lock lock(state.mutex);
  ++state.asked;
  const int before = state.times;
  state.changed.wait(lock, [&] { return !state.silent || state.times != before; });
}

}  // namespace

SilentNames::SilentNames() {
  State& state = TheState();
  const std::scoped_lock lock(state.mutex);
  state.silent = true;
  state.asked = 0;
}

SilentNames::~SilentNames() {
  State& state = TheState();
  const std::scoped_lock lock(state.mutex);
  state.silent = false;
  ++state.times;
  state.changed.notify_all();
}

int SilentNames::Asked() const {
  State& state = TheState();
  const std::scoped_lock lock(state.mutex);
  return state.asked;
}

}  // namespace a4c::testing

// A program's own definition comes before the C library's, for its shared libraries too.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* name,
                                                                  const char* service,
                                                                  const addrinfo* hints,
                                                                  addrinfo** result) {
  const bool numeric = hints != nullptr && (hints->ai_flags & AI_NUMERICHOST) != 0;
  const std::string_view host = name == nullptr ? "" : name;
  if (!numeric && host.ends_with("silent.test")) {
    a4c::testing::AwaitSpeech();
    return EAI_NONAME;
  }
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto next = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return next(name, service, hints, result);
}
