#include "images/registries.h"

#include <Poco/Base64Decoder.h>
#include <Poco/Base64Encoder.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace a4c::baremetal {
namespace {

class Registries : public ::testing::Test {
 protected:
  Registries()
      : file_(std::filesystem::temp_directory_path() /
              ("a4c-password-" + std::to_string(getpid()))) {}
  ~Registries() override { std::filesystem::remove(file_); }

  void WritePassword(const std::string& text, std::filesystem::perms mode) {
    std::ofstream(file_) << text;
    std::filesystem::permissions(file_, mode);
  }
  Result<RegistryOptions> Read(const std::string& address, const std::string& username,
                               const std::string& password_file) {
    return ReadRegistryOptions(
        ConfigValue::Map({{"address", ConfigValue::Scalar(address)},
                          {"username", ConfigValue::Scalar(username)},
                          {"password_file", ConfigValue::Scalar(password_file)}}));
  }

  const std::filesystem::path file_;
};

constexpr auto kOurs = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;

TEST_F(Registries, ThePasswordIsReadAtEachUse) {
  WritePassword("s3cret/+\n", kOurs);
  const auto registry = Read("reg.example:5000", "ann", file_);
  ASSERT_TRUE(registry) << registry.error().ToString();
  const auto decoded = [&] {
    const auto auth = RegistryAuth(*registry);
    EXPECT_TRUE(auth) << auth.error().ToString();
    EXPECT_EQ(auth->find_first_of("\r\n+/"), std::string::npos) << "not fit for a header";
    std::istringstream in(*auth);
    Poco::Base64Decoder decoder(in, Poco::BASE64_URL_ENCODING);
    return std::string(std::istreambuf_iterator<char>(decoder), {});
  };
  EXPECT_EQ(decoded(),
            R"({"username":"ann","password":"s3cret/+","serveraddress":"reg.example:5000"})");
  WritePassword("another", kOurs);
  EXPECT_NE(decoded().find("another"), std::string::npos);
}

TEST_F(Registries, WithoutAUserPullsAreAnonymous) {
  const auto registry = Read("reg.example", "", "");
  ASSERT_TRUE(registry) << registry.error().ToString();
  EXPECT_EQ(*RegistryAuth(*registry), "");
}

TEST_F(Registries, APasswordThatOthersCanReadIsRefusedWithoutShowingIt) {
  WritePassword("s3cret", kOurs | std::filesystem::perms::group_read);
  const auto registry = Read("reg.example", "ann", file_);
  ASSERT_FALSE(registry);
  EXPECT_EQ(registry.error().code(), Code::kInvalid);
  EXPECT_NE(registry.error().ToString().find("chmod 600"), std::string::npos);
  EXPECT_EQ(registry.error().ToString().find("s3cret"), std::string::npos);
}

TEST_F(Registries, WhatIsOutOfFormIsRefused) {
  WritePassword("\n", kOurs);
  EXPECT_EQ(Read("reg.example", "ann", file_).error().code(), Code::kInvalid) << "empty";
  EXPECT_EQ(Read("reg.example", "ann", "/no/such").error().code(), Code::kInvalid);
  EXPECT_EQ(Read("reg.example", "ann", "").error().code(), Code::kInvalid);
  EXPECT_EQ(Read("https://reg.example", "", "").error().code(), Code::kInvalid);
  EXPECT_EQ(Read("reg.example/path", "", "").error().code(), Code::kInvalid);
}

TEST_F(Registries, ARegistryIsFoundByItsAddressAlone) {
  const std::vector<RegistryOptions> registries = {{.address = "reg:5000"}};
  EXPECT_NE(FindRegistry(registries, "reg:5000"), nullptr);
  EXPECT_EQ(FindRegistry(registries, "reg"), nullptr);
  EXPECT_EQ(FindRegistry(registries, "docker.io"), nullptr);
}

}  // namespace
}  // namespace a4c::baremetal
