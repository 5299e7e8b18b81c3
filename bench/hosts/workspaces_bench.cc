// How long it takes to create and start many units over all servers through host-baremetal over
// SSH, against the same API calls on the engines' own local sockets, as many at once.
//
//   workspaces_bench [units [at once [rounds]]]
//
// Servers: A4C_TEST_BAREMETAL_HELPER_HOSTS, or A4C_TEST_BAREMETAL_HOSTS; their local sockets, as
// this machine reaches them, in the same order: A4C_TEST_BAREMETAL_SOCKETS. The ways take turns,
// and remove what they made in between. `ratio` is of the medians.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <sstream>
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

Call Soon() {
  return Call::Within(TheRuntime().clock, 120'000);
}

BaremetalOptions Options(bool* helper) {
  const char* file = std::getenv("A4C_TEST_BAREMETAL_HELPER_HOSTS");
  *helper = file != nullptr;
  const std::string servers = *helper ? file : FromEnvironment("A4C_TEST_BAREMETAL_HOSTS");
  const auto config =
      OrDie(CheckConfig(ConfigValue::Map({{"servers_file", ConfigValue::Scalar(servers)},
                                          {"cluster", ConfigValue::Scalar("bench")}}),
                        kBaremetalKeys));
  return OrDie(ReadBaremetalConfig(config));
}

std::vector<std::string> Sockets() {
  std::vector<std::string> paths;
  std::istringstream text(FromEnvironment("A4C_TEST_BAREMETAL_SOCKETS"));
  for (std::string path; std::getline(text, path, ',');) paths.push_back(path);
  return paths;
}

// A way to make and to remove units, by several threads; `worker` says which.
struct Way {
  std::string name;
  std::function<void(int worker, const Unit&)> make;
  std::function<void(int worker, const Unit&)> remove;
};

class Contest {
 public:
  Contest(int units, int at_once)
      : units_(units),
        at_once_(at_once),
        options_(Options(&helper_)),
        provider_(NewBaremetalHostProvider(TheRuntime(), options_)),
        sockets_(Sockets()),
        local_(static_cast<size_t>(at_once)) {
    if (sockets_.size() != options_.servers.size()) Die("there is not one socket for each server");
  }

  void Compete(int rounds) {
    const Way over_ssh{
        "ssh", [this](int, const Unit& unit) { OrDie(provider_->Ensure(Soon(), unit)); },
        [this](int, const Unit& unit) {
          const auto removed = provider_->Remove(Soon(), unit.host, unit.name, unit.epoch + 1);
          if (!removed) Die(removed.error().ToString());
        }};
    const Way on_socket{"local",
                        [this](int worker, const Unit& unit) { MakeOnSocket(worker, unit); },
                        [this](int worker, const Unit& unit) { RemoveOnSocket(worker, unit); }};
    std::vector<double> ssh_s;
    std::vector<double> local_s;
    for (int round = -1; round < rounds; ++round) {  // the first one warms both
      const bool ssh_first = round % 2 == 0;
      const double first = SecondsOf(ssh_first ? over_ssh : on_socket, round);
      const double second = SecondsOf(ssh_first ? on_socket : over_ssh, round);
      if (round < 0) continue;
      ssh_s.push_back(ssh_first ? first : second);
      local_s.push_back(ssh_first ? second : first);
    }
    Json line;
    line.Set("question", "create + start of units over all servers against the local sockets");
    line.Set("units", int64_t{units_}).Set("at_once", int64_t{at_once_});
    line.Set("servers", static_cast<int64_t>(options_.servers.size()));
    line.Set("helper", helper_).Set("rounds", int64_t{rounds});
    line.Set("ssh_s", Median(ssh_s)).Set("local_s", Median(local_s));
    line.Set("ratio", Median(ssh_s) / Median(local_s)).Set("reach", 1.2);
    std::printf("%s\n", line.ToString().c_str());
  }

 private:
  // Of making them all; removes them.
  double SecondsOf(const Way& way, int round) {
    std::vector<Unit> units;
    for (int i = 0; i < units_; ++i) {
      const size_t server = static_cast<size_t>(i) % options_.servers.size();
      units.push_back(
          {.host = options_.servers[server].id,
           .name = "many-" + way.name + "-" + std::to_string(round + 1) + "-" + std::to_string(i),
           .epoch = TheRuntime().clock.NowMs(),  // servers remember those of runs before
           .spec = {.image = kImage, .command = {"sleep", "600"}}});
    }
    const double begun = Seconds();
    ForEach(units, way.make);
    const double taken = Seconds() - begun;
    ForEach(units, way.remove);
    return taken;
  }

  void ForEach(const std::vector<Unit>& units, const std::function<void(int, const Unit&)>& act) {
    std::atomic<size_t> next = 0;
    std::vector<std::unique_ptr<Thread>> threads;
    for (int worker = 0; worker < at_once_; ++worker) {
      threads.push_back(TheRuntime().threads.Start("maker", [&, worker](const std::stop_token&) {
        for (size_t i = next++; i < units.size(); i = next++) act(worker, units[i]);
      }));
    }
    for (const auto& thread : threads) thread->Join();
  }

  // Each thread keeps a connection to each engine, as the provider does.
  DockerConnection& Local(int worker, const std::string& host) {
    const auto server = std::ranges::find(options_.servers, host, &ServerOptions::id);
    const auto at = static_cast<size_t>(server - options_.servers.begin());
    auto& kept = local_[static_cast<size_t>(worker)];
    kept.resize(sockets_.size());
    if (kept[at] == nullptr || !kept[at]->Reusable()) {
      kept[at] =
          std::make_unique<DockerConnection>(OrDie(ConnectLocal(Soon(), sockets_[at])), 1 << 20);
    }
    return *kept[at];
  }
  static void Do(DockerConnection& docker, const std::string& method, const std::string& target,
                 const std::string& body = {}) {
    const auto reply = OrDie(docker.Exchange(
        Soon(), {.method = method, .target = target, .body = body, .effect = true}));
    if (!reply.ok()) Die(method + " " + target + ": " + reply.body);
  }
  void MakeOnSocket(int worker, const Unit& unit) {
    DockerConnection& docker = Local(worker, unit.host);
    Do(docker, "POST", "/containers/create?name=" + unit.name,
       CreateBody(unit, "bench", options_.unit).ToString());
    Do(docker, "POST", "/containers/" + unit.name + "/start");
  }
  void RemoveOnSocket(int worker, const Unit& unit) {
    DockerConnection& docker = Local(worker, unit.host);
    Do(docker, "DELETE", "/containers/" + unit.name + "?force=1&v=1");
    Do(docker, "DELETE", "/volumes/" + VolumeName("bench", unit.name));
  }

  const int units_;
  const int at_once_;
  bool helper_ = false;
  const BaremetalOptions options_;
  const std::unique_ptr<HostProvider> provider_;
  const std::vector<std::string> sockets_;
  std::vector<std::vector<std::unique_ptr<DockerConnection>>> local_;  // by worker, by server
};

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  Contest contest(static_cast<int>(std::max(1L, Argument(argc, argv, 1, 60))),
                  static_cast<int>(std::max(1L, Argument(argc, argv, 2, 12))));
  contest.Compete(static_cast<int>(std::max(1L, Argument(argc, argv, 3, 5))));
  return 0;
}
