#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "apps/a4cd/config/config_file.h"
#include "apps/a4cd/config/settings.h"

namespace a4cd {
namespace {

using a4c::ConfigValue;
using a4c::Result;

Result<Settings> Read(const std::string& yaml, const Environment& environment = {}) {
  A4C_TRY(ConfigValue root, ParseYaml(yaml, "a4cd.yaml"));
  A4C_CHECK(ExpandSecrets(root, environment));
  A4C_CHECK(ApplyEnvironment(root, environment));
  return CheckSettings(root, "/opt/a4c/bin", "/data");
}

TEST(Config, OfNothingIsTheEmbeddedDefault) {
  const auto settings = Read("");
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->store.plugin, "store-sqlite");
  EXPECT_EQ(settings->store.config.map.at("path").scalar, "/data/a4cd.db");
  EXPECT_EQ(settings->bus.plugin, "none");
  EXPECT_EQ(settings->database.poll_period_ms, 1'000);
  EXPECT_EQ(settings->search.plugin, "search-sqlite");
  EXPECT_EQ(settings->search.config.map.at("path").scalar, "/data/search.db");
  EXPECT_EQ(settings->index_start.fill, RebuildAtStart::kIfEmpty);
  EXPECT_EQ(settings->hosts.config.map.at("servers").list.size(), 3u);
  EXPECT_EQ(settings->api.listen, "127.0.0.1:7070");
  EXPECT_EQ(settings->roles.size(), 4u);
}

TEST(Config, SlowRequestsLeaveThreadsToOthers) {
  const auto half = Read("api: {threads: 12}\n");
  ASSERT_TRUE(half) << half.error().message();
  EXPECT_EQ(half->api.slow_requests_max, 6);
  EXPECT_EQ(half->api.slow_requests_per_tenant_max, 3);
  const auto given = Read("api: {threads: 2, slow_requests_max: 1}\n");
  ASSERT_TRUE(given) << given.error().message();
  EXPECT_EQ(given->api.slow_requests_max, 1);
  EXPECT_EQ(given->api.slow_requests_per_tenant_max, 1);
}

TEST(Config, EnvironmentWinsOverTheFile) {
  const auto settings = Read("api: {listen: '0.0.0.0:1', threads: 3}\nstore: {plugin: store-x}\n",
                             {{"A4C_API_LISTEN", "127.0.0.1:2"},
                              {"A4C_STORE_CONFIG_PATH", "/x.db"},
                              {"A4C_STORE_CONFIG_TLS__CA", "/ca"},
                              {"A4C_ROLES", "[api]"},
                              {"A4C_DATA_DIR", "/elsewhere"}});
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->api.listen, "127.0.0.1:2");
  EXPECT_EQ(settings->api.threads, 3);
  EXPECT_EQ(settings->store.config.map.at("path").scalar, "/x.db");
  EXPECT_EQ(settings->store.config.map.at("tls").map.at("ca").scalar, "/ca");
  EXPECT_EQ(settings->store.config.map.at("path").Where(),
            "environment A4C_STORE_CONFIG_PATH: store.config.path");
  EXPECT_EQ(settings->roles, std::set<std::string>{"api"});
  EXPECT_EQ(settings->data_directory, "/elsewhere");
}

TEST(Config, AMistypedVariableIsAnErrorAndForeignOnesAreNot) {
  for (const auto& [name, meant] :
       Environment{{"A4C_STORE_PLUGN", "did you mean A4C_STORE_PLUGIN?"},
                   {"A4C_STROE_PLUGIN", "did you mean A4C_STORE_PLUGIN?"},
                   {"A4C_HOST_CONFIG_SERVERS", "did you mean A4C_HOSTS_CONFIG_SERVERS?"},
                   {"A4C_API_SOMETHING_OF_ANOTHER_KIND", "see docs/config.md"},
                   {"A4C_DATA_DIRECTRY", "did you mean A4C_DATA_DIRECTORY?"}}) {
    const auto mistyped = Read("", {{name, "x"}});
    ASSERT_FALSE(mistyped) << name;
    std::string complaint = "environment ";
    complaint.append(name).append(": names no setting; ").append(meant);
    EXPECT_EQ(mistyped.error().message(), complaint);
  }
  EXPECT_TRUE(Read("", {{"A4C_URL", "x"},
                        {"A4C_API_KEY", "x"},
                        {"A4C_CA_FILE", "x"},
                        {"A4C_API_SERVICE_HOST", "10.0.0.1"},
                        {"A4C_API_PORT", "tcp://10.0.0.1:7070"},
                        {"A4C_API_PORT_7070_TCP_ADDR", "10.0.0.1"},
                        {"A4C_STACK_DIR", "x"},
                        {"A4C_TEST_SOMETHING", "x"}}));
}

TEST(Config, APluginsPortIsASettingThoughKubernetesHasVariablesThatEndSo) {
  const auto settings = Read("store: {plugin: store-postgres}\n",
                             {{"A4C_STORE_CONFIG_PORT", "6432"}, {"A4C_API_PORT", "tcp://x:1"}});
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->store.config.map.at("port").scalar, "6432");
}

TEST(Config, EveryFaultIsNamedWithItsPlaceAndTheNearestKey) {
  const auto settings = Read("api:\n  lisen: x\n  threads: many\nstor: {}\n");
  ASSERT_FALSE(settings);
  const std::string& message = settings.error().message();
  EXPECT_NE(message.find("a4cd.yaml:2: api.lisen: unknown key; did you mean \"listen\"?"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("a4cd.yaml:3: api.threads"), std::string::npos) << message;
  EXPECT_NE(message.find("a4cd.yaml:4: stor: unknown key; did you mean \"store\"?"),
            std::string::npos)
      << message;
}

TEST(Config, WhatIsNoAddressToListenAtIsRefusedWithItsPlace) {
  for (const char* wrong : {"foo", "7070", ":7070", "127.0.0.1:", "127.0.0.1:http", "host:65536"}) {
    const auto settings = Read(std::string("\napi: {listen: '") + wrong + "'}\n");
    ASSERT_FALSE(settings) << wrong;
    EXPECT_EQ(settings.error().message(),
              "a4cd.yaml:2: api.listen: \"" + std::string(wrong) +
                  "\" is no address and port, such as 127.0.0.1:7070 or [::1]:7070");
  }
  for (const char* right : {"0.0.0.0:0", "[::1]:7070", "localhost:65535"}) {
    EXPECT_TRUE(Read(std::string("api: {listen: '") + right + "'}\n")) << right;
  }
}

TEST(Config, AnUnknownLogLevelIsRefusedWithTheNearestOne) {
  const auto settings = Read("\nlog: {level: warn}\n");
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().message(),
            "a4cd.yaml:2: log.level: is debug, info, warning or error, not \"warn\"");
  EXPECT_NE(Read("log: {level: wraning}\n").error().message().find("did you mean \"warning\"?"),
            std::string::npos);
}

TEST(Config, WatermarksAreSharesOfADiskAndInOrder) {
  const std::pair<const char*, const char*> faults[] = {
      {"placement: {disk_watermark: 90}",
       "a4cd.yaml:1: placement.disk_watermark: is a share of a disk, above 0 and at most 1, not "
       "90"},
      {"placement: {disk_watermark: nan}",
       "a4cd.yaml:1: placement.disk_watermark: is a share of a disk, above 0 and at most 1, not "
       "nan"},
      {"cleanup: {act_at: 1.5}",
       "a4cd.yaml:1: cleanup.act_at: is a share of a disk, above 0 and at most 1, not 1.5"},
      {"cleanup: {stop_at: 0}",
       "a4cd.yaml:1: cleanup.stop_at: is a share of a disk, above 0 and at most 1, not 0"},
      {"cleanup: {act_at: 0.5}", "cleanup.stop_at: is at most cleanup.act_at, 0.5, not 0.7"},
      {"cleanup: {act_at: 0.5, stop_at: 0.6}",
       "a4cd.yaml:1: cleanup.stop_at: is at most cleanup.act_at, 0.5, not 0.6"}};
  for (const auto& [yaml, fault] : faults) {
    const auto settings = Read(yaml);
    ASSERT_FALSE(settings) << yaml;
    EXPECT_EQ(settings.error().message(), fault);
  }
  EXPECT_TRUE(Read("cleanup: {act_at: 1, stop_at: 1}\nplacement: {disk_watermark: 1}\n"));
}

TEST(Config, ASecondDocumentIsRefusedAndAnEmptyOneIsNot) {
  const auto read = ParseYaml("log: {level: info}\n---\napi: {threads: 3}\n", "a4cd.yaml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message().find("a4cd.yaml:3: a second YAML document"), 0u)
      << read.error().message();
  EXPECT_TRUE(ParseYaml("---\nlog: {level: info}\n---\n", "a4cd.yaml"));
}

TEST(Config, WhatIsNoMapIsRefusedAlsoWithVariables) {
  const auto path = std::filesystem::path(testing::TempDir()) / "a4c_root_test.yaml";
  for (const auto& [text, fault] :
       {std::pair{"- store\n", ":1: is a map of settings, such as \"name: value\", not a list"},
        std::pair{"store-sqlite\n",
                  ":1: is a map of settings, such as \"name: value\", not a text"},
        std::pair{"store: x\n",
                  ":1: store: is a map of settings, such as \"name: value\", not a text"}}) {
    std::ofstream(path) << text;
    const auto root = LoadConfig(path.string(), {{"A4C_STORE_PLUGIN", "store-memory"}});
    ASSERT_FALSE(root) << text;
    EXPECT_EQ(root.error().message(), path.string() + fault);
  }
  std::ofstream(path) << "[]\n";
  EXPECT_FALSE(LoadConfig(path.string(), {}));
  std::ofstream(path) << "# nothing yet\n";
  EXPECT_TRUE(LoadConfig(path.string(), {{"A4C_STORE_PLUGIN", "store-memory"}}));
  std::filesystem::remove(path);
}

TEST(Config, AKeyTwiceAndBrokenYamlAreRefused) {
  EXPECT_FALSE(Read("log: {level: info}\nlog: {level: debug}\n"));
  EXPECT_FALSE(Read("log: [\n"));
  EXPECT_FALSE(Read("roles: [api, wrker]\n"));
}

TEST(Config, AnAliasThatHoldsItselfIsRefused) {
  const auto read = ParseYaml("a: &x [*x]\n", "a4cd.yaml");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message().find("nested too deep"), std::string::npos);
}

TEST(Config, ADirectoryInPlaceOfAFileIsRefused) {
  EXPECT_FALSE(LoadConfig(::testing::TempDir(), {}));
}

TEST(Config, EverySettingStandsInTheReference) {
  std::ifstream file(A4C_CONFIG_REFERENCE);
  const std::string reference{std::istreambuf_iterator<char>(file), {}};
  const auto expect = [&](const std::string& name, const a4c::ConfigKey& key) {
    const std::string fallback = *key.fallback == '\0' ? "" : "`" + std::string(key.fallback) + "`";
    const std::string row = "| `" + name + "` | " + fallback + " | " + key.help + " |\n";
    EXPECT_NE(reference.find(row), std::string::npos) << row;
  };
  for (const a4c::ConfigKey& key : RootKeys()) {
    if (key.type != a4c::ConfigType::kTree) expect(key.name, key);
  }
  for (const Section& section : Sections()) {
    for (const a4c::ConfigKey& key : section.keys) {
      expect(std::string(section.name) + "." + key.name, key);
    }
  }
}

TEST(Config, SecretsComeFromEnvironmentAndFiles) {
  const auto path = std::filesystem::path(testing::TempDir()) / "a4c_secret_test";
  std::ofstream(path) << "s3cret\n";
  const auto settings = Read("store: {config: {password: '${file:" + path.string() +
                                 "}', user: 'u-${NAME}', price: '5$$ ${'}}\n",
                             {{"NAME", "ann"}});
  EXPECT_FALSE(settings);  // "${" without "}"
  const auto good = Read("store: {config: {password: '${file:" + path.string() +
                             "}', user: 'u-${NAME}', price: '5$$'}}\n",
                         {{"NAME", "ann"}});
  ASSERT_TRUE(good) << good.error().message();
  EXPECT_EQ(good->store.config.map.at("password").scalar, "s3cret");
  EXPECT_EQ(good->store.config.map.at("user").scalar, "u-ann");
  EXPECT_EQ(good->store.config.map.at("price").scalar, "5$");
  const auto missing = Read("store: {config: {user: '${NOBODY}'}}\n");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find("NOBODY"), std::string::npos);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace a4cd
