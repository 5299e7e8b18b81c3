// Faults that a real broker does not make on demand, on librdkafka's in-process mock cluster.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <functional>
#include <map>

#include "kafka_bus.h"
#include "kafka_handles.h"
#include "kafka_settings.h"
#include "tests/support/recording_sinks.h"

namespace a4c::kafka {
namespace {

constexpr int16_t kProduceRequest = 0;
constexpr int16_t kOffsetCommitRequest = 8;
constexpr int16_t kInitProducerIdRequest = 22;

class KafkaMock : public ::testing::Test {
 protected:
  void SetUp() override {
    host_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0));
    cluster_.reset(rd_kafka_mock_cluster_new(host_.get(), 1));
    ASSERT_NE(cluster_, nullptr);
  }

  std::unique_ptr<Bus> Open(std::map<std::string, ConfigValue, std::less<>> members = {}) {
    members.emplace("brokers",
                    ConfigValue::Scalar(rd_kafka_mock_cluster_bootstraps(cluster_.get())));
    members.emplace("create_topics", ConfigValue::Scalar("false"));  // the mock cannot
    members.emplace("rebuild_wait", ConfigValue::Scalar("100ms"));
    auto config = CheckConfig(ConfigValue::Map(std::move(members)), kKeys);
    auto settings = ReadSettings(*config);
    EXPECT_TRUE(settings) << settings.error().ToString();
    return *NewKafkaBus(*std::move(settings), runtime_);
  }

  Call Within(int64_t timeout_ms = 60'000) { return Call::Within(runtime_.clock, timeout_ms); }

  static std::vector<Message> Messages(const std::string& topic, int n) {
    std::vector<Message> messages;
    for (int i = 0; i < n; ++i) messages.push_back({topic, "k", std::to_string(i)});
    return messages;
  }

  int64_t Accepted(Bus& bus, const std::string& topic, int n) {
    const auto outcomes = bus.Publish(Within(), Messages(topic, n));
    return std::ranges::count(*outcomes, PublishOutcome::kAccepted);
  }

  // Looks again every few milliseconds, for a minute at most.
  bool Becomes(const std::function<bool()>& condition) {
    const auto waiter = runtime_.threads.NewWaiter();
    const Call patience = Within();
    while (!condition()) {
      if (patience.Expired()) return false;
      Waiter::Lock lock(*waiter);
      waiter->Wait(runtime_.clock.MonotonicMs() + 10);
    }
    return true;
  }

  struct DestroyCluster {
    void operator()(rd_kafka_mock_cluster_t* cluster) const {
      rd_kafka_mock_cluster_destroy(cluster);
    }
  };
  ProducerHandle host_;
  std::unique_ptr<rd_kafka_mock_cluster_t, DestroyCluster> cluster_;
  testing::RecordingLog log_;
  testing::RecordingMetrics metrics_;
  Runtime runtime_ = SystemRuntime(log_, metrics_);
};

TEST_F(KafkaMock, CountsEveryDelivery) {
  const auto bus = Open();
  EXPECT_EQ(Accepted(*bus, "t", 100), 100);
  EXPECT_EQ(*bus->Flush(Within()), 0);
  EXPECT_TRUE(Becomes([&] { return metrics_.CountOf("a4c_bus_kafka_delivered_total") == 100; }));
  EXPECT_EQ(metrics_.CountOf("a4c_bus_kafka_dropped_total"), 0);
}

TEST_F(KafkaMock, WithoutABrokerTheQueueFillsAndPublishNeverWaits) {
  rd_kafka_mock_broker_set_down(cluster_.get(), 1);
  const auto bus = Open({{"queue_messages_max", ConfigValue::Scalar("50")}});
  const Call generous = Within(20'000);
  EXPECT_EQ(Accepted(*bus, "t", 80), 50);
  EXPECT_EQ(Accepted(*bus, "t", 10), 0);
  EXPECT_FALSE(generous.Expired());
  EXPECT_EQ(metrics_.CountOf("a4c_bus_kafka_refused_total{reason=\"exhausted\"}"), 40);

  const Call brief = Within(200);
  EXPECT_EQ(*bus->Flush(brief), 50) << "flush says how many are left";

  rd_kafka_mock_broker_set_up(cluster_.get(), 1);
  EXPECT_EQ(*bus->Flush(Within()), 0) << "what was accepted is delivered once a broker is there";
  EXPECT_TRUE(Becomes([&] { return metrics_.CountOf("a4c_bus_kafka_delivered_total") == 50; }));
}

TEST_F(KafkaMock, AMessageThatTimesOutIsCountedAsUnknownAndMakesRoom) {
  rd_kafka_mock_broker_set_down(cluster_.get(), 1);
  const auto bus = Open({{"queue_messages_max", ConfigValue::Scalar("5")},
                         {"message_timeout", ConfigValue::Scalar("200ms")}});
  EXPECT_EQ(Accepted(*bus, "t", 5), 5);
  EXPECT_TRUE(Becomes([&] {
    return metrics_.CountOf("a4c_bus_kafka_dropped_total{reason=\"unknown_outcome\"}") == 5;
  }));
  EXPECT_EQ(Accepted(*bus, "t", 5), 5);
}

TEST_F(KafkaMock, AProducerThatFailedForGoodIsReplaced) {
  rd_kafka_mock_push_request_errors(cluster_.get(), kInitProducerIdRequest, 1,
                                    RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
  const auto bus = Open();
  const int64_t accepted = Accepted(*bus, "t", 10);
  ASSERT_TRUE(
      Becomes([&] { return metrics_.CountOf("a4c_bus_kafka_producer_rebuilds_total") >= 1; }));
  EXPECT_TRUE(Becomes([&] { return metrics_.CountOf("a4c_bus_kafka_dropped_total") == accepted; }))
      << "what the first one held is counted as dropped";

  EXPECT_EQ(Accepted(*bus, "t", 10), 10);
  EXPECT_EQ(*bus->Flush(Within()), 0);
  EXPECT_TRUE(Becomes([&] { return metrics_.CountOf("a4c_bus_kafka_delivered_total") == 10; }));
  EXPECT_EQ(log_.CountOf("failed for good", LogLevel::kWarning), 1);
}

TEST_F(KafkaMock, ProducersThatKeepFailingAreReplacedNoFasterThanConfigured) {
  for (int i = 0; i < 3; ++i) {
    rd_kafka_mock_push_request_errors(cluster_.get(), kInitProducerIdRequest, 1,
                                      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
  }
  const int64_t start_ms = runtime_.clock.MonotonicMs();
  const auto bus = Open({{"rebuild_wait", ConfigValue::Scalar("400ms")}});
  ASSERT_TRUE(
      Becomes([&] { return metrics_.CountOf("a4c_bus_kafka_producer_rebuilds_total") == 3; }));
  EXPECT_GE(runtime_.clock.MonotonicMs() - start_ms, 800) << "three rebuilds, two waits between";
  ASSERT_TRUE(Becomes([&] { return Accepted(*bus, "t", 1) == 1; }));
  EXPECT_EQ(*bus->Flush(Within()), 0);
}

TEST_F(KafkaMock, TroubleThatPassesLosesNothing) {
  rd_kafka_mock_push_request_errors(
      cluster_.get(), kProduceRequest, 3, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
  const auto bus = Open();
  EXPECT_EQ(Accepted(*bus, "t", 20), 20);
  EXPECT_EQ(*bus->Flush(Within()), 0);
  EXPECT_TRUE(Becomes([&] { return metrics_.CountOf("a4c_bus_kafka_delivered_total") == 20; }));
}

TEST_F(KafkaMock, Librdkafka4627_WhatIsPublishedToATopicThatWasDeletedIsRefused) {
  rd_kafka_mock_topic_create(cluster_.get(), "t", 1, 1);
  const ConfigValue often = ConfigValue::Scalar("50");
  const auto bus =
      Open({{"librdkafka", ConfigValue::Map({{"topic.metadata.refresh.interval.ms", often}})}});
  EXPECT_EQ(Accepted(*bus, "t", 1), 1);
  EXPECT_EQ(*bus->Flush(Within()), 0);
  rd_kafka_mock_topic_set_error(cluster_.get(), "t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  EXPECT_TRUE(Becomes([&] { return Accepted(*bus, "t", 1) == 0; }));
  EXPECT_GT(metrics_.CountOf("a4c_bus_kafka_refused_total{reason=\"not_found\"}"), 0);
  rd_kafka_mock_topic_set_error(cluster_.get(), "t", RD_KAFKA_RESP_ERR_NO_ERROR);
  EXPECT_TRUE(Becomes([&] { return Accepted(*bus, "t", 1) == 1; }));
}

TEST_F(KafkaMock, ASubscriptionWithoutABrokerIsUnavailable) {
  rd_kafka_mock_broker_set_down(cluster_.get(), 1);
  const auto bus = Open();
  const auto subscription = bus->Subscribe(Within(500), "t", "g", StartAt::kEarliest);
  ASSERT_FALSE(subscription);
  EXPECT_TRUE(subscription.error().retryable()) << subscription.error().ToString();
}

TEST_F(KafkaMock, PollSaysThatTheBrokersAreGone) {
  rd_kafka_mock_topic_create(cluster_.get(), "t", 1, 1);
  const auto bus = Open();
  const auto subscription = bus->Subscribe(Within(), "t", "g", StartAt::kEarliest);
  ASSERT_TRUE(subscription) << subscription.error().ToString();
  Accepted(*bus, "t", 1);
  ASSERT_TRUE(Becomes([&] { return (*subscription)->Poll(Within(100), 1)->size() == 1; }));
  rd_kafka_mock_broker_set_down(cluster_.get(), 1);
  EXPECT_TRUE(Becomes([&] {
    const auto got = (*subscription)->Poll(Within(100), 1);
    return !got && got.error().code() == Code::kUnavailable;
  }));
}

TEST_F(KafkaMock, ACommitThatFailsIsCountedAndTheNextOneCoversIt) {
  rd_kafka_mock_topic_create(cluster_.get(), "t", 1, 1);
  const auto bus = Open();
  auto subscription = *bus->Subscribe(Within(), "t", "g", StartAt::kEarliest);
  Accepted(*bus, "t", 2);
  std::vector<Delivery> got;
  ASSERT_TRUE(Becomes([&] {
    const auto more = subscription->Poll(Within(100), 10);
    got.insert(got.end(), more->begin(), more->end());
    return got.size() == 2;
  }));
  rd_kafka_mock_push_request_errors(cluster_.get(), kOffsetCommitRequest, 1,
                                    RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE);
  ASSERT_TRUE(subscription->Ack(Within(), got));
  EXPECT_TRUE(Becomes([&] {
    static_cast<void>(subscription->Poll(Within(10), 10));
    return metrics_.CountOf("a4c_bus_kafka_commit_failures_total") == 1;
  }));
  subscription.reset();  // commits what was acknowledged
  subscription = *bus->Subscribe(Within(), "t", "g", StartAt::kEarliest);
  Accepted(*bus, "t", 1);
  std::vector<Delivery> next;
  ASSERT_TRUE(Becomes([&] {
    next = *subscription->Poll(Within(100), 10);
    return !next.empty();
  }));
  EXPECT_EQ(next.size(), 1U) << "the two that were acknowledged do not come again";
}

TEST_F(KafkaMock, ASubscriptionAcknowledgesNothingOfTheOneBeforeIt) {
  rd_kafka_mock_topic_create(cluster_.get(), "t", 1, 1);
  const auto bus = Open();
  Accepted(*bus, "t", 2);
  std::vector<Delivery> first;
  for (int turn = 0; turn < 3; ++turn) {
    const auto subscription = *bus->Subscribe(Within(), "t", "g", StartAt::kEarliest);
    std::vector<Delivery> got;
    ASSERT_TRUE(Becomes([&] {
      const auto more = subscription->Poll(Within(100), 10);
      if (more) got.insert(got.end(), more->begin(), more->end());
      return got.size() >= 2;
    })) << "turn "
        << turn << ": what was not acknowledged comes again";
    if (turn == 0) first = got;
    if (turn == 1) {
      ASSERT_TRUE(subscription->Ack(Within(), first));
    }
  }
}

}  // namespace
}  // namespace a4c::kafka
