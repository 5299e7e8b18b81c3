#include "bench/support/a4cd_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "bench/support/http_load.h"
#include "bench/support/runtime.h"

extern char** environ;

namespace a4c::bench {
namespace {

constexpr double kStartSeconds = 60;

std::string FileText(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Die() leaves by exit(), past all destructors: nothing of ours runs on then.
std::set<pid_t>& Running() {
  static std::set<pid_t>& running = *new std::set<pid_t>;
  return running;
}
void KillAll() {
  for (const pid_t pid : Running()) kill(pid, SIGKILL);
}

// The config that every question has: a port of the kernel's choice, no limit of the rate.
std::string Whole(std::string config, const std::filesystem::path& directory) {
  config =
      "data_directory: @\napi: {listen: \"127.0.0.1:0\", rate_per_s: 0, bootstrap_key_file: "
      "@/key}\n" +
      config;
  for (size_t at = config.find('@'); at != std::string::npos; at = config.find('@', at)) {
    config.replace(at, 1, directory.string());
  }
  return config;
}

}  // namespace

A4cdProcess::A4cdProcess(std::string config, const std::map<std::string, std::string>& files) {
  std::string pattern = (std::filesystem::temp_directory_path() / "a4c-bench-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) Die("no temporary directory can be made");
  directory_ = pattern;
  std::ofstream(directory_ / "a4cd.yaml") << Whole(std::move(config), directory_);
  for (const auto& [name, text] : files) std::ofstream(directory_ / name) << text;
  Launch();
  const double deadline = Seconds() + kStartSeconds;
  while ((port_ = ReadPort()) == 0) {
    if (waitpid(pid_, nullptr, WNOHANG) != 0 || Seconds() > deadline) {
      Die("a4cd did not start: " + FileText(directory_ / "log"));
    }
    Pause(20);
  }
  std::getline(std::ifstream(directory_ / "key") >> std::ws, key_);
}

A4cdProcess::~A4cdProcess() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  Running().erase(pid_);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void A4cdProcess::Launch() {
  const std::string config = (directory_ / "a4cd.yaml").string();
  const std::string log = (directory_ / "log").string();
  std::array<char*, 4> arguments = {const_cast<char*>(A4C_A4CD), const_cast<char*>("--config"),
                                    const_cast<char*>(config.c_str()), nullptr};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 2, log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  if (posix_spawn(&pid_, A4C_A4CD, &files, nullptr, arguments.data(), environ) != 0) {
    Die("a4cd cannot be started");
  }
  posix_spawn_file_actions_destroy(&files);
  static const int registered = std::atexit(KillAll);
  static_cast<void>(registered);
  Running().insert(pid_);
}

// It stands in the log once the API listens.
int A4cdProcess::ReadPort() const {
  const std::string log = FileText(directory_ / "log");
  constexpr std::string_view kPort = "\"port\":\"";
  const size_t at = log.find(kPort);
  int port = 0;
  if (at != std::string::npos) {
    std::from_chars(log.data() + at + kPort.size(), log.data() + log.size(), port);
  }
  return port;
}

std::string A4cdProcess::Ask(std::string_view method, std::string_view path,
                             std::string_view body) const {
  std::string answer;
  const LoadResult result =
      RunHttpLoad({.port = port_,
                   .connections = 1,
                   .seconds = 0,
                   .next = [&] { return RequestText(method, path, key_, body); },
                   .take = [&](std::string_view text) { answer = text; }});
  if (result.done == 1) return answer;
  Die(std::string(method) + " " + std::string(path) + " was answered " +
      std::to_string(result.refused.begin()->first));
}

double A4cdProcess::Metric(std::string_view name, std::string_view labels) const {
  std::istringstream lines(Ask("GET", "/metrics"));
  double sum = 0;
  bool found = false;
  for (std::string line; std::getline(lines, line);) {
    const size_t end = std::min(line.find('{'), line.find(' '));
    if (line.substr(0, end) != name || line.find(labels) == std::string::npos) continue;
    sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
    found = true;
  }
  if (!found) Die("a4cd has no metric " + std::string(name) + " with " + std::string(labels));
  return sum;
}

int64_t A4cdProcess::PeakMemoryBytes() const {
  const std::string status = FileText("/proc/" + std::to_string(pid_) + "/status");
  const size_t at = status.find("VmHWM:");
  return at == std::string::npos ? 0 : std::strtoll(status.c_str() + at + 6, nullptr, 10) * 1024;
}

}  // namespace a4c::bench
