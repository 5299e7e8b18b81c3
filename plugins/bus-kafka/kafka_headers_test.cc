#include "kafka_headers.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/seeded_random.h"

namespace a4c::kafka {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

class KafkaHeaders : public ::testing::Test {
 protected:
  Pairs Complete(const Message& message) {
    std::string id;
    std::vector<HeaderView> headers;
    cloud_events_.Complete(message, id, headers);
    Pairs pairs;
    for (const auto& [name, value] : headers) pairs.emplace_back(name, value);
    return pairs;
  }
  std::string ValueOf(const Pairs& pairs, const std::string& name) {
    std::string value = "(none)";
    int count = 0;
    for (const auto& pair : pairs) {
      if (pair.first == name) value = pair.second, ++count;
    }
    EXPECT_EQ(count, 1) << name;
    return value;
  }

  Settings settings_{.cloudevents_type = "a4c.hint",
                     .cloudevents_source = "/a4c",
                     .content_type = "application/json"};
  testing::SeededRandom random_{1};
  CloudEvents cloud_events_{settings_, random_};
};

TEST_F(KafkaHeaders, MakeAMessageACloudEvent) {
  const Pairs headers = Complete({"t", "k", "{}"});
  EXPECT_EQ(ValueOf(headers, "ce_specversion"), "1.0");
  EXPECT_EQ(ValueOf(headers, "ce_type"), "a4c.hint");
  EXPECT_EQ(ValueOf(headers, "ce_source"), "/a4c");
  EXPECT_EQ(ValueOf(headers, "content-type"), "application/json");
  EXPECT_FALSE(ValueOf(headers, "ce_id").empty());
}

TEST_F(KafkaHeaders, OfTheMessageComeFirstAndAreNotReplaced) {
  const Pairs own = {
      {"ce_type", "mine"}, {"x", ""}, {"ce_id", "7"}, {"content-type", "text/plain"}};
  const Pairs headers = Complete({"t", "k", "{}", own});
  ASSERT_EQ(headers.size(), own.size() + 2);
  EXPECT_EQ(Pairs(headers.begin(), headers.begin() + 4), own);
  EXPECT_EQ(ValueOf(headers, "ce_type"), "mine");
  EXPECT_EQ(ValueOf(headers, "ce_id"), "7");
  EXPECT_EQ(ValueOf(headers, "ce_source"), "/a4c");
}

TEST_F(KafkaHeaders, NameEachEventOnceInEveryProcess) {
  CloudEvents other(settings_, random_);
  std::set<std::string> ids;
  std::string id;
  std::vector<HeaderView> headers;
  for (int i = 0; i < 100; ++i) {
    ids.insert(ValueOf(Complete({"t", "k", ""}), "ce_id"));
    other.Complete({"t", "k", ""}, id, headers);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 200U);
}

}  // namespace
}  // namespace a4c::kafka
