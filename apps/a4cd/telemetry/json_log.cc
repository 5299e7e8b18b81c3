#include "apps/a4cd/telemetry/json_log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <optional>
#include <utility>

#include "a4c/json.h"

namespace a4cd {
namespace {

using a4c::Json;
using a4c::LogField;
using a4c::LogLevel;

constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLevels = {
    {{"debug", LogLevel::kDebug},
     {"info", LogLevel::kInfo},
     {"warning", LogLevel::kWarning},
     {"error", LogLevel::kError}}};

// Json writes text as it is: bytes that are no UTF-8 would break the line for its readers.
std::string ValidText(std::string_view text) {
  std::string valid(text);
  if (a4c::IsUtf8(text)) return valid;
  for (char& c : valid) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return valid;
}

class JsonLog final : public a4c::LogSink {
 public:
  JsonLog(spdlog::sink_ptr sink, LogLevel level) : logger_("a4cd", std::move(sink)), level_(level) {
    logger_.set_level(spdlog::level::trace);
    logger_.flush_on(spdlog::level::trace);
    logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v)", spdlog::pattern_time_type::utc));
  }

  void Write(LogLevel level, std::string_view component, std::string_view event,
             std::span<const LogField> fields) override {
    if (level < level_) return;
    Json line(Json::Object{});
    line.AppendMember("level", kLevels[static_cast<size_t>(level)].first);
    line.AppendMember("component", component);
    line.AppendMember("event", ValidText(event));
    for (const LogField& field : fields) line.Set(field.name, ValidText(field.value));
    const std::string text = line.ToString();
    // The pattern has written the opening brace and the time.
    logger_.log(spdlog::level::info, spdlog::string_view_t(text.data() + 1, text.size() - 1));
  }

 private:
  spdlog::logger logger_;
  const LogLevel level_;
};

std::optional<LogLevel> LevelOf(std::string_view name) {
  for (const auto& [word, level] : kLevels) {
    if (word == name) return level;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string_view> LogLevelNames() {
  std::vector<std::string_view> names;
  for (const auto& [name, level] : kLevels) names.push_back(name);
  return names;
}

a4c::Result<std::unique_ptr<a4c::LogSink>> NewJsonLog(const std::string& level,
                                                      const std::string& file) {
  const auto known = LevelOf(level);
  if (!known) {
    return a4c::Error(a4c::Code::kInvalid,
                      "log.level: is debug, info, warning or error, not \"" + level + "\"");
  }
  try {
    spdlog::sink_ptr sink;
    if (file == "-") {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    }
    return std::unique_ptr<a4c::LogSink>(std::make_unique<JsonLog>(std::move(sink), *known));
  } catch (const spdlog::spdlog_ex& error) {
    return a4c::Error(a4c::Code::kInvalid, "log.file: " + std::string(error.what()));
  }
}

}  // namespace a4cd
