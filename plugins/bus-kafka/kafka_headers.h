// CloudEvents 1.0, Kafka binary mode: the payload is the event's data, its attributes are headers.
// What a message does not say itself is filled in: ce_specversion, ce_type, ce_source, ce_id and
// content-type, appended after its own headers.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/bus.h"
#include "a4c/clock.h"
#include "kafka_settings.h"

namespace a4c::kafka {

struct HeaderView {
  const char* name;
  std::string_view value;
};

// [any thread]
class CloudEvents {
 public:
  CloudEvents(const Settings& settings, Random& random);
  // The message's headers, then those that it lacks. They are valid as long as message and
  // id_buffer. id_buffer and headers are the caller's to reuse.
  void Complete(const Message& message, std::string& id_buffer, std::vector<HeaderView>& headers);

 private:
  const std::string type_;
  const std::string source_;
  const std::string content_type_;
  const std::string id_prefix_;  // 64 random bits: ids of two processes differ
  std::atomic<uint64_t> next_id_{0};
};

}  // namespace a4c::kafka
