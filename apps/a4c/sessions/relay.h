// Between a session's WebSocket and descriptors of ours: bytes both ways until the server says that
// it has ended. Nothing waits for anything else, and nothing piles up.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "a4c/clock.h"
#include "a4c/json.h"
#include "a4c/result.h"
#include "apps/websocket/byte_queue.h"
#include "apps/websocket/connection.h"

namespace a4c_cli {

struct RelayDescriptors {
  int input = -1;  // -1: none, its end is told at once
  int output = -1;
  int errors = -1;
  int wake = -1;  // a byte there: each_round is due at once; its end: Run ends with kCanceled
};

class Relay {
 public:
  Relay(const a4c::Runtime& runtime, a4c_websocket::Connection& peer,
        const RelayDescriptors& descriptors)
      : runtime_(runtime),
        peer_(peer),
        input_(descriptors.input),
        output_{descriptors.output, PieceBytesFor(descriptors.output)},
        errors_{descriptors.errors, PieceBytesFor(descriptors.errors)},
        wake_(descriptors.wake),
        sign_sent_ms_(runtime.clock.MonotonicMs()) {}

  void Say(const a4c::Json& message);
  // hear: is given each message in words; true: it was the last one. each_round: what else is to be
  // looked at, at least once a second. kUnavailable: the connection was lost. kCanceled: nobody
  // reads our output any more.
  a4c::Result<void> Run(const std::function<a4c::Result<bool>(const a4c::Json&)>& hear,
                        const std::function<void()>& each_round = {});

 private:
  // What came for a descriptor and is not yet written there.
  struct Outlet {
    int fd;
    size_t piece_bytes;
    a4c_websocket::ByteQueue unwritten = {};
    bool Idle() const { return unwritten.empty(); }
    bool Write();
  };
  static size_t PieceBytesFor(int fd);
  size_t unwritten() const { return output_.unwritten.size() + errors_.unwritten.size(); }
  a4c::Result<void> Receive(const std::function<a4c::Result<bool>(const a4c::Json&)>& hear);
  a4c::Result<void> SendSignOfLife();
  void TakeInput();
  void EndInput();
  a4c::Result<void> Rest();

  const a4c::Runtime runtime_;
  a4c_websocket::Connection& peer_;
  int input_;
  bool input_ended_ = false;  // and told
  Outlet output_;
  Outlet errors_;
  const int wake_;
  int64_t sign_sent_ms_;
  bool ended_ = false;
};

}  // namespace a4c_cli
