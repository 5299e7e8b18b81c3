#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "a4c/json.h"
#include "apps/a4cd/telemetry/json_log.h"
#include "apps/a4cd/telemetry/metrics.h"

namespace a4cd {
namespace {

std::vector<std::string> EventsIn(const std::string& path) {
  std::vector<std::string> events;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto event = a4c::ParseJson(line);
    events.push_back(event ? (*event)["event"].Text() : line);
  }
  return events;
}

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

TEST(JsonLog, GoesOnInANewFileAfterTheOldOneWasMovedAway) {
  const std::string path = testing::TempDir() + "a4c_json_log_moved_test";
  std::filesystem::remove(path);
  const auto log = NewJsonLog("info", path);
  ASSERT_TRUE(log);
  (*log)->Write(a4c::LogLevel::kInfo, "api", "before", {});
  std::filesystem::rename(path, path + ".1");
  (*log)->Write(a4c::LogLevel::kInfo, "api", "between", {});
  (*log)->Reopen();
  (*log)->Write(a4c::LogLevel::kInfo, "api", "after", {});
  EXPECT_EQ(EventsIn(path + ".1"), (std::vector<std::string>{"before", "between"}));
  EXPECT_EQ(EventsIn(path), (std::vector<std::string>{"the log file was opened again", "after"}));
}

TEST(JsonLog, KeepsTheOldFileIfItCannotOpenANewOne) {
  const std::string folder = testing::TempDir() + "a4c_json_log_kept_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  const auto log = NewJsonLog("info", folder + "/log");
  ASSERT_TRUE(log);
  std::filesystem::rename(folder + "/log", folder + "/moved");
  std::filesystem::create_directory(folder + "/log");
  (*log)->Reopen();
  (*log)->Write(a4c::LogLevel::kInfo, "api", "after", {});
  EXPECT_EQ(EventsIn(folder + "/moved"),
            (std::vector<std::string>{"the log file could not be opened again: the old one is kept",
                                      "after"}));
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

// In the last bucket, which has no bound, nobody could tell one from another.
TEST(Metrics, HaveBucketsForWhatTheyMeasure) {
  const auto metrics = NewMetrics();
  metrics->a4c::MetricSink::Observe("a4c_store_postgres_group_batches", {}, 400);
  metrics->a4c::MetricSink::Observe("a4c_job_seconds", {}, 3'500);
  metrics->a4c::MetricSink::Observe("a4c_http_request_seconds", {}, 0.002);
  const std::string text = metrics->Text();
  for (const char* line :
       {"a4c_store_postgres_group_batches_bucket{le=\"256\"} 0\n",
        "a4c_store_postgres_group_batches_bucket{le=\"512\"} 1\n",
        "a4c_job_seconds_bucket{le=\"1800\"} 0\n", "a4c_job_seconds_bucket{le=\"3600\"} 1\n",
        "a4c_http_request_seconds_bucket{le=\"0.001\"} 0\n",
        "a4c_http_request_seconds_bucket{le=\"0.0025\"} 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(Metrics, SayWhatTheyAre) {
  const auto metrics = NewMetrics();
  metrics->a4c::MetricSink::Count("a4c_http_requests_total", {}, 1);
  metrics->a4c::MetricSink::Gauge("mine_open", {}, 1);
  const std::string text = metrics->Text();
  EXPECT_NE(text.find("# HELP a4c_http_requests_total answered requests\n"), std::string::npos);
  EXPECT_NE(text.find("mine_open 1\n"), std::string::npos) << text;
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
