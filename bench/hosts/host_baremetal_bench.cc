// How long create + start + remove of a unit take through host-baremetal over SSH, one after the
// other, against the same API calls on the engine's own local socket.
//
//   host_baremetal_bench [rounds]
//
// Servers: A4C_TEST_BAREMETAL_HELPER_HOSTS, or A4C_TEST_BAREMETAL_HOSTS; the local socket of the
// first of them, as this machine reaches it: A4C_TEST_BAREMETAL_SOCKET. The ways take turns.
// `ratio` is of the medians. `ssh_docker_ms` is what `ssh server docker run` and `rm` take,
// `docker_kept_ssh_ms` what `docker -H ssh://server run` and `rm` take over a connection that is
// kept (ControlMaster).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "baremetal_config.h"
#include "baremetal_host_provider.h"
#include "baremetal_keys.h"
#include "bench/support/runtime.h"
#include "docker/docker_body.h"
#include "docker/docker_connection.h"
#include "ssh/socket.h"

namespace a4c::bench {
namespace {

using namespace baremetal;

constexpr const char* kImage = "busybox:local";
constexpr int kDockerRounds = 3;

Call Soon() {
  return Call::Within(TheRuntime().clock, 60'000);
}

template <typename Function>
double Milliseconds(Function function) {
  const int64_t start = TheRuntime().clock.MonotonicNs();
  function();
  return static_cast<double>(TheRuntime().clock.MonotonicNs() - start) * 1e-6;
}

BaremetalOptions Options(bool* helper) {
  const char* helped = std::getenv("A4C_TEST_BAREMETAL_HELPER_HOSTS");
  *helper = helped != nullptr;
  const std::string file = *helper ? helped : FromEnvironment("A4C_TEST_BAREMETAL_HOSTS");
  auto config = CheckConfig(ConfigValue::Map({{"servers_file", ConfigValue::Scalar(file)},
                                              {"cluster", ConfigValue::Scalar("bench")}}),
                            kBaremetalKeys);
  if (!config) Die(config.error().ToString());
  auto options = ReadBaremetalConfig(*config);
  if (!options) Die(options.error().ToString());
  return *std::move(options);
}

Unit NewUnit(const std::string& host, const std::string& way, int round) {
  return {.host = host,
          .name = "bench-" + way + "-" + std::to_string(round),
          .epoch = TheRuntime().clock.NowMs(),  // servers remember those of runs before
          .spec = {.image = kImage, .command = {"sleep", "600"}}};
}

void ThroughProvider(HostProvider& provider, const Unit& unit) {
  const auto made = provider.Ensure(Soon(), unit);
  if (!made) Die(made.error().ToString());
  const auto removed = provider.Remove(Soon(), unit.host, unit.name, unit.epoch + 1);
  if (!removed) Die(removed.error().ToString());
}

void Do(DockerConnection& docker, const std::string& method, const std::string& target,
        const std::string& body = {}) {
  const auto reply =
      docker.Exchange(Soon(), {.method = method, .target = target, .body = body, .effect = true});
  if (!reply) Die(reply.error().ToString());
  if (!reply->ok()) Die(method + " " + target + ": " + reply->body);
}

void OnLocalSocket(DockerConnection& docker, const Unit& unit, const UnitDefaults& defaults) {
  Do(docker, "POST", "/containers/create?name=" + unit.name,
     CreateBody(unit, "bench", defaults).ToString());
  Do(docker, "POST", "/containers/" + unit.name + "/start");
  Do(docker, "DELETE", "/containers/" + unit.name + "?force=1&v=1");
  Do(docker, "DELETE", "/volumes/" + VolumeName("bench", unit.name));
}

// `docker run` and `docker rm` of such a prefix; 0 without stock ssh's configuration.
double DockerTakes(const std::string& docker) {
  const std::string line = docker + " run -d --name bench-cli " + kImage + " sleep 600 && " +
                           docker + " rm -f bench-cli";
  const auto once = [&] {
    if (std::system(("(" + line + ") >/dev/null 2>&1").c_str()) != 0) Die(line);
  };
  once();  // warms it
  std::vector<double> times;
  for (int i = 0; i < kDockerRounds; ++i) times.push_back(Milliseconds(once));
  return Median(times);
}

// What people type, a new connection for each command.
double DockerOverSsh(const ServerOptions& server) {
  const char* config = std::getenv("A4C_TEST_BAREMETAL_SSH_CONFIG");
  if (config == nullptr) return 0;
  return DockerTakes("ssh -F " + std::string(config) + " " + server.id + " docker -H unix://" +
                     server.docker_socket);
}

// `docker -H ssh://`, whose ssh keeps one connection for all of them (ControlMaster).
double DockerOverKeptSsh(const ServerOptions& server) {
  const char* config = std::getenv("A4C_TEST_BAREMETAL_SSH_CONFIG");
  if (config == nullptr) return 0;
  const TemporaryDirectory made;
  const std::string& directory = made.path();
  // docker starts the ssh that it finds, and has no flag for its options.
  const std::string ssh =
      "/usr/bin/ssh -F " + std::string(config) +
      " -o ControlMaster=auto -o ControlPersist=60 -o ControlPath=" + directory + "/control";
  std::ofstream(directory + "/ssh") << "#!/bin/sh\nexec " << ssh << " \"$@\"\n";
  std::filesystem::permissions(directory + "/ssh", std::filesystem::perms::owner_all);
  const double ms = DockerTakes("PATH=" + directory + ":$PATH docker -H ssh://" + server.id);
  (void)std::system((ssh + " -O exit " + server.id + " >/dev/null 2>&1").c_str());
  return ms;
}

int Run(int rounds) {
  bool helper = false;
  const BaremetalOptions options = Options(&helper);
  const std::string& host = options.servers[0].id;
  const auto provider = NewBaremetalHostProvider(TheRuntime(), options);
  auto channel = ConnectLocal(Soon(), FromEnvironment("A4C_TEST_BAREMETAL_SOCKET"));
  if (!channel) Die(channel.error().ToString());
  DockerConnection local(*std::move(channel), 1 << 20);
  std::vector<double> over_ssh;
  std::vector<double> on_socket;
  for (int round = -1; round < rounds; ++round) {  // the first one warms both
    const bool ssh_first = round % 2 == 0;
    const auto ssh = [&] {
      return Milliseconds([&] { ThroughProvider(*provider, NewUnit(host, "ssh", round)); });
    };
    const auto socket = [&] {
      return Milliseconds(
          [&] { OnLocalSocket(local, NewUnit(host, "local", round), options.unit); });
    };
    const double first = ssh_first ? ssh() : socket();
    const double second = ssh_first ? socket() : ssh();
    if (round < 0) continue;
    over_ssh.push_back(ssh_first ? first : second);
    on_socket.push_back(ssh_first ? second : first);
  }
  Json line;
  line.Set("question", "create + start + remove over SSH against the engine's local socket, p50");
  line.Set("helper", helper).Set("rounds", int64_t{rounds});
  line.Set("ssh_ms", Median(over_ssh)).Set("local_ms", Median(on_socket));
  line.Set("ssh_docker_ms", DockerOverSsh(options.servers[0]));
  line.Set("docker_kept_ssh_ms", DockerOverKeptSsh(options.servers[0]));
  line.Set("ratio", Median(over_ssh) / Median(on_socket)).Set("reach", 1.1);
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  return a4c::bench::Run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 30);
}
