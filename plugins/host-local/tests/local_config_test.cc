#include "local_config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <tuple>

namespace a4c::local {
namespace {

namespace fs = std::filesystem;
using Members = std::map<std::string, ConfigValue, std::less<>>;

class LocalConfig : public ::testing::Test {
 protected:
  LocalConfig()
      : dir_(fs::temp_directory_path() / ("a4c-local-config-" + std::to_string(getpid()))) {
    fs::create_directories(dir_);
    if (geteuid() == 0) others_["run_as_user"] = ConfigValue::Scalar("nobody");
    others_["supervisor_path"] = ConfigValue::Scalar("/bin/true");
  }
  ~LocalConfig() override { fs::remove_all(dir_); }

  using Server = std::tuple<std::string, std::string, std::string>;  // id, path, disk
  Result<LocalOptions> Read(const std::vector<Server>& servers) {
    ConfigValue list;
    list.shape = ConfigValue::Shape::kList;
    for (const auto& [id, path, disk] : servers) {
      list.list.push_back(ConfigValue::Map({{"id", ConfigValue::Scalar(id)},
                                            {"path", ConfigValue::Scalar((dir_ / path).string())},
                                            {"disk", ConfigValue::Scalar(disk)}}));
    }
    Members members = others_;
    members["servers"] = list;
    auto config = CheckConfig(ConfigValue::Map(members), kLocalKeys);
    if (!config) return config.error();
    return ReadLocalConfig(*config);
  }
  static void ExpectRefused(const Result<LocalOptions>& read, const std::string& word) {
    ASSERT_FALSE(read) << word;
    EXPECT_EQ(read.error().code(), Code::kInvalid) << read.error().ToString();
    EXPECT_NE(read.error().ToString().find(word), std::string::npos) << read.error().ToString();
  }

  fs::path dir_;
  Members others_;
};

TEST_F(LocalConfig, ServersAreMadeAndShareTheMachine) {
  const auto options = Read({{"one", "1", "1GiB"}, {"two", "2", "1GiB"}});
  ASSERT_TRUE(options) << options.error().ToString();
  ASSERT_EQ(options->servers.size(), 2u);
  EXPECT_TRUE(fs::is_directory(dir_ / "1"));
  const int64_t memory = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  EXPECT_LE(options->servers[0].memory_bytes + options->servers[1].memory_bytes, memory);
  EXPECT_GT(options->servers[0].memory_bytes, memory / 3);
  EXPECT_NE(options->uid, 0u);
}

TEST_F(LocalConfig, UnitsAreNeverRunAsRoot) {
  others_["run_as_user"] = ConfigValue::Scalar("root");
  ExpectRefused(Read({{"one", "1", "1GiB"}}), "run_as_user");
  others_["run_as_user"] = ConfigValue::Scalar("0");
  ExpectRefused(Read({{"one", "1", "1GiB"}}), "run_as_user");
  others_.erase("run_as_user");
  if (geteuid() == 0) {
    ExpectRefused(Read({{"one", "1", "1GiB"}}), "never run as root");
    ExpectRefused(Read({{"one", "1", "1GiB"}}), "hint: name an unprivileged user");
  } else {
    EXPECT_EQ(Read({{"one", "1", "1GiB"}})->uid, geteuid());
  }
}

TEST_F(LocalConfig, AnUnknownUserIsRefused) {
  others_["run_as_user"] = ConfigValue::Scalar("no-such-user");
  ExpectRefused(Read({{"one", "1", "1GiB"}}), "no-such-user");
}

TEST_F(LocalConfig, FiguresThatWouldBeTheSameAreRefused) {
  ExpectRefused(Read({{"one", "1", "0"}, {"two", "2", "0"}}), "share a file system");
  EXPECT_TRUE(Read({{"one", "1", "0"}}));
  ExpectRefused(Read({{"one", "1", "1GiB"}, {"one", "2", "1GiB"}}), "there twice");
  ExpectRefused(Read({{"one", "1", "1GiB"}, {"two", "1", "1GiB"}}), "lies in that of");
  ExpectRefused(Read({{"one", "1", "1GiB"}, {"two", "1/below", "1GiB"}}), "lies in that of");
  ExpectRefused(Read({}), "there is none");
}

TEST_F(LocalConfig, DirectoriesThatOthersCanWriteOrLinksAreRefused) {
  fs::create_directory(dir_ / "open");
  fs::permissions(dir_ / "open", fs::perms::all);
  ExpectRefused(Read({{"one", "open", "1GiB"}}), "not ours alone");
  fs::create_directory(dir_ / "real");
  fs::create_directory_symlink(dir_ / "real", dir_ / "link");
  ExpectRefused(Read({{"one", "link", "1GiB"}}), "no directory");
  ExpectRefused(Read({{"one", "no/such/parent", "1GiB"}}), "cannot make");
}

TEST_F(LocalConfig, ASupervisorThatIsNotThereIsRefusedNamingWhatWasTried) {
  others_["supervisor_path"] = ConfigValue::Scalar("/no/such/supervisor");
  ExpectRefused(Read({{"one", "1", "1GiB"}}), "/no/such/supervisor");
}

}  // namespace
}  // namespace a4c::local
