#include "kafka_settings.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace a4c::kafka {
namespace {

using Members = std::map<std::string, ConfigValue, std::less<>>;

Result<Settings> Read(Members members) {
  members.emplace("brokers", ConfigValue::Scalar("127.0.0.1:1"));
  A4C_TRY(const Config config, CheckConfig(ConfigValue::Map(std::move(members)), kKeys));
  return ReadSettings(config);
}

Result<Settings> ReadTree(Members tree) {
  return Read({{"librdkafka", ConfigValue::Map(std::move(tree))}});
}

std::string ValueOf(const Properties& properties, std::string_view name) {
  std::string value = "(none)";
  for (const auto& property : properties) {
    if (property.first == name) value = property.second;
  }
  return value;
}

TEST(KafkaSettings, KeepThePromisesByDefault) {
  const auto settings = Read({});
  ASSERT_TRUE(settings) << settings.error().ToString();
  EXPECT_EQ(ValueOf(settings->producer, "enable.idempotence"), "true");
  EXPECT_EQ(ValueOf(settings->producer, "acks"), "all");
  EXPECT_EQ(ValueOf(settings->producer, "message.timeout.ms"), "0");
  EXPECT_EQ(ValueOf(settings->producer, "queue.buffering.max.messages"), "100000");
  EXPECT_EQ(ValueOf(settings->producer, "queue.buffering.max.kbytes"), "65536");
  EXPECT_EQ(ValueOf(settings->consumer, "enable.auto.commit"), "false");
  EXPECT_EQ(ValueOf(settings->consumer, "enable.auto.offset.store"), "false");
  EXPECT_EQ(ValueOf(settings->consumer, "partition.assignment.strategy"), "range");
}

class KafkaSettingsRefused : public ::testing::TestWithParam<const char*> {};

TEST_P(KafkaSettingsRefused, NameTheSettingAndTheReason) {
  ConfigValue value = ConfigValue::Scalar("1");
  value.file = "a4cd.yaml";
  value.line = 12;
  const auto settings = ReadTree({{GetParam(), value}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code(), Code::kInvalid);
  const std::string& message = settings.error().message();
  EXPECT_NE(message.find("a4cd.yaml:12"), std::string::npos) << message;
  EXPECT_NE(message.find(std::string(GetParam()) + " is not passed on: "), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(WhatBreaksAPromise, KafkaSettingsRefused,
                         ::testing::Values("enable.auto.commit", "enable.auto.offset.store",
                                           "enable.idempotence", "acks", "partitioner",
                                           "partition.assignment.strategy", "sasl.password",
                                           "enable.ssl.certificate.verification",
                                           "plugin.library.paths", "no.such.setting"));

TEST(KafkaSettings, RefuseAllAtOnce) {
  const auto settings = ReadTree({{"acks", ConfigValue::Scalar("0")},
                                  {"group.id", ConfigValue::Scalar("g")},
                                  {"socket.timeout.ms", ConfigValue::Scalar("1000")}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(std::ranges::count(settings.error().message(), '\n'), 1) << settings.error().message();
}

TEST(KafkaSettings, PassOnWhatMayBeTunedToTheSideThatKnowsIt) {
  const auto settings = ReadTree({{"socket.timeout.ms", ConfigValue::Scalar("1000")},
                                  {"compression.type", ConfigValue::Scalar("lz4")},
                                  {"fetch.min.bytes", ConfigValue::Scalar("2")}});
  ASSERT_TRUE(settings) << settings.error().ToString();
  EXPECT_EQ(ValueOf(settings->producer, "socket.timeout.ms"), "1000");
  EXPECT_EQ(ValueOf(settings->consumer, "socket.timeout.ms"), "1000");
  EXPECT_EQ(ValueOf(settings->producer, "compression.type"), "lz4");
  EXPECT_EQ(ValueOf(settings->consumer, "compression.type"), "(none)");
  EXPECT_EQ(ValueOf(settings->consumer, "fetch.min.bytes"), "2");
}

TEST(KafkaSettings, RefuseAValueThatLibrdkafkaDoesNotTake) {
  const auto settings = ReadTree({{"socket.timeout.ms", ConfigValue::Scalar("soon")}});
  ASSERT_FALSE(settings);
  EXPECT_NE(settings.error().message().find("socket.timeout.ms"), std::string::npos);
}

TEST(KafkaSettings, NeverShowASecret) {
  const auto settings = Read({{"sasl_username", ConfigValue::Scalar("me")},
                              {"sasl_password", ConfigValue::Scalar("hunter2")},
                              {"security_protocol", ConfigValue::Scalar("telepathy")}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().ToString().find("hunter2"), std::string::npos);
}

TEST(KafkaSettings, CarryCredentials) {
  const auto settings = Read({{"security_protocol", ConfigValue::Scalar("sasl_ssl")},
                              {"sasl_mechanism", ConfigValue::Scalar("SCRAM-SHA-512")},
                              {"sasl_username", ConfigValue::Scalar("me")},
                              {"sasl_password", ConfigValue::Scalar("hunter2")}});
  ASSERT_TRUE(settings) << settings.error().ToString();
  for (const Properties& side : {settings->producer, settings->consumer}) {
    EXPECT_EQ(ValueOf(side, "security.protocol"), "sasl_ssl");
    EXPECT_EQ(ValueOf(side, "sasl.mechanism"), "SCRAM-SHA-512");
    EXPECT_EQ(ValueOf(side, "sasl.username"), "me");
    EXPECT_EQ(ValueOf(side, "sasl.password"), "hunter2");
  }
}

}  // namespace
}  // namespace a4c::kafka
