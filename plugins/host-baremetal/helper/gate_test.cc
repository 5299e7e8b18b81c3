#include "gate.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "fences.h"
#include "files.h"
#include "temporary_directory.h"

namespace a4c::helper {
namespace {

// Answers every request on a socket with the same words, and remembers what was asked.
class FakeDocker {
 public:
  explicit FakeDocker(const std::string& path) : listener_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(listener_.get(), 8), 0);
    thread_ = std::jthread([this] { Run(); });
  }
  ~FakeDocker() { shutdown(listener_.get(), SHUT_RDWR); }
  std::string asked() {
    std::lock_guard lock(mutex_);
    return asked_;
  }
  void SetAnswer(const std::string& to_effects, const std::string& to_reads) {
    std::lock_guard lock(mutex_);
    to_effects_ = to_effects;
    to_reads_ = to_reads;
  }

 private:
  void Run() {
    while (true) {
      const Fd peer(accept(listener_.get(), nullptr, nullptr));
      if (!peer) return;
      char piece[4096] = {};
      const ssize_t count = read(peer.get(), piece, sizeof(piece));
      {
        std::lock_guard lock(mutex_);
        asked_.append(piece, count > 0 ? static_cast<size_t>(count) : 0);
        const bool reads = std::string_view(piece, 4) == "GET ";
        (void)WriteAll(peer.get(), reads ? to_reads_ : to_effects_);
      }
    }
  }

  Fd listener_;
  std::mutex mutex_;
  std::string asked_;
  std::string to_effects_ = "HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"none\"}";
  std::string to_reads_ = to_effects_;
  std::jthread thread_;  // last: joined before what it uses goes
};

class HelperGate : public ::testing::Test {
 protected:
  Reply Send(const std::string& method, const std::string& target, int64_t epoch,
             std::map<std::string, std::string> more = {}) {
    Request request{.method = method, .target = target, .fields = std::move(more)};
    request.fields.emplace("a4c-cluster", "test");
    request.fields.emplace("a4c-unit", "ws-1");
    request.fields.emplace("a4c-epoch", std::to_string(epoch));
    return gate_.Handle(request);
  }

  const TemporaryDirectory directory_;
  FakeDocker docker_{directory_.path() + "/docker.sock"};
  // Ends a container that dockerd calls running or not, in which there is a process; whether that
  // was killed before dockerd was asked to end it.
  bool IsKilledBefore(const std::string& method, const std::string& verb, bool running) {
    const std::string id(64, 'c');
    docker_.SetAnswer(
        "HTTP/1.0 204 No Content\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n{\"Id\":\"" + id +
            "\",\"Name\":\"/ws-1\",\"State\":{\"Running\":" + (running ? "true" : "false") + "}}");
    const pid_t pid = fork();
    if (pid == 0) {
      while (true) pause();
    }
    const std::string directory = directory_.path() + "/proc/" + std::to_string(pid);
    std::filesystem::create_directories(directory);
    std::ofstream(directory + "/cgroup") << "0::/docker/" << id << "\n";
    int status = 0;
    bool before = false;
    std::jthread kernel([&] {
      waitpid(pid, &status, 0);
      before = docker_.asked().find(method + " ") == std::string::npos;
      std::filesystem::remove_all(directory);
    });
    EXPECT_EQ(Send(method, "/v1.41/containers/" + id + verb, 1).status, 204);
    kill(pid, SIGTERM);
    kernel.join();
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    return before;
  }

  const Gate gate_{{.data = directory_.path() + "/data",
                    .docker = directory_.path() + "/docker.sock",
                    .proc = directory_.path() + "/proc"}};
};

TEST_F(HelperGate, ReadsAreHandedOnWithoutAFence) {
  EXPECT_EQ(gate_.Handle({.method = "GET", .target = "/v1.41/containers/x/json"}).status, 404);
  EXPECT_NE(docker_.asked().find("GET /v1.41/containers/x/json HTTP/1.0"), std::string::npos);
}

TEST_F(HelperGate, AnEffectOfALowerEpochIsNeverHandedOn) {
  EXPECT_EQ(Send("POST", "/v1.41/containers/abc/start", 7003).status, 404);
  EXPECT_NE(docker_.asked().find("abc"), std::string::npos);
  const Reply refused = Send("DELETE", "/v1.41/containers/def", 7002);
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find("7003"), std::string::npos) << refused.body;
  EXPECT_EQ(docker_.asked().find("def"), std::string::npos);
}

// A dockerd that was killed in the middle of a start does not know that it runs.
TEST_F(HelperGate, ARemovalLeavesNoProcessThatDockerdHasLost) {
  EXPECT_TRUE(IsKilledBefore("DELETE", "?force=1&v=1", false));
}

TEST_F(HelperGate, NorDoesAStop) {
  EXPECT_TRUE(IsKilledBefore("POST", "/stop?t=10", false));
}

TEST_F(HelperGate, WhatDockerdKnowsToRunItMayEndItself) {
  EXPECT_FALSE(IsKilledBefore("DELETE", "?force=1&v=1", true));
}

TEST_F(HelperGate, AlsoWhenItStopsIt) {
  EXPECT_FALSE(IsKilledBefore("POST", "/stop?t=10", true));
}

TEST_F(HelperGate, TheFenceIsOnDiskAlsoIfDockerdIsNot) {
  const Gate away({.data = directory_.path() + "/data",
                   .docker = directory_.path() + "/none.sock",
                   .proc = "/proc"});
  Request request{.method = "POST",
                  .target = "/v1.41/containers/abc/start",
                  .fields = {{"a4c-cluster", "test"}, {"a4c-unit", "ws-1"}, {"a4c-epoch", "9"}}};
  EXPECT_EQ(away.Handle(request).status, 503);
  EXPECT_EQ(Send("POST", "/a4c/fence", 8).status, 409);
}

TEST_F(HelperGate, OnlyContainersAndVolumesAreChanged) {
  for (const char* target : {"/v1.41/images/x", "/v1.41/swarm/init", "/v1.41/exec/x/start",
                             "/v1.41/containers/../images/x", "/a4c/other"}) {
    EXPECT_EQ(Send("POST", target, 1).status, 404) << target;
  }
  EXPECT_EQ(docker_.asked(), "");
}

TEST_F(HelperGate, NamesThatAreNoNamesAreRefused) {
  for (const char* name : {"", "..", "a/b", "-a", ".a", "a b"}) {
    EXPECT_EQ(Send("POST", "/a4c/fence", 1, {{"a4c-unit", name}}).status, 400) << name;
    EXPECT_EQ(Send("POST", "/a4c/fence", 1, {{"a4c-cluster", name}}).status, 400) << name;
    if (*name != '\0') {
      EXPECT_EQ(Send("POST", "/a4c/fence", 1, {{"a4c-claim", name}}).status, 400);
    }
  }
  EXPECT_EQ(Send("POST", "/a4c/fence", 1, {{"a4c-epoch", "x"}}).status, 400);
  EXPECT_EQ(gate_.Handle({.method = "GET", .target = "/a4c/disk?path=/srv/../etc"}).status, 400);
}

TEST_F(HelperGate, AnotherTokenIsRefusedBeforeTheFence) {
  ASSERT_EQ(Send("POST", "/a4c/token?adopt=firsttoken000000", 0).status, 200);
  EXPECT_EQ(Send("POST", "/a4c/fence", 99).status, 403);
  EXPECT_EQ(Send("POST", "/a4c/fence", 5, {{"a4c-token", "firsttoken000000"}}).status, 200)
      << "the refused one raised the fence";
}

TEST_F(HelperGate, UnitsThatHaveAContainerOrAVolumeAreListedWithTheirEpochs) {
  ASSERT_EQ(Send("POST", "/a4c/fence", 42).status, 200);
  ASSERT_EQ(Send("POST", "/a4c/fence", 7, {{"a4c-unit", "gone"}}).status, 200);
  ASSERT_EQ(Send("POST", "/a4c/fence", 9, {{"a4c-unit", "ws-3"}}).status, 200);
  const std::filesystem::path volumes = directory_.path() + "/data/test/volumes";
  std::filesystem::create_directories(volumes);
  std::ofstream(volumes / "ws-3").close();
  docker_.SetAnswer("",
                    "HTTP/1.0 200 OK\r\n\r\n"
                    R"([{"Labels":{"a4c.cluster":"test","a4c.unit":"ws-1"}},)"
                    R"({"Labels":{"a4c.labels":"{\"a4c.unit\":\"none\"}","a4c.unit":"ws-2"}}])");
  const Request list{.method = "GET", .target = "/a4c/units", .fields = {{"a4c-cluster", "test"}}};
  EXPECT_EQ(gate_.Handle(list).body, R"({"units":[{"name":"ws-1","epoch":42,"disk_bytes":0},)"
                                     R"({"name":"ws-2","epoch":0,"disk_bytes":0},)"
                                     R"({"name":"ws-3","epoch":9,"disk_bytes":0}]})");
  EXPECT_EQ(Send("POST", "/a4c/fence", 6, {{"a4c-unit", "gone"}}).status, 409)
      << "who is not listed is fenced all the same";
  docker_.SetAnswer("", "HTTP/1.0 500 Internal Server Error\r\n\r\n{}");
  EXPECT_EQ(gate_.Handle(list).status, 503) << "as if there were none";
}

// As many as are looked at at once, and more, are there for longer than a fence is kept.
TEST_F(HelperGate, OldFencesOfUnitsThatAreThereDoNotKeepThoseOfOthers) {
  const std::filesystem::path data = directory_.path() + "/data/test";
  std::filesystem::create_directories(data / "units");
  std::filesystem::create_directories(data / "volumes");
  const auto add = [&](const std::string& unit) {
    std::ofstream(data / "units" / unit) << EncodeFence({.epoch = 1, .claim = ""});
    std::filesystem::last_write_time(
        data / "units" / unit,
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 31));
  };
  for (int i = 0; i < 45; ++i) {
    const std::string unit = "ws-" + std::to_string(100 + i);
    add(unit);
    std::ofstream(data / "volumes" / unit) << "x";
  }
  add("ws-999");
  docker_.SetAnswer("", "HTTP/1.0 200 OK\r\n\r\n[]");
  std::string listed;
  for (int i = 0; i < 3; ++i) {
    listed =
        gate_.Handle({.method = "GET", .target = "/a4c/units", .fields = {{"a4c-cluster", "test"}}})
            .body;
  }
  EXPECT_FALSE(std::filesystem::exists(data / "units" / "ws-999"));
  EXPECT_NE(listed.find("ws-100"), std::string::npos);
  EXPECT_NE(listed.find("ws-144"), std::string::npos);
}

TEST_F(HelperGate, NoFenceIsForgottenWhileDockerdSaysNothing) {
  const std::filesystem::path units = directory_.path() + "/data/test/units";
  std::filesystem::create_directories(units);
  std::ofstream(units / "ws-1") << EncodeFence({.epoch = 1, .claim = ""});
  std::filesystem::last_write_time(
      units / "ws-1", std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 31));
  docker_.SetAnswer("", "HTTP/1.0 500 Internal Server Error\r\n\r\n{}");
  const Request list{.method = "GET", .target = "/a4c/units", .fields = {{"a4c-cluster", "test"}}};
  (void)gate_.Handle(list);
  EXPECT_TRUE(std::filesystem::exists(units / "ws-1"));
  docker_.SetAnswer("", "HTTP/1.0 404 Not Found\r\n\r\n{}");
  (void)gate_.Handle(list);
  EXPECT_FALSE(std::filesystem::exists(units / "ws-1"));
}

TEST(HelperProgram, IsStaticAndSmall) {
  struct stat status {};
  ASSERT_EQ(stat(A4C_TEST_HELPER, &status), 0);
  EXPECT_LE(status.st_size, 2 << 20);
  const auto program = ReadFile(A4C_TEST_HELPER, 4 << 20);
  ASSERT_TRUE(program && *program);
  Elf64_Ehdr head{};
  ASSERT_GT((*program)->size(), sizeof(head));
  std::memcpy(&head, (*program)->data(), sizeof(head));
  for (int i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr part{};
    std::memcpy(&part, (*program)->data() + head.e_phoff + i * sizeof(part), sizeof(part));
    EXPECT_NE(part.p_type, static_cast<Elf64_Word>(PT_INTERP)) << "it needs a loader";
  }
}

TEST(HelperSettings, AreLinesOfPaths) {
  const auto settings = ParseSettings("# x\ndata=/srv/a4c\n\ndocker=/run/docker.sock\n");
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->data, "/srv/a4c");
  EXPECT_EQ(settings->docker, "/run/docker.sock");
  for (const char* text : {"dta=/x\n", "data=x\n", "data=/a/../b\n", "data=/a b\n", "data\n"}) {
    EXPECT_FALSE(ParseSettings(text)) << text;
  }
}

TEST_F(HelperGate, AVolumeThatHasToBeThereIsNotMadeAnew) {
  // Where one could not be made either.
  std::filesystem::create_directories(directory_.path() + "/data/test");
  std::ofstream(directory_.path() + "/data/test/volumes") << "x";
  const Reply reply = Send("POST", "/a4c/volume?bytes=16777216&existing=1", 1);
  EXPECT_EQ(reply.status, 503) << reply.body;
  EXPECT_NE(reply.body.find("is not there"), std::string::npos) << reply.body;
}

}  // namespace
}  // namespace a4c::helper
