// The metrics of a4cd: a prometheus-cpp registry behind the sink, shown as text at /metrics.
#pragma once

#include <memory>
#include <string>

#include "a4c/sinks.h"

namespace a4cd {

class Metrics : public a4c::MetricSink {
 public:
  // All series in Prometheus text format 0.0.4.
  virtual std::string Text() const = 0;
};

// Past series_max series new label sets are dropped and counted in a4c_metric_series_dropped_total.
// [any thread]
std::unique_ptr<Metrics> NewMetrics(size_t series_max = 10'000);

}  // namespace a4cd
