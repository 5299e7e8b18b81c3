// Sockets of answers that do not end (events, followed logs): taken out of the thread pool and
// served by one thread, which waits for all of them in one poll(2). While a reader's buffer is full
// its source is asked for nothing; one that takes nothing out of it for stall_ms is closed: it
// comes back and says where it was. And of whole answers that a client takes slowly while others
// wait for the thread: they are closed at their time too, and bounded, in all and of a tenant; of
// how many streams there may be decides who adds them.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <cstdint>
#include <memory>
#include <string>

#include "a4c/clock.h"
#include "apps/a4cd/api/http.h"

namespace a4cd {

struct StreamHubOptions {
  int64_t buffer_bytes_max = 1 << 20;     // of a stream; with one answer of its source more
  int64_t answers_bytes_max = 256 << 20;  // of whole answers, together; of a tenant a quarter
  int64_t stall_ms = 10'000;
  int64_t period_ms = 500;          // how often sources are asked
  int64_t call_timeout_ms = 5'000;  // of one question
};

class StreamHub {
 public:
  virtual ~StreamHub() = default;  // closes all streams
  // `head` (the HTTP header) is sent first. [any thread]
  virtual void Add(const Poco::Net::StreamSocket& socket, std::string head,
                   std::unique_ptr<StreamSource> source) = 0;
  // What is left of an answer to the tenant ("": nobody's), to be taken until then (monotonic). The
  // socket is closed after it, and at once if there is no room. [any thread]
  virtual void Finish(const std::string& tenant, const Poco::Net::StreamSocket& socket,
                      std::string rest, int64_t until_ms) = 0;
  // Waits until such answers are taken, at most until then; how many are left. [any thread]
  virtual int AwaitAnswers(int64_t deadline_ms) = 0;
  // Closes all streams, and those that are added later. [any thread]
  virtual void Close() = 0;
};

std::unique_ptr<StreamHub> NewStreamHub(const a4c::Runtime& runtime,
                                        const StreamHubOptions& options);

}  // namespace a4cd
