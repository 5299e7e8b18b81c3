#include <gtest/gtest.h>

#include "postgres_keys.h"
#include "postgres_options.h"

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

bool Has(const Result<Options>& options, const std::string& setting) {
  return (" " + options->conninfo + " ").find(" " + setting + " ") != std::string::npos;
}

TEST(PostgresOptions, HostsBecomeOneConnectionStringToThePrimary) {
  const auto options = Read({{"hosts", List({"db1", "db2:6000", "/run/postgresql"})},
                             {"password", ConfigValue::Scalar("it's\\")}});
  ASSERT_TRUE(options.has_value());
  EXPECT_TRUE(Has(options, "host='db1,db2,/run/postgresql'")) << options->conninfo;
  EXPECT_TRUE(Has(options, "port='5432,6000,5432'"));
  EXPECT_TRUE(Has(options, "target_session_attrs='read-write'"));
  EXPECT_TRUE(Has(options, "connect_timeout='2'"));
  EXPECT_TRUE(Has(options, "password='it\\'s\\\\'"));
  EXPECT_TRUE(options->replica_conninfo.empty());
}

TEST(PostgresOptions, ADsnMayBeAUriAndIsStillHeldToThePrimary) {
  const auto options = Read(
      {{"dsn",
        ConfigValue::Scalar("postgresql://u:p%27w@db1:1,db2:2/a4c?target_session_attrs=any")}});
  ASSERT_TRUE(options.has_value());
  EXPECT_TRUE(Has(options, "host='db1,db2'")) << options->conninfo;
  EXPECT_TRUE(Has(options, "password='p\\'w'"));
  EXPECT_TRUE(Has(options, "target_session_attrs='read-write'"));
}

TEST(PostgresOptions, ReplicasAreAskedOnlyIfTheyAreNamed) {
  const auto options = Read({{"hosts", List({"db1"})}, {"replica_hosts", List({"r1", "r2:7"})}});
  ASSERT_TRUE(options.has_value());
  EXPECT_NE(options->replica_conninfo.find("host='r1,r2'"), std::string::npos);
  EXPECT_NE(options->replica_conninfo.find("target_session_attrs='any'"), std::string::npos);
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
