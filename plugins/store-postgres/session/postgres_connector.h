// Connector: finds the server to work with among those named, and remembers the highest timeline
// that any of them wrote. A session to a server of a lower one is of no use: that server was
// primary once, another was promoted in its place, and it still answers read-write. Who has seen no
// timeline yet cannot tell, so that all servers are asked first. [any thread]
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "session/postgres_options.h"
#include "session/postgres_session.h"

namespace a4c::postgres {

class Connector {
 public:
  // kOwner: the primary too, with a role that row-level security need not bind.
  enum class Wanted : uint8_t { kPrimary, kOwner, kReplica };

  // options and timeline_seen outlive it. The latter, at first 0, is shared by the connectors to
  // the same servers: what one of them has seen holds for all.
  Connector(Wanted wanted, std::vector<std::string> conninfos, const Options& options,
            std::atomic<int64_t>& timeline_seen, const Runtime& runtime)
      : wanted_(wanted),
        conninfos_(std::move(conninfos)),
        options_(options),
        timeline_seen_(timeline_seen),
        runtime_(runtime) {}

  // Tries each server once, beginning with the one that served last; the error names all that were
  // tried. kTimeout, kCanceled; kUnavailable, kDenied, kNotFound: see ConnectErrorOf; kInvalid: see
  // CheckPrimary and CheckIsBound. Once a server was fit, it is kUnavailable that none is any more:
  // the config is right, and a server may be fit again. In the time that the call has, of which a
  // server that is silent leaves some to those behind it.
  Result<std::unique_ptr<Session>> Connect(const Call& call);
  // With other timeouts than those of the options.
  Result<std::unique_ptr<Session>> Connect(const Call& call, const Options& options);

  // Asks all servers for their timelines, at once, in at most the time for one of them.
  void LookAround(const Call& call);

  // The session's server has been replaced as primary since it was opened.
  bool IsReplaced(const Session& session) const {
    return wanted_ != Wanted::kReplica && session.facts().timeline < timeline_seen_;
  }

 private:
  Call ForOne(Call call, size_t shares) const;
  Result<std::unique_ptr<Session>> ConnectTo(const Call& call, size_t server,
                                             const Options& options);
  Result<void> CheckFollows(const Call& call, Session& session) const;
  Result<void> CheckFit(const Session& session);
  void NoteTimeline(const Session& session);

  const Wanted wanted_;
  const std::vector<std::string> conninfos_;  // one a server
  const Options& options_;
  std::atomic<int64_t>& timeline_seen_;
  const Runtime runtime_;
  std::atomic<size_t> served_last_{0};
  std::atomic<bool> any_was_fit_{false};
};

}  // namespace a4c::postgres
