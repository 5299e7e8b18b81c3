// The tokens that this store shares with its servers, a pair for each: with them a server refuses
// the effects of a store that was restored from a backup, and of a copy (a4c/host_extensions.h,
// HostIncarnation).
//
// A pair (current, next) is rotated by writing (next, a new one) to the store first and presenting
// it afterwards; only who has presented a pair itself rotates it, so a server that is out of reach
// is never more than one step behind, however long it is away. Adoption too is in the store first,
// and is taken up by whoever finds it: a server never knows a token that its store has lost. A
// server without a record here was
// given no token, and asks for none. A token opens nothing: whoever has none of the server's keys
// gets no further with it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "a4c/collection.h"
#include "a4c/host_extensions.h"
#include "a4c/host_provider.h"
#include "a4c/result.h"
#include "apps/a4cd/hosts/enrolments.h"

namespace a4cd {

struct HostTokenOptions {
  int64_t look_period_ms = 2'000;  // how soon an instance follows a rotation by another
  int64_t rotate_period_ms = 600'000;
  int64_t host_timeout_ms = 5'000;  // for the answer of one server
};

// [any thread]
class HostTokens {
 public:
  // All outlive it. enrolments: through which the provider learns of servers; null: of none.
  HostTokens(a4c::Database& database, a4c::HostProvider& hosts, const a4c::Runtime& runtime,
             const HostTokenOptions& options = {}, Enrolments* enrolments = nullptr);

  // An operator says that the server belongs to this store: at enrolment, and again after the store
  // was restored. kUnsupported: the server cannot keep a token, with the reason.
  a4c::Result<void> Adopt(const a4c::Call& call, const std::string& host);

  // The same in the commit that enrols the server: the server hears of it from whoever acts there
  // first, at the latest from the loop.
  a4c::Result<void> AdoptWith(const a4c::Call& call, const std::string& host, a4c::Commit& commit);

  // Adds to a commit that removes the server: its token goes with it.
  a4c::Result<void> Forget(const a4c::Call& call, const std::string& host, a4c::Commit& commit);

  // Before the first effect on a server; later ones cost nothing, since the loop follows rotations.
  // kDenied: the server belongs to another store, and refuses what this one wants.
  a4c::Result<void> Introduce(const a4c::Call& call, const std::string& host);

  // The answer to an effect on a server that we are introduced to. One that is denied is asked for
  // once more, after what the provider knows of the server and the server of us was brought up to
  // date: another instance may have enrolled it again meanwhile, with another key or token.
  template <typename Effect>
  auto Introduced(const a4c::Call& call, const std::string& host, const Effect& effect)
      -> decltype(effect()) {
    A4C_CHECK(Introduce(call, host));
    auto answer = effect();
    if (answer || answer.error().code() != a4c::Code::kDenied) return answer;
    const a4c::Result<void> again = IntroduceAnew(call, host);
    if (again) return effect();
    // Who is denied for good is told why by the effect.
    if (again.error().code() == a4c::Code::kDenied) return answer;
    return again.error();
  }

  // Presents and rotates every pair; of each process that uses servers. Null: there are no tokens
  // with this provider.
  std::unique_ptr<a4c::Loop> NewLoop();

 private:
  class TokenLoop;
  struct Pair;

  a4c::Result<void> IntroduceAnew(const a4c::Call& call, const std::string& host);
  a4c::Result<void> Present(const a4c::Call& call, const std::string& host);
  a4c::Result<std::optional<Pair>> Read(const a4c::Call& call, const std::string& host);
  a4c::Result<bool> Write(const a4c::Call& call, const Pair& pair);
  Pair NewPair(const std::string& host, int64_t rev);
  a4c::Result<void> Settle(const a4c::Call& call, Pair pair);
  a4c::Result<void> Give(const a4c::Call& call, const Pair& pair);
  a4c::Call WithinHostTimeout(const a4c::Call& call) const;
  a4c::Result<void> PresentPair(const a4c::Call& call, const Pair& pair);
  a4c::Result<void> Rotate(const a4c::Call& call, const Pair& pair);
  bool HasPresented(const Pair& pair) const;
  void Note(const std::string& host, const a4c::Result<void>& presented);
  void KeepNoted(const std::set<std::string>& hosts);
  std::string NewToken();

  a4c::Database& database_;
  a4c::HostIncarnation* const provider_;
  const a4c::Runtime runtime_;
  const HostTokenOptions options_;
  Enrolments* const enrolments_;
  const std::unique_ptr<a4c::Waiter> waiter_;
  std::map<std::string, int64_t> presented_;  // host to rev of the pair; under waiter_
  std::set<std::string> denied_;              // hosts of which the log has it; under waiter_
  std::set<std::string> noted_;               // hosts that have a gauge; under waiter_
};

a4c::RecordRef HostTokenRef(const std::string& host);

}  // namespace a4cd
