// How fast a file goes by stock sftp into a workspace and back, through `a4c connect`, a4cd and its
// tunnel, against stock sftp straight to the same server's sshd.
//
//   sftp_bench [MB [rounds]]
//
// Servers: A4C_TEST_BAREMETAL_HOSTS; how stock ssh reaches the first of them:
// A4C_TEST_BAREMETAL_SSH_CONFIG. The ways take turns, each there and back. A server whose disk is
// too small for the file gets a smaller one (A4C_STACK_DISK_MB of dev/stack). `ratio` is of the
// median throughputs.
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "bench/support/a4cd_process.h"
#include "bench/support/runtime.h"

namespace a4c::bench {
namespace {

constexpr int64_t kMB = 1'000'000;
constexpr const char* kSftpServer = "/usr/lib/openssh/sftp-server";

// What the command prints; dies if it fails.
std::string Run(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) Die("no process can be started");
  std::string output;
  std::array<char, 4096> piece{};
  while (const size_t count = fread(piece.data(), 1, piece.size(), pipe)) {
    output.append(piece.data(), count);
  }
  const int status = pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) Die(command + ": " + output);
  return output;
}

double SecondsOf(const std::string& command) {
  const double started = Seconds();
  Run(command);
  return Seconds() - started;
}

class Contest {
 public:
  Contest(int64_t bytes_wanted, int rounds)
      : rounds_(rounds), straight_("sftp -q -F " + Needed("A4C_TEST_BAREMETAL_SSH_CONFIG")) {
    const std::string ssh = "ssh -F " + Needed("A4C_TEST_BAREMETAL_SSH_CONFIG") + " server-1 ";
    const int64_t free_bytes = std::stoll(Run(ssh + "df -B1 --output=avail /srv | tail -n 1"));
    bytes_ = std::min(bytes_wanted, free_bytes / 4 / kMB * kMB);
    straight_at_ = Run(ssh + "mktemp -d -p /var/tmp");
    straight_at_.pop_back();
    remove_ = ssh + "rm -rf " + straight_at_;
    MakeData();
    MakeWorkspace();
  }
  ~Contest() {
    Run(remove_);
    Run(a4c_ + "workspace delete sftp-bench --wait");
  }

  void Compete() {
    for (int round = -1; round < rounds_; ++round) {  // the first one warms both
      const double connect = SecondsOf(There(through_ + " sftp-bench.a4c", "/workspace/data"));
      const double straight = SecondsOf(There(straight_ + " server-1", straight_at_ + "/data"));
      if (round < 0) continue;
      connect_s_.push_back(connect);
      straight_s_.push_back(straight);
    }
    const double moved_mb = 2.0 * static_cast<double>(bytes_) / static_cast<double>(kMB);
    Json line;
    line.Set("question", "stock sftp into a workspace and back against straight to its server");
    line.Set("mb", bytes_ / kMB).Set("rounds", int64_t{rounds_});
    line.Set("connect_mb_s", moved_mb / Median(connect_s_));
    line.Set("straight_mb_s", moved_mb / Median(straight_s_));
    line.Set("ratio", Median(straight_s_) / Median(connect_s_)).Set("reach", 0.5);
    std::printf("%s\n", line.ToString().c_str());
  }

 private:
  static std::string Needed(const char* variable) {
    const char* text = std::getenv(variable);
    if (text == nullptr) Die(std::string(variable) + " is not set: see dev/stack");
    return text;
  }
  std::string Here(const std::string& name) const { return (a4cd_.directory() / name).string(); }

  // There and back, and what came back is what went.
  std::string There(const std::string& sftp, const std::string& path) const {
    return "printf 'put " + Here("data") + " " + path + "\\nget " + path + " " + Here("back") +
           "\\nrm " + path + "\\n' | " + sftp + " && cmp " + Here("data") + " " + Here("back");
  }

  void MakeData() {
    std::ofstream data(Here("data"), std::ios::binary);
    std::string block(1 << 20, '\0');
    for (char& c : block) c = static_cast<char>(TheRuntime().random.Next());
    for (int64_t left = bytes_; left > 0; left -= static_cast<int64_t>(block.size())) {
      data.write(block.data(), std::min<int64_t>(left, static_cast<int64_t>(block.size())));
    }
  }

  // One whose image has this machine's sftp-server, and what that is linked with.
  void MakeWorkspace() {
    const std::string root = Here("image/root");
    Run("mkdir -p " + root + "/usr/lib/openssh");
    Run("cp " + std::string(kSftpServer) + " " + root + kSftpServer);
    Run("for lib in $(ldd " + std::string(kSftpServer) +
        " | grep -oE '/[^ ]+'); do install -D \"$lib\" \"" + root + "$lib\"; done");
    std::ofstream(Here("image/Dockerfile")) << "FROM busybox:local\nCOPY root /\n";
    a4c_ = "A4C_URL=http://127.0.0.1:" + std::to_string(a4cd_.port()) +
           " A4C_API_KEY_FILE=" + Here("key") + " A4C_CONFIG=" + Here("cli.yaml") + " " + A4C_CLI +
           " ";
    Run(a4c_ + "image build -t a4c-bench-sftp:1 --host server-1 " + Here("image"));
    Run(a4c_ +
        "workspace create sftp-bench --wait --host server-1 --image a4c-bench-sftp:1 --disk " +
        std::to_string(bytes_ + bytes_ / 4) + " -- sleep 36000");
    Run(a4c_ + "config ssh --ssh-config " + Here("ssh_config"));
    through_ = a4c_.substr(0, a4c_.find(A4C_CLI)) + "sftp -q -F " + Here("ssh_config");
  }

  const int rounds_;
  const A4cdProcess a4cd_{
      "store: {plugin: store-sqlite, config: {path: @/a4cd.db}}\n"
      "roles: [api, worker]\nsearch: {plugin: search-memory}\n"
      "hosts: {plugin: host-baremetal, config: {servers_file: '" +
      Needed("A4C_TEST_BAREMETAL_HOSTS") + "', cluster: bench, stop_timeout: 1s}}\n"};
  const std::string straight_;
  int64_t bytes_ = 0;
  std::string straight_at_;
  std::string remove_;
  std::string a4c_;      // the command line, with its environment
  std::string through_;  // sftp through it
  std::vector<double> connect_s_;
  std::vector<double> straight_s_;
};

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  Contest contest(std::max(1L, Argument(argc, argv, 1, 1000)) * kMB,
                  static_cast<int>(std::max(1L, Argument(argc, argv, 2, 3))));
  contest.Compete();
  return 0;
}
