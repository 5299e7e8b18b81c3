#include "docker_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "files.h"
#include "temporary_directory.h"

namespace a4c::helper {
namespace {

// It takes connections, and never answers.
TEST(DockerSocket, AGetOfADockerdThatHangsEnds) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/docker.sock";
  const Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(listener.get(), 8), 0);
  const auto reply = AskDocker(path, {.method = "GET", .target = "/containers/json"}, 1);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kTimeout);
}

}  // namespace
}  // namespace a4c::helper
