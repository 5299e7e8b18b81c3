#include "helper_install.h"

#include <dlfcn.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "helper_client.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kOutputBytesMax = 4u << 10;
constexpr const char* kDone = "a4c-host is installed";

// The setting, or what stands beside the plugin.
Result<std::string> ReadProgram(const std::string& configured) {
  std::filesystem::path path = configured;
  Dl_info info{};
  if (path.empty() && dladdr(reinterpret_cast<const void*>(&InstallHelper), &info) != 0) {
    path = std::filesystem::absolute(info.dli_fname).parent_path() / "a4c-host";
  }
  std::ifstream in(path, std::ios::binary);
  std::string program{std::istreambuf_iterator<char>(in), {}};
  if (!program.empty()) return program;
  return Error(Code::kInvalid, "there is no program to install at " + path.string(),
               "set helper_program to the a4c-host of this release");
}

// All of it is constant but a length and settings that were checked to hold nothing that a shell
// reads.
std::string InstallCommand(const ServerOptions& server, size_t bytes) {
  // Told nothing else, it goes on where it keeps what it keeps.
  const std::string data = server.helper_data.empty() ? "" : " --data " + server.helper_data;
  const std::string script =
      "umask 077; d=$(mktemp -d) && head -c " + std::to_string(bytes) +
      " >$d/a4c-host && chmod 700 $d/a4c-host && $d/a4c-host install --user " + server.user + data +
      " --docker " + server.docker_socket + " 2>&1 && echo " + kDone + "; rm -rf $d";
  return server.admin_user == "root" ? script : "sudo -n sh -c '" + script + "' 2>&1";
}

Result<std::string> Send(const Call& call, ByteChannel& channel, const std::string& program) {
  A4C_CHECK(channel.Write(call, program));
  std::string output;
  char piece[1024];
  while (output.size() < kOutputBytesMax) {
    A4C_TRY(const size_t count, channel.Read(call, piece, sizeof(piece)));
    if (count == 0) break;
    output.append(piece, count);
  }
  return output;
}

Result<void> Install(const Call& call, const BaremetalServers& servers,
                     const ServerOptions& server) {
  A4C_TRY(const std::string program, ReadProgram(servers.options.helper_program));
  A4C_TRY(const auto session,
          ConnectSsh(call, {.address = server.address,
                            .port = server.port,
                            .user = server.admin_user,
                            .host_key_fingerprint = server.host_key_fingerprint,
                            .private_key_path = server.private_key_path,
                            .agent = server.agent,
                            .agent_key = server.agent_key,
                            .connect_timeout_ms = servers.options.connect_timeout_ms,
                            .jump = server.jump}));
  A4C_TRY(const auto channel, session->OpenCommand(call, InstallCommand(server, program.size())));
  const auto output = Send(call, *channel, program);
  if (output && output->find(kDone) != std::string::npos) return {};
  return Error(Code::kDenied,
               "a4c-host could not be installed as " + server.admin_user + ": " +
                   (output ? *output + channel->Complaint() : output.error().message()));
}

}  // namespace

Result<void> InstallHelper(const Call& call, BaremetalServers& servers,
                           const ServerOptions& server) {
  DockerServer probe(servers.runtime, server, servers.options);
  A4C_TRY(DockerLink link, probe.OpenForUnits(call));
  const auto version = HelperVersion(call, *link);
  if (version && *version == A4C_PLUGIN_VERSION) return {};
  if (!server.admin_user.empty()) return Install(call, servers, server);
  const std::string found =
      version ? "a4c-host there is " + *version + ", and this release is " + A4C_PLUGIN_VERSION
              : "a4c-host is not there: " + version.error().message();
  return Error(Code::kDenied, found,
               "set admin_user to root or a login with sudo, or run a4c-host install there");
}

}  // namespace a4c::baremetal
