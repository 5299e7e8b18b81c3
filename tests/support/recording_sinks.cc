#include "tests/support/recording_sinks.h"

namespace a4c::testing {
namespace {

std::string Series(std::string_view name, std::span<const MetricLabel> labels) {
  std::string series(name);
  char before = '{';
  for (const MetricLabel& label : labels) {
    series += before;
    series += label.name;
    series += "=\"";
    series += label.value;
    series += '"';
    before = ',';
  }
  if (before == ',') series += '}';
  return series;
}

}  // namespace

void RecordingLog::Write(LogLevel level, std::string_view component, std::string_view event,
                         std::span<const LogField> fields) {
  LogEntry entry{level, std::string(component), std::string(event), {}};
  for (const LogField& field : fields) entry.fields[std::string(field.name)] = field.value;
  std::scoped_lock lock(mutex_);
  entries_.push_back(std::move(entry));
}

std::vector<LogEntry> RecordingLog::Entries() const {
  std::scoped_lock lock(mutex_);
  return entries_;
}

int RecordingLog::CountOf(std::string_view part, LogLevel at_least) const {
  std::scoped_lock lock(mutex_);
  int count = 0;
  for (const LogEntry& entry : entries_) {
    if (entry.level >= at_least && entry.event.find(part) != std::string::npos) ++count;
  }
  return count;
}

void RecordingMetrics::Count(std::string_view name, std::span<const MetricLabel> labels,
                             double delta) {
  std::scoped_lock lock(mutex_);
  counts_[Series(name, labels)] += delta;
}

void RecordingMetrics::Gauge(std::string_view name, std::span<const MetricLabel> labels,
                             double value) {
  std::scoped_lock lock(mutex_);
  gauges_[Series(name, labels)] = value;
}

void RecordingMetrics::Observe(std::string_view name, std::span<const MetricLabel> labels,
                               double value) {
  std::scoped_lock lock(mutex_);
  observations_[Series(name, labels)].push_back(value);
}

double RecordingMetrics::CountOf(std::string_view series) const {
  std::scoped_lock lock(mutex_);
  double sum = 0;
  for (const auto& [name, count] : counts_) {
    if (name == series || name.substr(0, name.find('{')) == series) sum += count;
  }
  return sum;
}

bool RecordingMetrics::HasCount(std::string_view series) const {
  std::scoped_lock lock(mutex_);
  return counts_.contains(series);
}

double RecordingMetrics::GaugeOf(std::string_view series) const {
  std::scoped_lock lock(mutex_);
  const auto found = gauges_.find(series);
  return found == gauges_.end() ? 0 : found->second;
}

std::vector<double> RecordingMetrics::ObservationsOf(std::string_view series) const {
  std::scoped_lock lock(mutex_);
  const auto found = observations_.find(series);
  return found == observations_.end() ? std::vector<double>{} : found->second;
}

}  // namespace a4c::testing
