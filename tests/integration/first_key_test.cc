// The first API key of an installation, which a file gets.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "a4c/collection.h"
#include "a4c/memory.h"
#include "a4c/sinks.h"
#include "apps/a4cd/app.h"
#include "apps/a4cd/auth/api_key.h"
#include "apps/a4cd/auth/key_service.h"
#include "apps/a4cd/config/config_file.h"
#include "apps/a4cd/config/settings.h"
#include "apps/a4cd/jobs/kinds.h"

namespace a4cd {
namespace {

class FirstKey : public ::testing::Test {
 protected:
  FirstKey() { std::filesystem::create_directories(directory_); }
  ~FirstKey() override { std::filesystem::remove_all(directory_); }
  a4c::Result<void> Make(const std::string& file) {
    const auto root = ParseYaml("plugin_directories: ['" A4C_PLUGIN_DIRECTORY
                                "']\nstore: {plugin: store-sqlite, config: {path: " +
                                    directory_ + "/a4c.db}}\n",
                                "a4cd.yaml");
    EXPECT_TRUE(root) << root.error().ToString();
    auto settings = CheckSettings(*root, "/nowhere", directory_);
    EXPECT_TRUE(settings) << settings.error().ToString();
    settings->api.bootstrap_key_file = file;
    return MakeFirstKeyFile(*settings, runtime_);
  }

  const std::string directory_ =
      ::testing::TempDir() + "a4c_first_key_test_" + std::to_string(getpid());
  const a4c::Runtime runtime_ = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
};

// Else it would be one that nobody has, and the last that could be made.
TEST_F(FirstKey, AFileThatCannotBeMadeLeavesItToBeMade) {
  const auto failed = Make(directory_ + "/missing/key");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), a4c::Code::kUnavailable) << failed.error().ToString();
  const std::string file = directory_ + "/key";
  const auto made = Make(file);
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_GT(std::filesystem::file_size(file), 0u);
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(FirstKey, WhereThereAreKeysNoFileIsLeft) {
  ASSERT_TRUE(Make(directory_ + "/key"));
  const auto second = Make(directory_ + "/second");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), a4c::Code::kConflict);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/second"));
}

// Nobody could come in any more, once the last key that can make others has gone.
TEST_F(FirstKey, IsMadeAgainWhereThatIsAskedFor) {
  const auto store = a4c::NewMemoryStore(runtime_);
  a4c::Database database({.store = *store}, runtime_);
  const auto within = [&] { return a4c::Call::Within(runtime_.clock, 30'000); };
  ASSERT_TRUE(database.Open(within(), AllCollections()));
  KeyService keys(database, runtime_, 0);
  const auto audit_rows = [&] {
    const auto page = database.Scan(within(), {.kind = "audit"});
    EXPECT_TRUE(page);
    return page ? page->records : std::vector<a4c::Record>();
  };
  ASSERT_TRUE(keys.Bootstrap(within(), kDefaultTenant)->has_value());
  EXPECT_FALSE(keys.Bootstrap(within(), kDefaultTenant)->has_value());
  EXPECT_TRUE(audit_rows().empty());
  const auto again = keys.Bootstrap(within(), kDefaultTenant, KeyService::Again::kYes);
  ASSERT_TRUE(again && *again);
  const auto rows = audit_rows();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_NE(rows[0].body.find(ApiKeyId(ApiKeyHash(**again))), std::string::npos) << rows[0].body;
}

}  // namespace
}  // namespace a4cd
