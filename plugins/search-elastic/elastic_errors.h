// The one table by which answers and exceptions of the server become a4c errors.
#pragma once

#include <string>
#include <string_view>

#include "a4c/result.h"

namespace a4c::elastic {

// Whether a request changes anything: decides what a lost answer means.
enum class Effect : uint8_t { kReads, kWrites };

// The error of an answer of status 400 or above. type, reason: from its body, may be empty.
Error ErrorOfStatus(int status, std::string_view type, std::string_view reason, Effect effect);

// The same from the body itself.
Error ErrorOfAnswer(int status, std::string_view body, Effect effect);

// A connection that failed. sent: the server may have got the request. timed_out: the time was up.
Error ErrorOfConnection(const std::string& node, const std::string& what, bool sent, bool timed_out,
                        Effect effect);

// True if this failure of one document will come back however often it is sent: only what is known
// to be its own fault. Of another one nobody knows, and taking an outage for a fault of its
// documents would make all of them dead letters.
bool IsPermanent(int status, std::string_view type, std::string_view reason);

// The error of a document that is to be sent again. Never kInvalid, at which a rebuild would give
// up.
Error ErrorOfRetry(int status, std::string_view type, std::string_view reason);

}  // namespace a4c::elastic
