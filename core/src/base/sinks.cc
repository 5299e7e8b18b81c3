#include "a4c/sinks.h"

#include <deque>
#include <vector>

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

// Keeps what Observe has to be told.
class LookedUp final : public Histogram {
 public:
  LookedUp(MetricSink& sink, std::string_view name, std::span<const MetricLabel> labels)
      : sink_(sink), name_(name) {
    for (const MetricLabel& label : labels) {
      const auto& [kept_name, kept_value] = texts_.emplace_back(label.name, label.value);
      labels_.push_back({kept_name, kept_value});
    }
  }
  void Observe(double value) override { sink_.Observe(name_, labels_, value); }

 private:
  MetricSink& sink_;
  const std::string name_;
  std::deque<std::pair<std::string, std::string>> texts_;  // labels_ point into it
  std::vector<MetricLabel> labels_;
};

}  // namespace

std::unique_ptr<Histogram> MetricSink::NewHistogram(std::string_view name,
                                                    std::span<const MetricLabel> labels) {
  return std::make_unique<LookedUp>(*this, name, labels);
}

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
