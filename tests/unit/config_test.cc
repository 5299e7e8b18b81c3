#include "a4c/config.h"

#include <gtest/gtest.h>

namespace a4c {
namespace {

constexpr ConfigKey kKeys[] = {
    {"path", ConfigType::kString, nullptr, "the database file"},
    {"timeout", ConfigType::kDurationMs, "10s", "how long", false, 1, 60'000},
    {"cache", ConfigType::kBytes, "16MiB", "how much"},
    {"password", ConfigType::kLong, "1", "a secret", true},
    {"hosts", ConfigType::kStringList, "", "where"},
    {"sync", ConfigType::kBool, "true", "whether"},
    {"ratio", ConfigType::kDouble, "0.5", "share"},
};

ConfigValue At(std::string text, std::string path, int line) {
  ConfigValue value = ConfigValue::Scalar(std::move(text));
  value.file = "a4cd.yaml";
  value.line = line;
  value.path = std::move(path);
  return value;
}

TEST(Config, DefaultsAndUnits) {
  const auto config = CheckConfig(ConfigValue::Map({{"path", ConfigValue::Scalar("x")},
                                                    {"timeout", ConfigValue::Scalar("5s")}}),
                                  kKeys);
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->String("path"), "x");
  EXPECT_EQ(config->Long("timeout"), 5000);
  EXPECT_EQ(config->Long("cache"), 16 << 20);
  EXPECT_TRUE(config->Bool("sync"));
  EXPECT_EQ(config->Double("ratio"), 0.5);
  EXPECT_TRUE(config->StringList("hosts").empty());
}

TEST(Config, EveryFaultIsNamedWithPlacePathAndNearestKey) {
  const auto config = CheckConfig(ConfigValue::Map({{"timeot", At("5s", "store.timeot", 7)},
                                                    {"timeout", At("2h", "store.timeout", 8)},
                                                    {"sync", At("yes", "store.sync", 9)}}),
                                  kKeys);
  ASSERT_FALSE(config);
  const std::string& message = config.error().message();
  EXPECT_NE(message.find("a4cd.yaml:7: store.timeot: unknown key; did you mean \"timeout\"?"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("a4cd.yaml:8: store.timeout: 2h is outside"), std::string::npos)
      << message;
  EXPECT_NE(message.find("a4cd.yaml:9: store.sync: is true or false, not \"yes\""),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("\"path\" is required"), std::string::npos) << message;
}

TEST(Config, ASecretIsNeverShown) {
  const auto config = CheckConfig(
      ConfigValue::Map({{"path", ConfigValue::Scalar("x")}, {"password", At("hunter2", "p", 1)}}),
      kKeys);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message().find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace a4c
