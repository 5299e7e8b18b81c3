#include "apps/a4cd/telemetry/json_log.h"

#include <spdlog/details/file_helper.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <mutex>
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

// As spdlog's basic_file_sink, which cannot be opened again.
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // spdlog_ex: the file cannot be opened.
  explicit FileSink(std::string path) : path_(std::move(path)), file_(Open()) {}

  // spdlog_ex: the same, and the old one is kept.
  void Reopen() {
    std::unique_ptr<File> file = Open();
    const std::lock_guard lock(mutex_);
    file_.swap(file);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_->write(line);
  }
  void flush_() override { file_->flush(); }

 private:
  using File = spdlog::details::file_helper;

  std::unique_ptr<File> Open() const {
    auto file = std::make_unique<File>();
    file->open(path_);
    return file;
  }

  const std::string path_;
  std::unique_ptr<File> file_;  // guarded by mutex_
};

class SpdlogJsonLog final : public JsonLog {
 public:
  using JsonLog::Write;
  // file: the sink, if it is one that can be opened again.
  SpdlogJsonLog(spdlog::sink_ptr sink, std::shared_ptr<FileSink> file, LogLevel level)
      : logger_("a4cd", std::move(sink)), file_(std::move(file)), level_(level) {
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

  void Reopen() override {
    if (file_ == nullptr) {
      return Write(LogLevel::kInfo, "a4cd", "the log is standard error, which stays as it is", {});
    }
    try {
      file_->Reopen();
      Write(LogLevel::kInfo, "a4cd", "the log file was opened again", {});
    } catch (const spdlog::spdlog_ex& error) {
      Write(LogLevel::kError, "a4cd", "the log file could not be opened again: the old one is kept",
            {{"error", error.what()}});
    }
  }

 private:
  spdlog::logger logger_;
  const std::shared_ptr<FileSink> file_;  // null: standard error
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

a4c::Result<std::unique_ptr<JsonLog>> NewJsonLog(const std::string& level,
                                                 const std::string& file) {
  const auto known = LevelOf(level);
  if (!known) {
    return a4c::Error(a4c::Code::kInvalid,
                      "log.level: is debug, info, warning or error, not \"" + level + "\"");
  }
  try {
    std::shared_ptr<FileSink> reopened;
    spdlog::sink_ptr sink;
    if (file == "-") {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = reopened = std::make_shared<FileSink>(file);
    }
    return std::unique_ptr<JsonLog>(
        std::make_unique<SpdlogJsonLog>(std::move(sink), std::move(reopened), *known));
  } catch (const spdlog::spdlog_ex& error) {
    return a4c::Error(a4c::Code::kInvalid, "log.file: " + std::string(error.what()));
  }
}

}  // namespace a4cd
