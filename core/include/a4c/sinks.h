// Where logs and metrics leave the core and its plugins. The application decides what becomes of
// them (a4cd: one JSON line per event, Prometheus text); core links no logging or metrics library.
//
// Both sinks are called from any thread, must not block for long, and never see a secret: values
// that the config marks as secret stay inside the plugin that reads them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "a4c/export.h"

namespace a4c {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string_view name;  // snake_case, the same word as in config, metrics and the API
  std::string value;
};

class LogSink {
 public:
  virtual ~LogSink() = default;
  // component: "store-postgres", "sync", ...; event: a constant sentence, its details in fields.
  virtual void Write(LogLevel level, std::string_view component, std::string_view event,
                     std::span<const LogField> fields) = 0;
  void Write(LogLevel level, std::string_view component, std::string_view event,
             std::initializer_list<LogField> fields) {
    Write(level, component, event, std::span(fields.begin(), fields.size()));
  }
};

struct MetricLabel {
  std::string_view name;
  std::string_view value;  // from a small, bounded set: never an id
};

// One series of Observe, found once: for who observes it so often that the look-up would show.
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void Observe(double value) = 0;
};

class A4C_API MetricSink {
 public:
  virtual ~MetricSink() = default;
  // name: Prometheus style with its unit last, "a4c_plugin_call_seconds", "a4c_poll_found_total".
  virtual void Count(std::string_view name, std::span<const MetricLabel> labels, double delta) = 0;
  virtual void Gauge(std::string_view name, std::span<const MetricLabel> labels, double value) = 0;
  virtual void Observe(std::string_view name, std::span<const MetricLabel> labels,
                       double value) = 0;
  // The series that Observe would find; used no longer than the sink lives. By default a
  // look-up each time.
  virtual std::unique_ptr<Histogram> NewHistogram(std::string_view name,
                                                  std::span<const MetricLabel> labels);

  void Count(std::string_view name, std::initializer_list<MetricLabel> labels, double delta = 1) {
    Count(name, std::span(labels.begin(), labels.size()), delta);
  }
  void Gauge(std::string_view name, std::initializer_list<MetricLabel> labels, double value) {
    Gauge(name, std::span(labels.begin(), labels.size()), value);
  }
  void Observe(std::string_view name, std::initializer_list<MetricLabel> labels, double value) {
    Observe(name, std::span(labels.begin(), labels.size()), value);
  }
};

// Sinks that drop everything; they live until exit.
A4C_API LogSink& NullLogSink();
A4C_API MetricSink& NullMetricSink();

}  // namespace a4c
