#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "a4c/json.h"
#include "apps/a4cd/telemetry/json_log.h"
#include "apps/a4cd/telemetry/metrics.h"

namespace a4cd {
namespace {

TEST(JsonLog, WritesOneValidObjectPerEventWhateverTheText) {
  const std::string path = testing::TempDir() + "a4c_json_log_test";
  std::filesystem::remove(path);
  {
    const auto log = NewJsonLog("info", path);
    ASSERT_TRUE(log);
    (*log)->Write(a4c::LogLevel::kInfo, "api", "a \"quoted\"\nline {} %v",
                  {{"error", "tab\tand \x01 and \xff"}});
    (*log)->Write(a4c::LogLevel::kDebug, "api", "not written", {});
  }
  std::ifstream file(path);
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  const auto event = a4c::ParseJson(line);
  ASSERT_TRUE(event) << line << event.error().ToString();
  EXPECT_EQ((*event)["event"].Text(), "a \"quoted\"\nline {} %v");
  EXPECT_EQ((*event)["level"].Text(), "info");
  EXPECT_EQ((*event)["time"].Text().size(), 24u);
  EXPECT_FALSE(std::getline(file, line));
}

TEST(JsonLog, RefusesAnUnknownLevel) {
  EXPECT_FALSE(NewJsonLog("loud", "-"));
}

TEST(Metrics, ShowCountersGaugesAndHistograms) {
  const auto metrics = NewMetrics();
  metrics->a4c::MetricSink::Count("a_total", {{"kind", "x"}}, 2);
  metrics->a4c::MetricSink::Count("a_total", {{"kind", "x"}}, 3);
  metrics->a4c::MetricSink::Gauge("b", {}, 7);
  metrics->a4c::MetricSink::Observe("c_seconds", {}, 0.002);
  const std::string text = metrics->Text();
  EXPECT_NE(text.find("a_total{kind=\"x\"} 5"), std::string::npos) << text;
  EXPECT_NE(text.find("b 7"), std::string::npos);
  EXPECT_NE(text.find("c_seconds_bucket{le=\"0.0025\"} 1"), std::string::npos) << text;
}

TEST(Metrics, PastTheirBoundAreDroppedAndCounted) {
  const auto metrics = NewMetrics(1);
  metrics->a4c::MetricSink::Count("a_total", {{"kind", "x"}});
  metrics->a4c::MetricSink::Count("a_total", {{"kind", "y"}});
  EXPECT_EQ(metrics->Text().find("\"y\""), std::string::npos);
  EXPECT_NE(metrics->Text().find("a4c_metric_series_dropped_total 1"), std::string::npos);
}

}  // namespace
}  // namespace a4cd
