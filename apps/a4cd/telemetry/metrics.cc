#include "apps/a4cd/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "apps/a4cd/telemetry/metric_help.h"

namespace a4cd {
namespace {

using a4c::MetricLabel;
using Labels = std::span<const MetricLabel>;

using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                          0.25,   0.5,   1,      2.5,   5,    10,    30,   60};
// Of jobs, which may build an image or copy a volume, and wait for one another before that.
const Buckets kLongSeconds = {0.05, 0.1, 0.25, 0.5, 1,   2.5,  5,    10,     30,
                              60,   120, 300,  600, 900, 1800, 3600, 14'400, 86'400};
const Buckets kCounts = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

// By the unit, which is the name's last word.
const Buckets& BucketsOf(std::string_view name) {
  if (name == "a4c_job_seconds") return kLongSeconds;
  return name.ends_with("_seconds") ? kSeconds : kCounts;
}

std::string SeriesName(std::string_view name, Labels labels) {
  std::string key(name);
  for (const MetricLabel& label : labels) {
    key += '\x1f';
    key += label.name;
    key += '\x1f';
    key += label.value;
  }
  return key;
}

std::map<std::string, std::string> LabelMap(Labels labels) {
  std::map<std::string, std::string> map;
  for (const MetricLabel& label : labels) map.emplace(label.name, label.value);
  return map;
}

template <typename Builder>
Builder Described(Builder builder, std::string_view name) {
  builder.Name(std::string(name)).Help(std::string(HelpOf(name)));
  return builder;
}

// Series of one type by name and labels: the registry's own look-up builds maps, which is too slow
// for every call of a plugin.
template <typename Series>
class Table {
 public:
  template <typename Make>
  Series* Find(std::string_view name, Labels labels, const Make& make) {
    const std::string key = SeriesName(name, labels);
    {
      std::shared_lock lock(mutex_);
      const auto found = series_.find(key);
      if (found != series_.end()) return found->second;
    }
    std::unique_lock lock(mutex_);
    const auto found = series_.find(key);
    if (found != series_.end()) return found->second;
    Series* const series = make();
    if (series != nullptr) series_.emplace(key, series);
    return series;
  }

 private:
  std::shared_mutex mutex_;
  std::unordered_map<std::string, Series*> series_;
};

// Null: past the bound, its values are dropped.
class OneHistogram final : public a4c::Histogram {
 public:
  explicit OneHistogram(prometheus::Histogram* histogram) : histogram_(histogram) {}
  void Observe(double value) override {
    if (histogram_ != nullptr) histogram_->Observe(value);
  }

 private:
  prometheus::Histogram* const histogram_;
};

class PrometheusMetrics final : public Metrics {
 public:
  explicit PrometheusMetrics(size_t series_max)
      : dropped_(prometheus::BuildCounter()
                     .Name("a4c_metric_series_dropped_total")
                     .Help(std::string(HelpOf("a4c_metric_series_dropped_total")))
                     .Register(registry_)
                     .Add({})),
        series_left_(series_max) {}

  void Count(std::string_view name, Labels labels, double delta) override {
    auto* counter = counters_.Find(
        name, labels, [&] { return Add(Described(prometheus::BuildCounter(), name), labels); });
    if (counter != nullptr) counter->Increment(delta);
  }

  void Gauge(std::string_view name, Labels labels, double value) override {
    auto* gauge = gauges_.Find(
        name, labels, [&] { return Add(Described(prometheus::BuildGauge(), name), labels); });
    if (gauge != nullptr) gauge->Set(value);
  }

  void Observe(std::string_view name, Labels labels, double value) override {
    OneHistogram(FindHistogram(name, labels)).Observe(value);
  }

  std::unique_ptr<a4c::Histogram> NewHistogram(std::string_view name, Labels labels) override {
    return std::make_unique<OneHistogram>(FindHistogram(name, labels));
  }

  std::string Text() const override {
    return prometheus::TextSerializer().Serialize(registry_.Collect());
  }

 private:
  prometheus::Histogram* FindHistogram(std::string_view name, Labels labels) {
    return histograms_.Find(name, labels, [&] {
      return Add(Described(prometheus::BuildHistogram(), name), labels, BucketsOf(name));
    });
  }

  // Null once the bound is reached, or if the name already belongs to another type.
  template <typename Builder, typename... Args>
  auto Add(Builder builder, Labels labels, const Args&... args)
      -> decltype(&builder.Register(std::declval<prometheus::Registry&>()).Add({}, args...)) {
    std::lock_guard lock(add_mutex_);
    if (series_left_ == 0) {
      dropped_.Increment();
      return nullptr;
    }
    try {
      auto* series = &builder.Register(registry_).Add(LabelMap(labels), args...);
      --series_left_;
      return series;
    } catch (const std::exception&) {
      dropped_.Increment();
      return nullptr;
    }
  }

  // Merge: one name is registered again with each new label set.
  prometheus::Registry registry_{prometheus::Registry::InsertBehavior::Merge};
  prometheus::Counter& dropped_;
  std::mutex add_mutex_;
  size_t series_left_;
  Table<prometheus::Counter> counters_;
  Table<prometheus::Gauge> gauges_;
  Table<prometheus::Histogram> histograms_;
};

}  // namespace

std::unique_ptr<Metrics> NewMetrics(size_t series_max) {
  return std::make_unique<PrometheusMetrics>(series_max);
}

}  // namespace a4cd
