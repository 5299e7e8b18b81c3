#include "bench/boundary/histogram_sink.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

namespace a4c::bench {
namespace {

constexpr std::array<double, 11> kBounds = {1e-6, 1e-5, 1e-4, 5e-4, 1e-3, 5e-3,
                                            1e-2, 5e-2, 0.1,  1,    10};

struct Series {
  std::array<std::atomic<int64_t>, kBounds.size() + 1> buckets{};
  std::atomic<double> sum{0};
};

void Add(Series& series, double value) {
  const auto bucket = std::ranges::lower_bound(kBounds, value) - kBounds.begin();
  series.buckets[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  series.sum.fetch_add(value, std::memory_order_relaxed);
}

class OneSeries final : public Histogram {
 public:
  explicit OneSeries(Series& series) : series_(series) {}
  void Observe(double value) override { Add(series_, value); }

 private:
  Series& series_;
};

class Sink final : public MetricSink {
 public:
  void Count(std::string_view, std::span<const MetricLabel>, double) override {}
  void Gauge(std::string_view, std::span<const MetricLabel>, double) override {}
  void Observe(std::string_view name, std::span<const MetricLabel> labels, double value) override {
    Add(Find(name, labels), value);
  }
  std::unique_ptr<Histogram> NewHistogram(std::string_view name,
                                          std::span<const MetricLabel> labels) override {
    return std::make_unique<OneSeries>(Find(name, labels));
  }

 private:
  Series& Find(std::string_view name, std::span<const MetricLabel> labels) {
    thread_local std::string key;
    key.assign(name);
    for (const MetricLabel& label : labels) key.append(1, '\0').append(label.value);
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = series_.find(key); found != series_.end()) return found->second;
    }
    const std::unique_lock lock(mutex_);
    return series_[key];
  }

  std::shared_mutex mutex_;
  std::unordered_map<std::string, Series> series_;
};

}  // namespace

MetricSink& HistogramSink() {
  static auto* sink = new Sink;
  return *sink;
}

}  // namespace a4c::bench
