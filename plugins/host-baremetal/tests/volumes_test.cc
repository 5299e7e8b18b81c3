// Copies over a dockerd that is only pretended, and says what a real one seldom says.
#include "a4c/host_volumes.h"
#include "tests/engine_fixture.h"
#include "tests/support/tar.h"

namespace a4c::baremetal {
namespace {

class EngineVolumes : public EngineTest {
 protected:
  void SetUp() override { engine_.SetState("created"); }

  Result<int64_t> CopyOf(const std::string& tar, const std::string& status = "200 OK",
                         const std::string& answer = "") {
    engine_.SetAnswer("GET /containers/c1/archive?path=", "200 OK", tar);
    engine_.SetAnswer("PUT /containers/c1/archive?path=", status, answer);
    return provider_->As<HostVolumes>()->Copy(Soon(), {"one", "unit-1", "one", "unit-1", 1});
  }
};

TEST_F(EngineVolumes, AWholeStreamIsCarried) {
  const std::string tar = TarOf({{"note", "kept"}});
  const auto copied = CopyOf(tar);
  ASSERT_TRUE(copied) << copied.error().ToString();
  EXPECT_EQ(*copied, static_cast<int64_t>(tar.size()));
}

// dockerd ends its answer as if it were whole when it cannot read on.
TEST_F(EngineVolumes, AStreamWithoutTheEndOfATarIsAnError) {
  const std::string tar = TarOf({{"note", "kept"}});
  for (const size_t bytes : {size_t{0}, size_t{700}, tar.size() - 1024}) {
    const auto copied = CopyOf(tar.substr(0, bytes));
    ASSERT_FALSE(copied) << bytes;
    EXPECT_EQ(copied.error().code(), Code::kUnavailable) << copied.error().ToString();
  }
}

TEST_F(EngineVolumes, WhatTheReceiverSaysIsTheReason) {
  const auto copied = CopyOf(TarOf({{"note", "kept"}}), "500 Internal Server Error",
                             R"({"message":"no space left on device"})");
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code(), Code::kExhausted) << copied.error().ToString();
}

}  // namespace
}  // namespace a4c::baremetal
