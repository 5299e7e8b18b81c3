// A metric sink that does what a real one does: finds the series by its labels, and counts into one
// of twelve buckets.
#pragma once

#include "a4c/sinks.h"

namespace a4c::bench {

// Lives until exit.
MetricSink& HistogramSink();

}  // namespace a4c::bench
