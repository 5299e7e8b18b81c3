#include <gtest/gtest.h>
#include <libssh2.h>

#include "docker/docker_errors.h"
#include "ssh/ssh_errors.h"

namespace a4c::baremetal {
namespace {

TEST(DockerErrors, TableOfStatusAndEffect) {
  struct Row {
    int status;
    bool effect;
    Code code;
    bool retryable;
  };
  const Row rows[] = {
      {400, true, Code::kInvalid, false},     {401, true, Code::kDenied, false},
      {403, true, Code::kDenied, false},      {404, true, Code::kNotFound, false},
      {409, true, Code::kConflict, false},    {418, true, Code::kInvalid, false},
      {429, true, Code::kExhausted, true},    {500, true, Code::kUnknownOutcome, false},
      {500, false, Code::kUnavailable, true}, {501, true, Code::kUnsupported, false},
      {503, true, Code::kUnavailable, true},  {503, false, Code::kUnavailable, true},
      {304, false, Code::kUnavailable, true},
  };
  for (const Row& row : rows) {
    const Error error = DockerError(row.status, R"({"message":"why"})", row.effect);
    EXPECT_EQ(error.code(), row.code) << row.status;
    EXPECT_EQ(error.retryable(), row.retryable) << row.status;
    EXPECT_NE(error.message().find("why"), std::string::npos);
  }
}

TEST(DockerErrors, SomeMessagesSayMoreThanTheStatus) {
  const Error full = DockerError(500, R"({"message":"mkdir /x: no space left on device"})", true);
  EXPECT_EQ(full.code(), Code::kExhausted);
  EXPECT_NE(full.hint(), "");
  const Error stopped = DockerError(500, R"({"message":"Container 12 is not running"})", true);
  EXPECT_EQ(stopped.code(), Code::kConflict);
}

TEST(DockerErrors, MessagesAreBounded) {
  EXPECT_EQ(DockerMessage("not json\n"), "not json");
  EXPECT_EQ(DockerMessage(R"({"message":"m\n"})"), "m");
  EXPECT_EQ(DockerMessage(std::string(5000, 'x')).size(), 1000u);
}

TEST(SshErrors, Table) {
  struct Row {
    int rc;
    Code code;
  };
  const Row rows[] = {
      {LIBSSH2_ERROR_AUTHENTICATION_FAILED, Code::kDenied},
      {LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, Code::kDenied},
      {LIBSSH2_ERROR_FILE, Code::kInvalid},
      {LIBSSH2_ERROR_KEX_FAILURE, Code::kUnavailable},
      {LIBSSH2_ERROR_SOCKET_RECV, Code::kUnavailable},
      {LIBSSH2_ERROR_SOCKET_DISCONNECT, Code::kUnavailable},
      {LIBSSH2_ERROR_SOCKET_TIMEOUT, Code::kUnavailable},
      {LIBSSH2_ERROR_CHANNEL_FAILURE, Code::kUnavailable},
      {LIBSSH2_ERROR_ALLOC, Code::kInternal},
      {-9999, Code::kUnavailable},
  };
  for (const Row& row : rows) {
    const Error error = SshError(row.rc, "why", "here");
    EXPECT_EQ(error.code(), row.code) << row.rc;
    EXPECT_TRUE(error.message().starts_with("ssh to here: ")) << error.message();
    EXPECT_NE(error.message().find("why"), std::string::npos);
    EXPECT_TRUE(error.code() == Code::kInternal || !error.hint().empty()) << row.rc;
  }
  EXPECT_EQ(SshError(-9999, "", "here").message(),
            "ssh to here: the connection broke (error -9999)");
  const Error broken =
      SshError(LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, "Waiting for publickey USERAUTH response", "x");
  EXPECT_EQ(broken.code(), Code::kUnavailable) << "a broken connection was taken for a refused key";
}

}  // namespace
}  // namespace a4c::baremetal
