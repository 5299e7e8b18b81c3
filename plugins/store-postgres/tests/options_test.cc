#include <gtest/gtest.h>

#include "postgres_keys.h"
#include "session/postgres_options.h"

namespace a4c::postgres {
namespace {

Result<Options> Read(std::map<std::string, ConfigValue, std::less<>> members) {
  A4C_TRY(const Config config, CheckConfig(ConfigValue::Map(std::move(members)), kKeys));
  return ReadOptions(config);
}

ConfigValue List(const std::vector<std::string>& items) {
  ConfigValue list;
  list.shape = ConfigValue::Shape::kList;
  for (const std::string& item : items) list.list.push_back(ConfigValue::Scalar(item));
  return list;
}

bool Has(const std::string& conninfo, const std::string& setting) {
  return (" " + conninfo + " ").find(" " + setting + " ") != std::string::npos;
}

TEST(PostgresOptions, EachHostIsAConnectionStringToThePrimary) {
  const auto options = Read({{"hosts", List({"db1", "db2:6000", "/run/postgresql"})},
                             {"password", ConfigValue::Scalar("it's\\")}});
  ASSERT_TRUE(options.has_value());
  ASSERT_EQ(options->conninfos.size(), 3u);
  EXPECT_TRUE(Has(options->conninfos[0], "host='db1'")) << options->conninfos[0];
  EXPECT_TRUE(Has(options->conninfos[0], "port='5432'"));
  EXPECT_TRUE(Has(options->conninfos[1], "host='db2'"));
  EXPECT_TRUE(Has(options->conninfos[1], "port='6000'"));
  EXPECT_TRUE(Has(options->conninfos[2], "host='/run/postgresql'"));
  for (const std::string& conninfo : options->conninfos) {
    EXPECT_TRUE(Has(conninfo, "target_session_attrs='read-write'"));
    EXPECT_TRUE(Has(conninfo, "connect_timeout='2'"));
    EXPECT_TRUE(Has(conninfo, "keepalives_interval='3'"));
    EXPECT_TRUE(Has(conninfo, "password='it\\'s\\\\'"));
  }
  EXPECT_TRUE(options->replica_conninfos.empty());
}

TEST(PostgresOptions, ADsnMayBeAUriAndIsStillHeldToThePrimary) {
  const auto options = Read(
      {{"dsn",
        ConfigValue::Scalar("postgresql://u:p%27w@db1:1,db2:2/a4c?target_session_attrs=any")}});
  ASSERT_TRUE(options.has_value());
  ASSERT_EQ(options->conninfos.size(), 2u);
  EXPECT_TRUE(Has(options->conninfos[1], "host='db2'")) << options->conninfos[1];
  EXPECT_TRUE(Has(options->conninfos[1], "port='2'"));
  EXPECT_TRUE(Has(options->conninfos[1], "password='p\\'w'"));
  EXPECT_TRUE(Has(options->conninfos[1], "target_session_attrs='read-write'"));
}

TEST(PostgresOptions, OnePortIsThatOfAllHostsAndOtherwiseTheNumbersHaveToAgree) {
  const auto one = Read({{"dsn", ConfigValue::Scalar("host=a,b,c port=7 dbname=x")}});
  ASSERT_TRUE(one.has_value());
  ASSERT_EQ(one->conninfos.size(), 3u);
  EXPECT_TRUE(Has(one->conninfos[2], "port='7'"));
  const auto odd = Read({{"dsn", ConfigValue::Scalar("host=a,b,c port=7,8 dbname=x")}});
  ASSERT_FALSE(odd.has_value());
  EXPECT_EQ(odd.error().code(), Code::kInvalid);
}

TEST(PostgresOptions, ReplicasAreAskedOnlyIfTheyAreNamed) {
  const auto options = Read({{"hosts", List({"db1"})}, {"replica_hosts", List({"r1", "r2:7"})}});
  ASSERT_TRUE(options.has_value());
  ASSERT_EQ(options->replica_conninfos.size(), 2u);
  EXPECT_TRUE(Has(options->replica_conninfos[1], "host='r2'"));
  EXPECT_TRUE(Has(options->replica_conninfos[1], "target_session_attrs='standby'"));
}

TEST(PostgresOptions, WhatACommitSurvivesIsChosenByName) {
  EXPECT_EQ(Read({})->durability, Durability::kReplicated);
  EXPECT_EQ(Read({{"durability", ConfigValue::Scalar("single_server")}})->durability,
            Durability::kSingleServer);
  EXPECT_EQ(Read({{"durability", ConfigValue::Scalar("none")}}).error().code(), Code::kInvalid);
}

TEST(PostgresOptions, WhatPocoWouldSplitIsRefusedWithoutShowingIt) {
  const auto options = Read({{"password", ConfigValue::Scalar("hunter 2")}});
  ASSERT_FALSE(options.has_value());
  EXPECT_EQ(options.error().code(), Code::kInvalid);
  EXPECT_NE(options.error().message().find("password"), std::string::npos);
  EXPECT_EQ(options.error().ToString().find("hunter"), std::string::npos);
}

TEST(PostgresOptions, ADsnThatCannotBeReadIsNotShownEither) {
  const auto options = Read({{"dsn", ConfigValue::Scalar("password=hunter2 nonsense")}});
  ASSERT_FALSE(options.has_value());
  EXPECT_EQ(options.error().code(), Code::kInvalid);
  EXPECT_EQ(options.error().ToString().find("hunter2"), std::string::npos);
}

TEST(PostgresOptions, ASchemaOfPostgresItsOwnIsRefused) {
  EXPECT_FALSE(Read({{"schema", ConfigValue::Scalar("pg_catalog")}}).has_value());
  EXPECT_FALSE(Read({{"schema", ConfigValue::Scalar("")}}).has_value());
}

}  // namespace
}  // namespace a4c::postgres
