#include <algorithm>

#include "memory/memory_host_state.h"

namespace a4c::memory {
namespace {

Result<void> CheckToken(const std::string& token) {
  const bool fits = std::ranges::all_of(token, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
  if (fits && token.size() >= 16 && token.size() <= 128) return {};
  return Error(Code::kInvalid, "token: 16 to 128 letters and digits");
}

Error Denied() {
  return Error(Code::kDenied, "the host knows another incarnation of the store",
               "the store was restored or cloned: enrol the host again");
}

class MemoryIncarnation final : public HostIncarnation {
 public:
  explicit MemoryIncarnation(MemoryHosts& hosts) : hosts_(hosts) {}

  Result<void> Adopt(const Call& call, const std::string& host, const std::string& token) override {
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
    return server->tokens.Adopt(token);
  }
  Result<void> Present(const Call& call, const std::string& host, const std::string& current,
                       const std::string& next) override {
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
    return server->tokens.Present(current, next);
  }

 private:
  MemoryHosts& hosts_;
};

}  // namespace

Result<void> MemoryTokens::Adopt(const std::string& token) {
  if (!token.empty()) A4C_CHECK(CheckToken(token));
  *this = {.current = token, .next = {}, .presented = true};
  return {};
}

// The pair that is known, its second half still unknown, or the step after it.
Result<void> MemoryTokens::Present(const std::string& of_current, const std::string& of_next) {
  A4C_CHECK(CheckToken(of_current));
  A4C_CHECK(CheckToken(of_next));
  const bool same = of_current == current && (next.empty() || of_next == next);
  const bool step = !next.empty() && of_current == next;
  presented = same || step;
  if (!presented) return Denied();
  current = of_current;
  next = of_next;
  return {};
}

Result<void> MemoryTokens::Allow() const {
  if (current.empty() || presented) return {};
  return Denied();
}

std::unique_ptr<HostIncarnation> NewMemoryIncarnation(MemoryHosts& hosts) {
  return std::make_unique<MemoryIncarnation>(hosts);
}

}  // namespace a4c::memory
