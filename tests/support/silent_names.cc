#include "tests/support/silent_names.h"

#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <mutex>
#include <string_view>
#include <utility>

namespace a4c::testing {
namespace {

struct State {
  std::mutex mutex;
  std::condition_variable changed;
  bool silent = false;
  int times = 0;  // it has spoken again
  int asked = 0;
  std::string known = {};
  std::vector<std::string> addresses = {};
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

std::vector<std::string> AddressesOf(std::string_view host) {
  State& state = TheState();
  const std::scoped_lock lock(state.mutex);
  return !host.empty() && host == state.known ? state.addresses : std::vector<std::string>();
}

void Know(std::string name, std::vector<std::string> addresses) {
  State& state = TheState();
  const std::scoped_lock lock(state.mutex);
  state.known = std::move(name);
  state.addresses = std::move(addresses);
}

using Lookup = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

// One list of those of all addresses: the C library frees it entry by entry.
int Answer(Lookup lookup, const std::vector<std::string>& addresses, const char* service,
           const addrinfo* hints, addrinfo** result) {
  addrinfo numeric = hints == nullptr ? addrinfo{} : *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  *result = nullptr;
  for (addrinfo** end = result; const std::string& address : addresses) {
    const int code = lookup(address.c_str(), service, &numeric, end);
    if (code != 0) return code;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  return 0;
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

KnownName::KnownName(std::string name, std::vector<std::string> addresses) {
  Know(std::move(name), std::move(addresses));
}

KnownName::~KnownName() {
  Know({}, {});
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
  using a4c::testing::Lookup;
  static const auto next = reinterpret_cast<Lookup>(dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::vector<std::string> addresses = a4c::testing::AddressesOf(host);
  if (!addresses.empty()) return a4c::testing::Answer(next, addresses, service, hints, result);
  return next(name, service, hints, result);
}
