#include "apps/a4cd/api/log_query.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "apps/a4cd/api/api.h"
#include "apps/a4cd/jobs/fields.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

constexpr int64_t kMinuteMs = 60'000;

// "Z", or "+02:00" as minutes.
std::optional<int> OffsetOf(const std::string& zone) {
  if (zone == "Z") return 0;
  int hours = 0;
  int minutes = 0;
  int read = 0;
  const bool is_signed = zone.starts_with('+') || zone.starts_with('-');
  if (!is_signed || zone.find_first_not_of("0123456789:", 1) != std::string::npos ||
      std::sscanf(zone.c_str() + 1, "%2d:%2d%n", &hours, &minutes, &read) != 2 || read != 5 ||
      zone.size() != 6 || hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  return (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

// RFC 3339; what is finer than a second is cut off.
std::optional<int64_t> TimeOf(const std::string& text) {
  constexpr const char* kShape = "0000-00-00T00:00:00";
  constexpr size_t kSize = 19;
  for (size_t i = 0; i < kSize; ++i) {
    const bool is_digit = i < text.size() && text[i] >= '0' && text[i] <= '9';
    if (i >= text.size() || (kShape[i] == '0' ? !is_digit : text[i] != kShape[i])) {
      return std::nullopt;
    }
  }
  const auto number = [&](size_t at, size_t size) { return std::stoi(text.substr(at, size)); };
  size_t zone = kSize;
  if (text.substr(kSize).starts_with('.')) zone = text.find_first_not_of("0123456789", kSize + 1);
  if (zone == kSize + 1 || zone == std::string::npos) return std::nullopt;
  const std::optional<int> offset = OffsetOf(text.substr(zone));
  const std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!offset || !day.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 60) {
    return std::nullopt;
  }
  const std::chrono::milliseconds midnight = std::chrono::sys_days(day).time_since_epoch();
  const int64_t minutes = number(11, 2) * 60 + number(14, 2) - *offset;
  return midnight.count() + minutes * kMinuteMs + number(17, 2) * 1000;
}

Result<int64_t> SinceOf(const std::string& text, int64_t now_ms) {
  if (const std::optional<int64_t> time = TimeOf(text)) return *time;
  const Json given(Json::Object{{"since", text}});
  Faults faults;
  const int64_t ago_ms = FieldReader(given, "", faults).DurationMs("since");
  if (faults.empty()) return now_ms - ago_ms;
  return Error(Code::kInvalid, "since is a duration or a time",
               "write 30s, 10m, 24h or 7d, or 2026-11-28T10:00:00Z");
}

}  // namespace

Result<LogCut> ReadLogCut(const Request& request, int64_t now_ms) {
  LogCut cut;
  if (request.HasQuery("tail")) {
    A4C_TRY(cut.lines, LimitNamed(request, "tail", 0, kLogLinesMax, 0));
  }
  if (request.HasQuery("since")) {
    A4C_TRY(cut.since_ms, SinceOf(request.Query("since"), now_ms));
  }
  if (!cut.empty() && !request.Query("from").empty()) {
    return Error(Code::kInvalid, "from is where a log goes on, tail and since are where it begins",
                 "give tail and since with the first request, from with those after it");
  }
  return cut;
}

Result<LogCut> ReadLineCut(const Request& request) {
  if (request.HasQuery("since")) {
    return Error(Code::kUnsupported, "the lines of a workspace's log have no times here",
                 "ask for the last ones: tail=100 (a4c workspace logs --tail 100)");
  }
  return ReadLogCut(request, 0);
}

}  // namespace a4cd
