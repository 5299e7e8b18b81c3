// What every session has in common: the first message that says what is wanted, the bytes that go
// both ways, the ends that are told, and the bounds in time. docs/api/README.md has the protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "a4c/clock.h"
#include "a4c/host_streams.h"
#include "a4c/json.h"
#include "a4c/result.h"
#include "apps/a4cd/jobs/presence.h"
#include "apps/a4cd/sessions/session.h"
#include "apps/websocket/byte_queue.h"

namespace a4cd {

struct SessionRules {
  int64_t idle_max_ms = 3'600'000;       // without a byte either way
  int64_t duration_max_ms = 86'400'000;  // in all
  int64_t ping_period_ms = 15'000;       // a client that is silent for three of these has gone
  int64_t step_timeout_ms = 10'000;      // of the first message, of opening, of the exit code
};

// [the session's thread]
class Conversation {
 public:
  Conversation(const a4c::Runtime& runtime, const SessionRules& rules, const SessionPeer& peer,
               Presence& presence)
      : runtime_(runtime),
        rules_(rules),
        peer_(peer),
        presence_(presence),
        started_ms_(runtime.clock.MonotonicMs()),
        moved_ms_(started_ms_),
        pinged_ms_(started_ms_) {}

  // The first message; kTimeout if none comes.
  a4c::Result<a4c::Json> Await();
  // Hands bytes on both ways until the stream has ended. `control` is given every later message but
  // the end of input. Else why it was broken off: kUnavailable, the client or the stream has gone;
  // kTimeout, a bound in time; kCanceled, the process drains; kInvalid, nonsense.
  a4c::Result<void> Carry(a4c::HostStream& stream, bool terminal,
                          const std::function<a4c::Result<void>(const a4c::Json&)>& control);

  void Tell(const a4c::Json& message);
  // Until so much time is over and what was told is on its way; why it is broken off, as above.
  a4c::Result<void> Pass(int64_t wait_ms);
  // Why it ends.
  void TellProblem(const a4c::Error& error);
  // Closes, once all that was told is out; waits for the client a little.
  void Close();

  a4c::Call StepCall() const {
    return a4c::Call::Within(runtime_.clock, rules_.step_timeout_ms, peer_.stop);
  }
  int64_t bytes() const { return bytes_; }

 private:
  a4c::Result<void> TakeInput(const std::function<a4c::Result<void>(const a4c::Json&)>& control);
  a4c::Result<bool> GiveInput(a4c::HostStream& stream, bool terminal);
  a4c::Result<bool> TakeOutput(a4c::HostStream& stream);
  a4c::Result<void> CheckTime();
  a4c::Result<void> Rest(a4c::HostStream& stream);

  const a4c::Runtime runtime_;
  const SessionRules rules_;
  const SessionPeer& peer_;
  Presence& presence_;
  const int64_t started_ms_;
  int64_t moved_ms_;  // when a byte went either way
  int64_t pinged_ms_;
  a4c_websocket::ByteQueue input_;  // from the client, not yet taken
  bool more_input_ = false;         // a turn has ended before the messages had
  bool input_ends_ = false;
  bool input_ended_ = false;
  bool output_ended_ = false;
  int64_t bytes_ = 0;
  int close_code_ = 1000;  // RFC 6455, section 7.4.1: it has ended as it should
};

}  // namespace a4cd
