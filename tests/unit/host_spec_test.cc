#include <gtest/gtest.h>

#include "a4c/host_enrolment.h"

namespace a4c {
namespace {

HostSpec Good() {
  return {.id = "server-1",
          .address = "ssh://deploy@192.0.2.10",
          .fingerprint = "SHA256:abc",
          .settings = {{"disk", "1GiB"}, {"empty", ""}}};
}

bool Refused(const HostSpec& spec, std::string_view word) {
  const Result<void> result = CheckHostSpec(spec);
  return !result && result.error().code() == Code::kInvalid &&
         result.error().message().find(word) != std::string::npos;
}

TEST(CheckHostSpec, NamesTheFieldThatIsWrong) {
  EXPECT_TRUE(CheckHostSpec(Good()));
  HostSpec spec = Good();
  spec.id = "../etc";
  EXPECT_TRUE(Refused(spec, "id"));
  spec = Good();
  spec.address.clear();
  EXPECT_TRUE(Refused(spec, "address"));
  spec = Good();
  spec.fingerprint.clear();
  EXPECT_TRUE(Refused(spec, "fingerprint"));
  spec = Good();
  spec.address = std::string("ssh://a\0b", 9);
  EXPECT_TRUE(Refused(spec, "NUL"));
  spec = Good();
  spec.settings["disk"] = std::string(4097, 'x');
  EXPECT_TRUE(Refused(spec, "settings.disk"));
  spec = Good();
  spec.settings["name"] = "\xff";
  EXPECT_TRUE(Refused(spec, "UTF-8"));
  spec = Good();
  for (int i = 0; i < 40; ++i) spec.settings["s" + std::to_string(i)] = "x";
  EXPECT_TRUE(Refused(spec, "settings"));
}

}  // namespace
}  // namespace a4c
