// DateMath: times relative to now or to a date: now-1h, now/d, now-7d/d, 2026-11-01||+1M.
#pragma once

#include <cstdint>
#include <string_view>

#include "a4c/result.h"
#include "a4c/time_period.h"

namespace a4c {

// True if the text begins as date math does: what is wrong with it then is an error of its own.
bool IsDateMath(std::string_view text);

// From left to right: +N or -N of y M w d h m s (H is h) moves, /unit goes to the start of the
// unit (weeks begin on Monday), UTC. The period is what was rounded to last, else a millisecond of
// `now` or the date's own. The day of a month that is too short is its last. kInvalid: the message
// goes on after "...is".
Result<TimePeriod> ParseDateMath(std::string_view text, int64_t now_ms);

}  // namespace a4c
