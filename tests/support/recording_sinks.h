// Sinks that keep what they are given, so that a test can ask for it. [any thread]
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/sinks.h"

namespace a4c::testing {

struct LogEntry {
  LogLevel level = LogLevel::kDebug;
  std::string component;
  std::string event;
  std::map<std::string, std::string> fields;
};

class RecordingLog final : public LogSink {
 public:
  using LogSink::Write;
  void Write(LogLevel level, std::string_view component, std::string_view event,
             std::span<const LogField> fields) override;
  std::vector<LogEntry> Entries() const;
  // How many entries of at least this level have `part` in their event.
  int CountOf(std::string_view part, LogLevel at_least = LogLevel::kDebug) const;

 private:
  mutable std::mutex mutex_;
  std::vector<LogEntry> entries_;
};

// Series are named as Prometheus writes them: name, or name{label="value",...} with the labels in
// the order in which the code gave them.
class RecordingMetrics final : public MetricSink {
 public:
  using MetricSink::Count;
  using MetricSink::Gauge;
  using MetricSink::Observe;
  void Count(std::string_view name, std::span<const MetricLabel> labels, double delta) override;
  void Gauge(std::string_view name, std::span<const MetricLabel> labels, double value) override;
  void Observe(std::string_view name, std::span<const MetricLabel> labels, double value) override;

  // The sum of a counter: of one series, or, given the bare name, of all its series. 0 if none.
  double CountOf(std::string_view series) const;
  // Whether there is this series of a counter, be it 0.
  bool HasCount(std::string_view series) const;
  // What a gauge was set to last; 0 if never.
  double GaugeOf(std::string_view series) const;
  std::vector<double> ObservationsOf(std::string_view series) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, double, std::less<>> counts_;
  std::map<std::string, double, std::less<>> gauges_;
  std::map<std::string, std::vector<double>, std::less<>> observations_;
};

}  // namespace a4c::testing
