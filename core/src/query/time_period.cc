#include "a4c/time_period.h"

#include <charconv>
#include <chrono>

namespace a4c {
namespace {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kMinuteMs = 60 * kSecondMs;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 24 * kHourMs;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Reads a text from left to right; what was not as expected makes it fail for good.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  bool AtEnd() const { return rest_.empty(); }
  bool Failed() const { return failed_; }

  bool Skip(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_[0]) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  int Number(size_t digits, int max) {
    int value = 0;
    if (rest_.size() < digits) return Fail();
    for (size_t i = 0; i < digits; ++i) {
      if (!IsDigit(rest_[i])) return Fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value > max ? Fail() : value;
  }

  // One to nine digits after the point, as milliseconds; finer ones are cut off.
  int64_t Fraction() {
    int64_t ms = 0;
    size_t digits = 0;
    for (; digits < rest_.size() && IsDigit(rest_[digits]); ++digits) {
      if (digits < 3) ms = ms * 10 + (rest_[digits] - '0');
    }
    if (digits == 0 || digits > 9) return Fail();
    for (size_t i = digits; i < 3; ++i) ms *= 10;
    rest_.remove_prefix(digits);
    return ms;
  }

  int Fail() {
    failed_ = true;
    rest_ = {};
    return 0;
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

std::optional<int64_t> DayMs(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * kDayMs;
}

// "T10:00", "T10:00:30.250+02:00" behind the day; answers the shift and the length of the period.
TimePeriod ReadTime(Reader& reader) {
  int64_t at = reader.Number(2, 23) * kHourMs;
  if (!reader.Skip(":")) reader.Fail();
  at += reader.Number(2, 59) * kMinuteMs;
  int64_t length = kMinuteMs;
  if (reader.Skip(":")) {
    at += reader.Number(2, 59) * kSecondMs;
    length = kSecondMs;
    if (reader.Skip(".")) {
      at += reader.Fraction();
      length = 1;
    }
  }
  if (!reader.Skip("Zz") && !reader.AtEnd()) {
    const bool east = reader.Skip("+");
    if (!east && !reader.Skip("-")) reader.Fail();
    int64_t offset = reader.Number(2, 23) * kHourMs;
    if (!reader.Skip(":")) reader.Fail();
    offset += reader.Number(2, 59) * kMinuteMs;
    at += east ? -offset : offset;
  }
  return {at, at + length};
}

}  // namespace

std::optional<TimePeriod> ParseTimePeriod(std::string_view text) {
  Reader reader(text);
  const int year = reader.Number(4, 9999);
  const bool has_month = reader.Skip("-");
  const int month = has_month ? reader.Number(2, 12) : 1;
  const bool has_day = has_month && reader.Skip("-");
  const int day = has_day ? reader.Number(2, 31) : 1;
  TimePeriod time{0, kDayMs};
  const bool has_time = has_day && reader.Skip("Tt ");
  if (has_time) time = ReadTime(reader);
  if (reader.Failed() || !reader.AtEnd()) return std::nullopt;
  const auto start = DayMs(year, month, day);
  if (!start) return std::nullopt;
  if (has_day) return TimePeriod{*start + time.start_ms, *start + time.end_ms};
  const bool next_year = !has_month || month == 12;
  const auto end = DayMs(year + (next_year ? 1 : 0), next_year ? 1 : month + 1, 1);
  return TimePeriod{*start, end.value_or(*start)};
}

bool StartsLikeTime(std::string_view text) {
  static constexpr std::string_view kShape = "dddd-dd-ddTdd:";
  if (text.size() < kShape.size()) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool fits = kShape[i] == 'd'   ? IsDigit(text[i])
                      : kShape[i] == 'T' ? text[i] == 'T' || text[i] == 't'
                                         : text[i] == kShape[i];
    if (!fits) return false;
  }
  return true;
}

}  // namespace a4c
