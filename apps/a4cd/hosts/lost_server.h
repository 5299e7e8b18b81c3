// A server that is gone for good, by an operator's word: it stands for the server's own, for which
// everything else waits before room is given back.
//
//   of the server                              becomes
//   a workspace that is being deleted          deleted
//   any other                                  on no server, lost_with says why (CheckNotLost)
//   one that is carried to it, or from it      what it is on its other server
//   a snapshot                                 deleted
//   room of a job                              given back
//
// Each in a commit of its own, which raises the epoch of its lease: whoever is at work on it writes
// nothing from then on, and does it anew by what the record says now. Should the machine be back
// one day, its units have epochs below that one, and are those of no record.
#pragma once

#include <cstdint>
#include <string>

#include "a4c/collection.h"
#include "apps/a4cd/placement/reservations.h"

namespace a4cd {

struct LostCounts {
  int64_t workspaces = 0;
  int64_t snapshots = 0;
};

// Until nobody has anything there: counts grow by what was let go. The server takes nothing new
// (it is cordoned). After an error, or a crash, the same call goes on.
a4c::Result<void> LetGoOfLost(const a4c::Call& call, a4c::Database& database,
                              Reservations& reservations, const std::string& host,
                              LostCounts& counts);

}  // namespace a4cd
