#include "apps/a4c/commands/known_hosts.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <sstream>

#include "apps/usage/named_file.h"

namespace a4c_cli {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Result;

// As known_hosts names it: "host", or "[host]:port" at another port than ssh's.
std::string KnownName(std::string address) {
  if (const size_t scheme = address.find("://"); scheme != std::string::npos) {
    address.erase(0, scheme + 3);
  }
  address = address.substr(0, address.find('/'));
  if (const size_t at = address.rfind('@'); at != std::string::npos) address.erase(0, at + 1);
  const size_t bracket = address.find(']');
  const size_t colon = address.find(':', bracket == std::string::npos ? 0 : bracket);
  const std::string port = colon == std::string::npos ? "22" : address.substr(colon + 1);
  std::string host = address.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return port == "22" ? host : "[" + host + "]:" + port;
}

// What the program writes; its own complaints are not shown. Nothing: it is not there.
Result<std::string> OutputOf(std::array<const char*, 8> arguments) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Error(Code::kUnavailable, "no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, arguments[0], &actions, nullptr,
                                  const_cast<char* const*>(arguments.data()), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string output;
  std::array<char, 4096> piece{};
  for (ssize_t count = 0; (count = read(ends[0], piece.data(), piece.size())) > 0;) {
    output.append(piece.data(), static_cast<size_t>(count));
  }
  close(ends[0]);
  if (failed != 0) {
    return Error(Code::kUnsupported, "there is no ssh-keygen to read known_hosts with",
                 "install the OpenSSH client, or give --fingerprint");
  }
  waitpid(child, nullptr, 0);
  return output;
}

}  // namespace

Result<std::set<std::string>> KnownFingerprints(const std::string& file,
                                                const std::string& address) {
  A4C_CHECK(a4c::usage::ReadNamedFile(file));  // ssh-keygen would only say that it knows nothing
  const std::string name = KnownName(address);
  A4C_TRY(const std::string output,
          OutputOf({"ssh-keygen", "-l", "-F", name.c_str(), "-f", file.c_str(), nullptr, nullptr}));
  std::set<std::string> fingerprints;
  std::istringstream words(output);
  for (std::string word; words >> word;) {
    if (word.starts_with("SHA256:")) fingerprints.insert(word);
  }
  return fingerprints;
}

}  // namespace a4c_cli
