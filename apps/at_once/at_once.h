// Several things at once, such as servers, so that one which takes its time holds up none of the
// others.
#pragma once

#include <cstddef>
#include <functional>

#include "a4c/clock.h"

namespace a4c_at_once {

// Calls act for 0 to count - 1, begun in this order, by so many threads: the caller's and helpers,
// which have ended when it returns. After an act that gives false no further one is begun by its
// thread.
void AtOnce(const a4c::Runtime& runtime, int threads, size_t count,
            const std::function<bool(size_t)>& act);

}  // namespace a4c_at_once
