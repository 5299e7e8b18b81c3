// librdkafka's own log lines, to the runtime's sink.
#pragma once

#include <librdkafka/rdkafka.h>

#include "a4c/sinks.h"

namespace a4c::kafka {

inline constexpr std::string_view kComponent = "bus-kafka";

// What a handle's callbacks find in its opaque: every class behind an opaque begins with it.
struct CallbackTarget {
  explicit CallbackTarget(LogSink& sink) : log(sink) {}
  LogSink& log;
};

// Called by librdkafka's threads; the opaque of the handle is a CallbackTarget.
void WriteLog(const rd_kafka_t* handle, int level, const char* facility, const char* text);

}  // namespace a4c::kafka
