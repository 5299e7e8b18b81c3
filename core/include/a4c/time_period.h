// TimePeriod: the span that a written date or time names: a day, a minute, a millisecond.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "a4c/export.h"

namespace a4c {

struct TimePeriod {
  int64_t start_ms = 0;
  int64_t end_ms = 0;  // the first millisecond after it
};

// 2026, 2026-11, 2026-11-01, 2026-11-01T10:00, ...:30, ...:30.250, with Z, +02:00 or nothing (UTC);
// a space may stand for the T. Nothing if the text is no such date.
A4C_API std::optional<TimePeriod> ParseTimePeriod(std::string_view text);

// True if the text begins as a date with a time does: its colons belong to it.
bool StartsLikeTime(std::string_view text);

}  // namespace a4c
