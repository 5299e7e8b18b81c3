#include "kafka_log.h"

namespace a4c::kafka {
namespace {

LogLevel LevelOf(int syslog_level) {
  if (syslog_level <= 3) return LogLevel::kError;
  if (syslog_level == 4) return LogLevel::kWarning;
  return syslog_level <= 6 ? LogLevel::kInfo : LogLevel::kDebug;
}

}  // namespace

void WriteLog(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  const auto* target = static_cast<const CallbackTarget*>(rd_kafka_opaque(handle));
  target->log.Write(LevelOf(level), kComponent, "librdkafka says",
                    {{"facility", facility}, {"text", text}});
}

}  // namespace a4c::kafka
