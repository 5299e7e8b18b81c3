#include "apps/a4cd/secrets/secret_box.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/seeded_random.h"

namespace a4cd {
namespace {

constexpr const char* kOld = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
constexpr const char* kNew = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY=";

class SecretBoxTest : public testing::Test {
 protected:
  ~SecretBoxTest() override { std::filesystem::remove(path_); }

  a4c::Result<SecretBox> Read(const std::string& text, mode_t mode = 0600) {
    std::filesystem::remove(path_);
    std::ofstream(path_) << text;
    chmod(path_.c_str(), mode);
    return SecretBox::Read(path_);
  }

  const std::string path_ = testing::TempDir() + "a4c_secret_box_" + std::to_string(getpid());
  a4c::testing::SeededRandom random_{7};
};

TEST_F(SecretBoxTest, WhatIsSealedIsOpenedInItsPlaceAlone) {
  const auto box = Read(std::string(kOld) + "\n");
  ASSERT_TRUE(box) << box.error().ToString();
  for (const std::string& text :
       {std::string(), std::string("hunter2"), std::string(65'536, 'x')}) {
    const std::string sealed = box->Seal(random_, "acme\ntoken", text);
    EXPECT_EQ(*box->Open("acme\ntoken", sealed), text);
    const auto elsewhere = box->Open("other\ntoken", sealed);
    ASSERT_FALSE(elsewhere);
    EXPECT_EQ(elsewhere.error().code(), a4c::Code::kDenied);
  }
}

TEST_F(SecretBoxTest, TheSameIsSealedDifferentlyEachTimeAndShowsNothing) {
  const auto box = Read(kOld);
  ASSERT_TRUE(box);
  const std::string sealed = box->Seal(random_, "place", "hunter2");
  EXPECT_NE(sealed, box->Seal(random_, "place", "hunter2"));
  EXPECT_EQ(sealed.find("hunter2"), std::string::npos);
  EXPECT_TRUE(sealed.starts_with("v1."));
}

TEST_F(SecretBoxTest, WhatWasChangedIsNotOpened) {
  const auto box = Read(kOld);
  ASSERT_TRUE(box);
  const std::string sealed = box->Seal(random_, "place", "hunter2");
  for (size_t at = 0; at < sealed.size(); ++at) {
    std::string changed = sealed;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(box->Open("place", changed)) << at;
  }
  for (const char* none : {"", "v1.", "v1.AAAA", "v2.AAAA", "v1.?"}) {
    EXPECT_FALSE(box->Open("place", none)) << none;
  }
}

TEST_F(SecretBoxTest, ANewKeySealsAndTheOldOneStillOpens) {
  const auto old_box = Read(kOld);
  ASSERT_TRUE(old_box);
  const std::string sealed = old_box->Seal(random_, "place", "hunter2");
  const auto both = Read(std::string(kNew) + "\n\n" + kOld + "\n");
  ASSERT_TRUE(both);
  EXPECT_EQ(*both->Open("place", sealed), "hunter2");
  const std::string renewed = both->Seal(random_, "place", "hunter2");
  EXPECT_FALSE(old_box->Open("place", renewed));
  EXPECT_EQ(*Read(kNew)->Open("place", renewed), "hunter2");
}

TEST_F(SecretBoxTest, AFingerprintTellsEqualTextsAndNeedsTheKey) {
  const auto box = Read(kOld);
  ASSERT_TRUE(box);
  EXPECT_EQ(box->Fingerprint("hunter2"), box->Fingerprint("hunter2"));
  EXPECT_NE(box->Fingerprint("hunter2"), box->Fingerprint("hunter3"));
  EXPECT_NE(box->Fingerprint("hunter2"), Read(kNew)->Fingerprint("hunter2"));
}

TEST_F(SecretBoxTest, AFileThatIsWrongIsNamedWithItsLineAndWithoutItsText) {
  const auto broken = Read(std::string(kOld) + "\nhunter2\n");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message().find(path_ + ":2: "), std::string::npos);
  EXPECT_EQ(broken.error().ToString().find("hunter2"), std::string::npos);
  EXPECT_FALSE(Read("")) << "no key";
  EXPECT_FALSE(Read("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MA==")) << "31 bytes";
  std::string many;
  for (int i = 0; i < 17; ++i) many += std::string(kOld) + "\n";
  EXPECT_FALSE(Read(many));
  const auto open = Read(kOld, 0640);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().hint(), "chmod 600 " + path_);
  EXPECT_FALSE(SecretBox::Read("/nowhere/key"));
}

}  // namespace
}  // namespace a4cd
