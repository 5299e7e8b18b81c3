// The sessions that there are.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/host_streams.h"
#include "apps/a4cd/api/tenant_places.h"
#include "apps/a4cd/jobs/presence.h"
#include "apps/a4cd/sessions/conversation.h"
#include "apps/a4cd/sessions/session.h"

namespace a4cd {

// What a session is about, and its right to be.
struct SessionSubject {
  std::string host;
  std::string unit;
  std::string request_id;  // of the request that became it
  std::unique_ptr<TenantPlaces::Place> place;
  std::unique_ptr<Presence> presence;
};

// A command, with or without a terminal: the protocol a4c.exec.v1.
std::unique_ptr<Session> NewCommandSession(const a4c::Runtime& runtime, const SessionRules& rules,
                                           a4c::HostStreams& streams, SessionSubject subject);
// A connection to a port of the workspace's: the protocol a4c.forward.v1.
std::unique_ptr<Session> NewForwardSession(const a4c::Runtime& runtime, const SessionRules& rules,
                                           a4c::HostStreams& streams, SessionSubject subject,
                                           int port);
// Where a log that is followed begins.
struct LogOrigin {
  std::string from = {};  // a position in it, or "": what is still kept
  bool is_new = false;    // who follows does not know it: told even before there is more
  std::optional<int64_t> lines = {};  // only the last ones of what is there
};
// What a workspace writes, as it comes: the protocol a4c.logs.v1.
std::unique_ptr<Session> NewLogSession(const a4c::Runtime& runtime, const SessionRules& rules,
                                       a4c::HostLogs& logs, SessionSubject subject,
                                       LogOrigin origin);

// In log and metrics. end: in words; word: of a few that there are.
void NoteSessionEnd(const a4c::Runtime& runtime, const SessionSubject& subject,
                    std::string_view kind, const std::string& end, std::string_view word,
                    int64_t bytes);

}  // namespace a4cd
