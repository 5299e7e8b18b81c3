#include "query/date_math.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace a4c {
namespace {

using std::chrono::floor;
using Milliseconds = std::chrono::milliseconds;
using TimePoint = std::chrono::sys_time<Milliseconds>;

constexpr int64_t kSecondMs = 1'000;
constexpr int64_t kDayMs = 86'400 * kSecondMs;
constexpr int64_t kEarliestMs = -62'167'219'200'000;  // 0000-01-01
constexpr int64_t kLatestMs = 253'402'300'800'000;    // 10000-01-01
constexpr size_t kDigitsMax = 9;
constexpr int64_t kMonthsMax = 10'000 * 12;

Error NoMath() {
  return Error(Code::kInvalid, "no time",
               "after now, or a date and ||: +1h, -7d or /d, of y M w d h m s");
}

Error OutOfRange() {
  return Error(Code::kInvalid, "outside of the years 0 to 9999");
}

// Months and years are counted, everything else is a length.
struct Unit {
  int64_t months = 0;
  int64_t length_ms = 0;
};

std::optional<Unit> UnitOf(char name) {
  switch (name) {
    case 'y':
      return Unit{.months = 12};
    case 'M':
      return Unit{.months = 1};
    case 'w':
      return Unit{.length_ms = 7 * kDayMs};
    case 'd':
      return Unit{.length_ms = kDayMs};
    case 'h':
    case 'H':
      return Unit{.length_ms = 3'600 * kSecondMs};
    case 'm':
      return Unit{.length_ms = 60 * kSecondMs};
    case 's':
      return Unit{.length_ms = kSecondMs};
    default:
      return std::nullopt;
  }
}

Result<int64_t> InRange(int64_t ms) {
  if (ms < kEarliestMs || ms >= kLatestMs) return OutOfRange();
  return ms;
}

int64_t DayStartMs(int64_t months, unsigned day) {
  using namespace std::chrono;
  const year_month month{year(static_cast<int>(months / 12)),
                         std::chrono::month(static_cast<unsigned>(months % 12) + 1)};
  const year_month_day_last last = month / std::chrono::last;
  const auto date = month / std::min(std::chrono::day(day), last.day());
  return sys_days(date).time_since_epoch().count() * kDayMs;
}

// Months since the year 0 and the day of the month.
std::pair<int64_t, unsigned> MonthOf(int64_t ms) {
  const std::chrono::year_month_day date(floor<std::chrono::days>(TimePoint(Milliseconds(ms))));
  return {int64_t{static_cast<int>(date.year())} * 12 + static_cast<unsigned>(date.month()) - 1,
          static_cast<unsigned>(date.day())};
}

int64_t FloorTo(int64_t ms, int64_t length, int64_t origin) {
  const int64_t rest = (ms - origin) % length;
  return ms - rest - (rest < 0 ? length : 0);
}

Result<int64_t> Moved(int64_t ms, const Unit& unit, int64_t count) {
  if (unit.months == 0) return InRange(ms + count * unit.length_ms);
  const auto [month, day] = MonthOf(ms);
  const int64_t target = month + count * unit.months;
  if (target < 0 || target >= kMonthsMax) return OutOfRange();
  return InRange(DayStartMs(target, day) + (ms - FloorTo(ms, kDayMs, 0)));
}

int64_t Rounded(int64_t ms, const Unit& unit) {
  constexpr int64_t kMondayMs = 4 * kDayMs;  // 1970-01-05
  if (unit.months == 0) return FloorTo(ms, unit.length_ms, kMondayMs);
  const int64_t month = MonthOf(ms).first;
  return DayStartMs(month - month % unit.months, 1);
}

// What a written date covers, as a unit: whole months and years are never of one length.
Unit UnitOf(const TimePeriod& period) {
  const int64_t length_ms = period.end_ms - period.start_ms;
  if (length_ms <= kDayMs) return {.length_ms = length_ms};
  return {.months = length_ms > 31 * kDayMs ? 12 : 1};
}

// One step off the front of the text, "+1h" or "/d".
Result<void> TakeStep(std::string_view& text, int64_t& ms, Unit& covered) {
  const char sign = text[0];
  text.remove_prefix(1);
  int64_t count = 1;  // now-d is now-1d
  if (sign == '+' || sign == '-') {
    const auto end = std::min(text.find_first_not_of("0123456789"), kDigitsMax);
    std::from_chars(text.data(), text.data() + std::min(end, text.size()), count);
    text.remove_prefix(std::min(end, text.size()));
  } else if (sign != '/') {
    return NoMath();
  }
  const auto unit = text.empty() ? std::nullopt : UnitOf(text[0]);
  if (!unit) return NoMath();
  text.remove_prefix(1);
  if (sign == '/') {
    covered = *unit;
    ms = Rounded(ms, *unit);
  } else {
    A4C_TRY(ms, Moved(ms, *unit, sign == '+' ? count : -count));
  }
  return {};
}

}  // namespace

bool IsDateMath(std::string_view text) {
  if (text.find("||") != std::string_view::npos) return true;
  if (!text.starts_with("now")) return false;
  return text.size() == 3 || text[3] == '+' || text[3] == '-' || text[3] == '/';
}

Result<TimePeriod> ParseDateMath(std::string_view text, int64_t now_ms) {
  TimePeriod anchor{now_ms, now_ms + 1};
  const size_t bars = text.find("||");
  if (bars != std::string_view::npos) {
    const auto date = ParseTimePeriod(text.substr(0, bars));
    if (!date) return NoMath();
    anchor = *date;
  }
  text.remove_prefix(bars != std::string_view::npos ? bars + 2 : 3);
  A4C_TRY(int64_t ms, InRange(anchor.start_ms));
  Unit covered = UnitOf(anchor);
  while (!text.empty()) A4C_CHECK(TakeStep(text, ms, covered));
  const auto end_ms = Moved(ms, covered, 1);
  return TimePeriod{ms, end_ms ? *end_ms : kLatestMs};
}

}  // namespace a4c
