// How fast a build context of 200 MB goes through host-baremetal over SSH to the engine that
// builds, against the same tar posted to the engine's own local socket, and what memory that takes.
//
//   image_context_bench [MB [rounds]]
//
// Servers: A4C_TEST_BAREMETAL_HOSTS; the local socket of the first of them, as this machine reaches
// it: A4C_TEST_BAREMETAL_SOCKET; how stock ssh reaches it: A4C_TEST_BAREMETAL_SSH_CONFIG. The ways
// take turns. `ratio` is of the median throughputs; `stock_ssh_mib_s` is the same tar through
// `ssh -L`; `memory_mib` the most that this process held above what it held idle, on the way over
// SSH.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "a4c/host_cleanup.h"
#include "a4c/json.h"
#include "baremetal_config.h"
#include "baremetal_host_provider.h"
#include "baremetal_keys.h"
#include "bench/support/runtime.h"
#include "docker/docker_connection.h"
#include "docker/engine_messages.h"
#include "ssh/socket.h"
#include "tests/support/tar.h"

namespace a4c::bench {
namespace {

using namespace baremetal;

constexpr int64_t kMiB = 1 << 20;
constexpr size_t kPieceBytes = 64u << 10;
constexpr int64_t kLookMs = 10;
constexpr const char* kTag = "a4c-bench/context:1";

Call Soon() {
  return Call::Within(TheRuntime().clock, 600'000);
}

BaremetalOptions Options() {
  auto config = CheckConfig(
      ConfigValue::Map(
          {{"servers_file", ConfigValue::Scalar(FromEnvironment("A4C_TEST_BAREMETAL_HOSTS"))},
           {"cluster", ConfigValue::Scalar("bench")}}),
      kBaremetalKeys);
  if (!config) Die(config.error().ToString());
  auto options = ReadBaremetalConfig(*config);
  if (!options) Die(options.error().ToString());
  return *std::move(options);
}

// A Dockerfile that wants little, and a file of so many bytes that no compression makes less of. A
// piece at a time: nobody has the whole of it.
class Context {
 public:
  explicit Context(int64_t bytes) : left_(bytes) {
    const std::string whole =
        TarOf({{"Dockerfile", "FROM scratch\nCOPY Dockerfile /\n"}, {"data", ""}});
    // The header of "data" is the last block before the end; its size and sum are made anew.
    head_ = whole.substr(0, whole.size() - 1024);
    char size[12];
    std::snprintf(size, sizeof(size), "%011llo", static_cast<unsigned long long>(bytes));
    const size_t at = head_.size() - 512;
    head_.replace(at + 124, 11, size);
    head_.replace(at + 148, 8, "        ");
    unsigned sum = 0;
    for (size_t i = at; i < head_.size(); ++i) sum += static_cast<unsigned char>(head_[i]);
    char digits[7];
    std::snprintf(digits, sizeof(digits), "%06o", sum);
    head_.replace(at + 148, 8, std::string(digits, 6) + '\0' + ' ');
  }
  Result<std::string> Next() {
    if (!head_.empty()) return std::exchange(head_, {});
    if (left_ > 0) {
      left_ -= static_cast<int64_t>(kPieceBytes);
      return Noise();
    }
    if (ended_) return std::string();
    ended_ = true;
    return std::string(1024, '\0');
  }

 private:
  // Made once: it is nothing that is timed.
  static const std::string& Noise() {
    static const std::string noise = [] {
      std::string bytes(kPieceBytes, '\0');
      for (char& c : bytes) c = static_cast<char>(TheRuntime().random.Next());
      return bytes;
    }();
    return noise;
  }

  std::string head_;
  int64_t left_;
  bool ended_ = false;
};

// Of this process: what it holds now, and the most that it has held since Reset.
int64_t StatusBytes(const std::string& field) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(field)) return std::atoll(line.c_str() + field.size() + 1) * 1024;
  }
  return 0;
}
void ResetPeak() {
  std::ofstream("/proc/self/clear_refs") << 5;
}

template <typename Function>
double MiBPerSecond(int64_t bytes, Function function) {
  const int64_t start = TheRuntime().clock.MonotonicNs();
  function();
  const double seconds = static_cast<double>(TheRuntime().clock.MonotonicNs() - start) * 1e-9;
  return static_cast<double>(bytes) / static_cast<double>(kMiB) / seconds;
}

void OverSsh(HostProvider& provider, const std::string& host, int64_t bytes) {
  Context context(bytes);
  const auto built = provider.As<HostImages>()->Build(
      Soon(), {.host = host, .tag = kTag}, [&] { return context.Next(); }, [](std::string_view) {});
  if (!built) Die(built.error().ToString());
}

void OnSocket(const std::string& path, int64_t bytes) {
  auto channel = ConnectLocal(Soon(), path);
  if (!channel) Die(channel.error().ToString());
  DockerConnection docker(*std::move(channel), kMiB);
  Context context(bytes);
  const ByteSource source = [&] { return context.Next(); };
  const auto status = docker.Begin(Soon(), {.method = "POST",
                                            .target = "/build?rm=1&networkmode=none",
                                            .content_type = "application/x-tar",
                                            .stream = &source,
                                            .stream_bytes_max = bytes + kMiB,
                                            .effect = true});
  if (!status) Die(status.error().ToString());
  const Progress nobody = [](std::string_view) {};
  EngineMessages messages(nobody);
  const auto read = messages.ReadAll(Soon(), docker);
  if (!read || !messages.failure().empty()) Die("build: " + messages.failure());
}

// A socket of this machine that stock ssh leads to the engine's: what SSH costs without us.
class StockTunnel {
 public:
  explicit StockTunnel(const ServerOptions& server) {
    const std::string config = FromEnvironment("A4C_TEST_BAREMETAL_SSH_CONFIG");
    const std::string forward = path_ + ":" + server.docker_socket;
    pid_ = fork();
    if (pid_ == 0) {
      execlp("ssh", "ssh", "-F", config.c_str(), "-nNT", "-L", forward.c_str(), server.id.c_str(),
             nullptr);
      _exit(127);
    }
    const Call call = Soon();
    while (!ConnectLocal(call, path_)) {
      if (call.Expired() || waitpid(pid_, nullptr, WNOHANG) != 0) Die("ssh -L does not stand");
      Pause(kLookMs);
    }
  }
  ~StockTunnel() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  StockTunnel(const StockTunnel&) = delete;
  StockTunnel& operator=(const StockTunnel&) = delete;
  const std::string& path() const { return path_; }

 private:
  const TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/docker.sock";
  pid_t pid_ = -1;
};

int Run(int64_t bytes, int rounds) {
  const BaremetalOptions options = Options();
  const std::string& host = options.servers[0].id;
  const StockTunnel stock(options.servers[0]);
  const auto provider = NewBaremetalHostProvider(TheRuntime(), options);
  std::vector<double> over_ssh;
  std::vector<double> over_stock_ssh;
  std::vector<double> on_socket;
  int64_t memory_bytes = 0;
  for (int round = -1; round < rounds; ++round) {  // the first one warms both
    const int64_t size = round < 0 ? kMiB : bytes;
    ResetPeak();
    const int64_t idle_bytes = StatusBytes("VmRSS:");
    const double ssh = MiBPerSecond(size, [&] { OverSsh(*provider, host, size); });
    const int64_t above_bytes = StatusBytes("VmHWM:") - idle_bytes;
    const double stock_ssh = MiBPerSecond(size, [&] { OnSocket(stock.path(), size); });
    const double socket =
        MiBPerSecond(size, [&] { OnSocket(FromEnvironment("A4C_TEST_BAREMETAL_SOCKET"), size); });
    if (round < 0) continue;
    over_ssh.push_back(ssh);
    over_stock_ssh.push_back(stock_ssh);
    on_socket.push_back(socket);
    memory_bytes = std::max(memory_bytes, above_bytes);
  }
  Json line;
  line.Set("question",
           "a build context over SSH against the same tar on the engine's local socket");
  line.Set("mib", bytes / kMiB).Set("rounds", int64_t{rounds});
  line.Set("ssh_mib_s", Median(over_ssh)).Set("local_mib_s", Median(on_socket));
  line.Set("stock_ssh_mib_s", Median(over_stock_ssh));
  line.Set("memory_mib", static_cast<double>(memory_bytes) / static_cast<double>(kMiB));
  line.Set("memory_reach", 32).Set("ratio", Median(over_ssh) / Median(on_socket)).Set("reach", 0.8);
  std::printf("%s\n", line.ToString().c_str());
  const auto use = provider->As<HostCleanup>()->Survey(Soon(), host);
  for (const HostItem& item : use ? use->items : std::vector<HostItem>()) {
    if (item.kind == HostItem::Kind::kImage) {
      (void)provider->As<HostCleanup>()->DiscardImage(Soon(), host, item.id);
    }
  }
  return 0;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  const int64_t mib = argc > 1 ? std::max(1, std::atoi(argv[1])) : 200;
  return a4c::bench::Run(mib * a4c::bench::kMiB, argc > 2 ? std::max(1, std::atoi(argv[2])) : 5);
}
