#include "apps/a4c/sessions/ssh_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "apps/a4c/contexts.h"
#include "apps/a4c/whole_file.h"

namespace a4c_cli {

using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

constexpr const char* kHostKeyAlias = "a4c-workspace";
// ssh's own, in another order: between the two processes of one machine the cheapest goes first.
constexpr const char* kCiphers =
    "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,"
    "aes256-ctr";

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string IncludeLine(const std::string& ours) {
  return "Include \"" + ours + "\"  # a4c config ssh\n";
}

}  // namespace

std::string SshFolder() {
  return (std::filesystem::absolute(ContextsPath()).parent_path() / "ssh").string();
}

Result<ssh_key> HostKey(const std::string& folder) {
  const std::string path = folder + "/host_key";
  ssh_key key = nullptr;
  if (ssh_pki_import_privkey_file(path.c_str(), nullptr, nullptr, nullptr, &key) == SSH_OK) {
    return key;
  }
  if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK) {
    return Error(Code::kInternal, "no ssh host key could be made");
  }
  char* text = nullptr;
  const std::unique_ptr<ssh_key_struct, void (*)(ssh_key)> owned(key, ssh_key_free);
  if (ssh_pki_export_privkey_base64(key, nullptr, nullptr, nullptr, &text) != SSH_OK) {
    return Error(Code::kInternal, "the new ssh host key could not be written down");
  }
  const std::unique_ptr<char, void (*)(char*)> freed(text, ssh_string_free_char);
  A4C_CHECK(WriteWhole(path, text));
  // Of two that make one at once, the last one's stays.
  if (ssh_pki_import_privkey_file(path.c_str(), nullptr, nullptr, nullptr, &key) == SSH_OK) {
    return key;
  }
  return Error(Code::kInvalid, path + " is no private key", "remove it; a4c makes another");
}

Result<std::string> KnownHost(const std::string& folder) {
  A4C_TRY(ssh_key key, HostKey(folder));
  const std::unique_ptr<ssh_key_struct, void (*)(ssh_key)> owned(key, ssh_key_free);
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK) {
    return Error(Code::kInternal, "the ssh host key has no public half");
  }
  const std::unique_ptr<char, void (*)(char*)> freed(text, ssh_string_free_char);
  return std::string(kHostKeyAlias) + " ssh-ed25519 " + text + "\n";
}

std::string SshConfig(const std::string& folder, const std::string& command) {
  return "# Written by: a4c config ssh\n"
         "Host *.a4c\n"
         "  ProxyCommand " +
         command +
         " connect '%n'\n"
         "  HostKeyAlias " +
         std::string(kHostKeyAlias) +
         "\n"
         "  UserKnownHostsFile \"" +
         folder +
         "/known_hosts\"\n"
         "  StrictHostKeyChecking yes\n"
         "  PreferredAuthentications none\n"
         "  Ciphers " +
         std::string(kCiphers) +
         "\n"
         "  ServerAliveInterval 30\n";
}

Result<bool> AddInclude(const std::string& ssh_config, const std::string& ours) {
  const std::string text = ReadText(ssh_config);
  const std::string line = IncludeLine(ours);
  if (text.find(line) != std::string::npos) return false;
  // First: what stands after a Host line belongs to that host.
  A4C_CHECK(WriteWhole(ssh_config, line + text));
  return true;
}

Result<bool> RemoveInclude(const std::string& ssh_config, const std::string& ours) {
  std::string text = ReadText(ssh_config);
  const std::string line = IncludeLine(ours);
  const size_t at = text.find(line);
  if (at == std::string::npos) return false;
  text.erase(at, line.size());
  A4C_CHECK(WriteWhole(ssh_config, text));
  return true;
}

}  // namespace a4c_cli
