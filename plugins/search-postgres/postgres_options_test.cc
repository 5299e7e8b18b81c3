#include "postgres_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace a4c::search_postgres {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<Options> Read(std::map<std::string, std::string> settings) {
  std::map<std::string, ConfigValue, std::less<>> members;
  for (const auto& [key, text] : settings) members[key] = ConfigValue::Scalar(text);
  A4C_TRY(const Config config, CheckConfig(ConfigValue::Map(std::move(members)), kKeys));
  return ReadOptions(config);
}

TEST(PostgresOptions, OfADsnThePrimaryIsAskedForAndThePasswordCanStandApart) {
  const auto options =
      Read({{"dsn", "host=a,b port=1,2 user=u dbname=d"}, {"password", "it's \\"}});
  ASSERT_TRUE(options) << options.error().ToString();
  EXPECT_THAT(options->conninfo, HasSubstr("host='a,b'"));
  EXPECT_THAT(options->conninfo, HasSubstr("target_session_attrs='read-write'"));
  EXPECT_THAT(options->conninfo, HasSubstr("client_encoding='UTF8'"));
  EXPECT_THAT(options->conninfo, HasSubstr(R"(password='it\'s \\')"));
  EXPECT_EQ(options->schema, "a4c_search");
}

TEST(PostgresOptions, ABadDsnIsRefusedWithoutShowingIt) {
  const auto options = Read({{"dsn", "host=a passwrd=secret"}});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().code(), Code::kInvalid);
  EXPECT_THAT(options.error().ToString(), Not(HasSubstr("secret")));
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
