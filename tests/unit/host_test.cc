// What a provider may say of a host.
#include <gtest/gtest.h>

#include "a4c/host_provider.h"

namespace a4c {
namespace {

Host Good() {
  Host host{.id = "one", .arch = "amd64", .versions = {{"docker", "20.10.24+dfsg1"}}};
  host.warnings = {"its clock is 9 s behind ours: keep it on time"};
  return host;
}

bool Refused(const Host& host, std::string_view word) {
  const Result<void> result = CheckHost(host);
  return !result && result.error().code() == Code::kInvalid &&
         result.error().message().find("host one: " + std::string(word)) != std::string::npos;
}

TEST(CheckHost, NamesWhatIsWrong) {
  EXPECT_TRUE(CheckHost(Good()));
  EXPECT_TRUE(CheckHost({.id = "one"})) << "nothing is known of it";
  Host host = Good();
  host.arch = "x86 64";
  EXPECT_TRUE(Refused(host, "arch"));
  host = Good();
  host.versions["runc"] = "";
  EXPECT_TRUE(Refused(host, "versions.runc"));
  host = Good();
  host.versions[""] = "1";
  EXPECT_TRUE(Refused(host, "versions"));
  host = Good();
  host.warnings.push_back("\xff");
  EXPECT_TRUE(Refused(host, "warnings"));
}

TEST(CheckHost, AnotherKeyIsToldWithTheOneThatIsPinnedAndOfAServerOutOfReach) {
  Host host{.id = "one", .pinned_fingerprint = "SHA256:a", .shown_fingerprint = "SHA256:b"};
  EXPECT_TRUE(CheckHost(host));
  host.reachable = true;
  EXPECT_TRUE(Refused(host, "shown_fingerprint"));
  host.reachable = false;
  host.pinned_fingerprint.clear();
  EXPECT_TRUE(Refused(host, "shown_fingerprint"));
  host.pinned_fingerprint = std::string(257, 'a');
  EXPECT_TRUE(Refused(host, "shown_fingerprint"));
}

TEST(CheckHost, EverythingIsBounded) {
  Host host = Good();
  host.arch = std::string(33, 'a');
  EXPECT_TRUE(Refused(host, "arch"));
  host = Good();
  host.versions["runc"] = std::string(129, '1');
  EXPECT_TRUE(Refused(host, "versions.runc"));
  host = Good();
  for (int i = 0; i < 16; ++i) host.versions["part-" + std::to_string(i)] = "1";
  EXPECT_TRUE(Refused(host, "versions: more than 16"));
  host = Good();
  host.warnings = {std::string(513, 'w')};
  EXPECT_TRUE(Refused(host, "warnings"));
  host = Good();
  host.warnings.assign(17, "w");
  EXPECT_TRUE(Refused(host, "warnings: more than 16"));
}

}  // namespace
}  // namespace a4c
