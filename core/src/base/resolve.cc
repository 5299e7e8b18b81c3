#include "a4c/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace a4c {
namespace {

constexpr size_t kLookupsMax = 16;
constexpr int64_t kStopCheckMs = 100;
constexpr const char* kHint = "look at /etc/resolv.conf and its name servers, or write an address";

struct Found {
  int code = 0;  // getaddrinfo's
  std::vector<std::string> addresses = {};
};

Found Ask(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;  // else each address comes once for each type
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  Found found{.code = getaddrinfo(host.c_str(), nullptr, &hints, &list)};
  if (found.code != 0) return found;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, freeaddrinfo);
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      found.addresses.emplace_back(text.data());
    }
  }
  if (found.addresses.empty()) found.code = EAI_FAMILY;
  return found;
}

std::optional<Error> WhyOver(const Call& call, const std::string& host) {
  if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
  if (!call.Expired()) return std::nullopt;
  return Error(Code::kTimeout, "the name " + host + " was not resolved in time", kHint);
}

// The lookups that are under way, each on a thread that nobody joins: it may outlast its call by as
// much as the name servers like. It runs nothing but this library, which is never closed.
class Lookups {
 public:
  Result<Found> Wait(const Call& call, const std::string& host) {
    std::unique_lock lock(mutex_);
    std::shared_ptr<Lookup> mine;
    while (true) {
      if (mine == nullptr) {
        A4C_TRY(mine, Join(host));
      }
      if (mine != nullptr && mine->found) return *mine->found;
      if (auto over = WhyOver(call, host)) return *std::move(over);
      changed_.wait_for(lock,
                        std::chrono::milliseconds(std::min(kStopCheckMs, call.RemainingMs())));
    }
  }

 private:
  struct Lookup {
    std::optional<Found> found = {};
  };

  // Null if there is no room for another one.
  Result<std::shared_ptr<Lookup>> Join(const std::string& host) {
    if (const auto known = under_way_.find(host); known != under_way_.end()) return known->second;
    if (under_way_.size() >= kLookupsMax) return std::shared_ptr<Lookup>();
    auto lookup = std::make_shared<Lookup>();
    try {
      Start(host, lookup);
    } catch (const std::system_error& error) {
      return Error(Code::kUnavailable, std::string("no thread to resolve a name: ") + error.what());
    }
    under_way_.emplace(host, lookup);
    return lookup;
  }

  // Signals are for the threads that know of them.
  void Start(const std::string& host, const std::shared_ptr<Lookup>& lookup) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([this, host, lookup] { Run(host, *lookup); }).detach();
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void Run(const std::string& host, Lookup& lookup) {
    pthread_setname_np(pthread_self(), "resolve");
    Found found = Ask(host, 0);
    const std::scoped_lock lock(mutex_);
    lookup.found = std::move(found);
    under_way_.erase(host);
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<Lookup>> under_way_;
};

}  // namespace

Result<std::vector<std::string>> ResolveHost(const Call& call, const std::string& host) {
  // Never freed: a lookup may still be under way when the process ends.
  static auto* lookups = new Lookups;
  Found found = Ask(host, AI_NUMERICHOST);
  if (found.code != 0) {
    A4C_TRY(found, lookups->Wait(call, host));
  }
  if (found.code == 0) return std::move(found.addresses);
  return Error(Code::kUnavailable,
               "the name " + host + " was not resolved: " + gai_strerror(found.code), kHint);
}

Result<std::string> ResolveToOne(const Call& call, const std::string& host) {
  A4C_TRY(const std::vector<std::string> addresses, ResolveHost(call, host));
  const auto is_v4 = [](const std::string& text) { return text.find(':') == std::string::npos; };
  const auto v4 = std::ranges::find_if(addresses, is_v4);
  return v4 != addresses.end() ? *v4 : addresses.front();
}

}  // namespace a4c
