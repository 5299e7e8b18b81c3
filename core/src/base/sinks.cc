#include "a4c/sinks.h"

namespace a4c {
namespace {

class NullLog final : public LogSink {
 public:
  void Write(LogLevel, std::string_view, std::string_view, std::span<const LogField>) override {}
};

class NullMetrics final : public MetricSink {
 public:
  void Count(std::string_view, std::span<const MetricLabel>, double) override {}
  void Gauge(std::string_view, std::span<const MetricLabel>, double) override {}
  void Observe(std::string_view, std::span<const MetricLabel>, double) override {}
};

}  // namespace

// Never destroyed: threads may still log while statics are being destroyed.
LogSink& NullLogSink() {
  static auto* sink = new NullLog;
  return *sink;
}

MetricSink& NullMetricSink() {
  static auto* sink = new NullMetrics;
  return *sink;
}

}  // namespace a4c
