#include "postgres_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace a4c::search_postgres {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

Result<Options> Read(const std::map<std::string, std::string>& settings) {
  std::map<std::string, ConfigValue, std::less<>> members;
  for (const auto& [key, text] : settings) members[key] = ConfigValue::Scalar(text);
  A4C_TRY(const Config config, CheckConfig(ConfigValue::Map(std::move(members)), kKeys));
  return ReadOptions(config);
}

TEST(PostgresOptions, EachServerOfADsnIsAskedForThePrimaryAndThePasswordCanStandApart) {
  const auto options =
      Read({{"dsn", "host=a,b port=1,2 user=u dbname=d"}, {"password", "it's \\"}});
  ASSERT_TRUE(options) << options.error().ToString();
  ASSERT_THAT(options->conninfos, SizeIs(2));
  EXPECT_THAT(options->conninfos[0], HasSubstr("host='a'"));
  EXPECT_THAT(options->conninfos[1], HasSubstr("host='b'"));
  EXPECT_THAT(options->conninfos[1], HasSubstr("port='2'"));
  for (const std::string& conninfo : options->conninfos) {
    EXPECT_THAT(conninfo, HasSubstr("target_session_attrs='read-write'"));
    EXPECT_THAT(conninfo, HasSubstr("client_encoding='UTF8'"));
    EXPECT_THAT(conninfo, HasSubstr(R"(password='it\'s \\')"));
  }
  EXPECT_EQ(options->schema, "a4c_search");
}

TEST(PostgresOptions, HostsAndPortsAgreeInNumberOrOnePortIsThatOfAll) {
  const auto one = Read({{"dsn", "host=a,b,c port=7"}});
  ASSERT_TRUE(one) << one.error().ToString();
  ASSERT_THAT(one->conninfos, SizeIs(3));
  EXPECT_THAT(one->conninfos[2], HasSubstr("port='7'"));
  EXPECT_EQ(Read({{"dsn", "host=a,b,c port=7,8"}}).error().code(), Code::kInvalid);
}

TEST(PostgresOptions, ABadDsnIsRefusedWithoutShowingIt) {
  const auto options = Read({{"dsn", "host=a passwrd=secret"}});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().code(), Code::kInvalid);
  EXPECT_THAT(options.error().ToString(), Not(HasSubstr("secret")));
}

TEST(PostgresOptions, RowSecurityNeedsTwoRoles) {
  const auto options =
      Read({{"dsn", "host=a user=bound"}, {"row_security", "true"}, {"background_dsn", "user=o"}});
  ASSERT_TRUE(options) << options.error().ToString();
  EXPECT_EQ(options->user, "bound");
  ASSERT_THAT(options->background_conninfos, SizeIs(1));
  EXPECT_THAT(options->background_conninfos[0], HasSubstr("user='o'"));
  EXPECT_THAT(options->background_conninfos[0], HasSubstr("target_session_attrs='read-write'"));
  const auto nameless =
      Read({{"dsn", "host=a"}, {"row_security", "true"}, {"background_dsn", "user=o"}});
  EXPECT_EQ(nameless.error().code(), Code::kInvalid);
  const auto alone = Read({{"dsn", "host=a user=bound"}, {"row_security", "true"}});
  EXPECT_THAT(alone.error().ToString(), HasSubstr("background_dsn is missing"));
  const auto bad =
      Read({{"dsn", "user=bound"}, {"row_security", "true"}, {"background_dsn", "passwrd=secret"}});
  EXPECT_THAT(bad.error().ToString(), HasSubstr("background_dsn is no connection string"));
  EXPECT_THAT(bad.error().ToString(), Not(HasSubstr("secret")));
}

TEST(PostgresOptions, ASchemaHasAPlainName) {
  for (const char* schema : {"", "pg_mine", "a?b", "a b", "\"a\""}) {
    EXPECT_EQ(Read({{"dsn", "host=a"}, {"schema", schema}}).error().code(), Code::kInvalid)
        << schema;
  }
  EXPECT_TRUE(Read({{"dsn", "host=a"}, {"schema", "Mine_2"}}));
}

}  // namespace
}  // namespace a4c::search_postgres
