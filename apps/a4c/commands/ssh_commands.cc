// Stock ssh, scp, sftp, git and editors into workspaces.
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/sessions/ssh_files.h"
#include "apps/a4c/sessions/ssh_server.h"
#include "apps/a4c/whole_file.h"

namespace a4c_cli {
namespace {

using a4c::Result;

constexpr std::string_view kSuffix = ".a4c";

// For the shell that ssh starts, after ssh has replaced its own %.
std::string Quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c == '%' ? "%%" : std::string(1, c);
    }
  }
  return out + "'";
}

// This program, with the flags that say which API it is.
std::string ThisCommand(const Session& session) {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  std::string command = Quoted(error ? "a4c" : path.string());
  const EndpointFlags& flags = session.endpoint;
  if (!flags.url.empty()) command += " --url " + Quoted(flags.url);
  if (!flags.context.empty()) command += " --context " + Quoted(flags.context);
  const auto add_file = [&command](const char* flag, const std::string& file) {
    if (file.empty() || file == "-") return;
    command += flag + Quoted(std::filesystem::absolute(file).lexically_normal().string());
  };
  add_file(" --api-key-file ", flags.api_key_file);
  add_file(" --ca-file ", flags.ca_file);
  return command;
}

struct ConfigFlags {
  std::string ssh_config;
  bool print = false;
  bool remove = false;
};

std::string SshConfigPath(const ConfigFlags& flags) {
  if (!flags.ssh_config.empty()) return flags.ssh_config;
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "" : home) + "/.ssh/config";
}

Result<std::string> Configure(const Session& session, const ConfigFlags& flags) {
  const std::string folder = SshFolder();
  const std::string ours = folder + "/config";
  const std::string theirs = SshConfigPath(flags);
  if (flags.remove) {
    A4C_TRY(const bool was, RemoveInclude(theirs, ours));
    std::error_code error;
    std::filesystem::remove(ours, error);
    return (was ? "workspaces were taken out of " : "workspaces were not in ") + theirs + "\n";
  }
  const std::string text = SshConfig(folder, ThisCommand(session));
  A4C_TRY(const std::string known, KnownHost(folder));
  A4C_CHECK(WriteWhole(folder + "/known_hosts", known));
  if (flags.print) return text;
  A4C_CHECK(WriteWhole(ours, text));
  A4C_TRY(const bool added, AddInclude(theirs, ours));
  return "wrote " + ours + ", which " + theirs + (added ? " now includes" : " includes already") +
         "\nnow: ssh WORKSPACE.a4c (also scp, sftp, git, rsync and editors' remote modes)\n";
}

}  // namespace

void AddSshCommands(CLI::App& root, Session& session) {
  const auto workspace = std::make_shared<std::string>();
  CLI::App* leaf = root.add_subcommand(
      "connect", "speak SSH on standard input and output, as ssh's ProxyCommand (see: config ssh)");
  leaf->add_option("workspace", *workspace, "its id or name, with or without .a4c")->required();
  leaf->callback([&session, workspace] {
    std::string name = *workspace;
    if (name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
    session.exit_code = ServeSsh(session, BareId(name, "workspace"));
  });

  CLI::App* config = root.add_subcommand("config", "set up other programs of this machine");
  config->require_subcommand(1);
  const auto flags = std::make_shared<ConfigFlags>();
  leaf = config->add_subcommand("ssh", "let ssh, scp, sftp, git and editors reach WORKSPACE.a4c");
  leaf->add_option("--ssh-config", flags->ssh_config, "another file than ~/.ssh/config");
  auto* print = leaf->add_flag("--print", flags->print, "show the part, and let the file be");
  leaf->add_flag("--remove", flags->remove, "take it out again")->excludes(print);
  leaf->callback([&session, flags] {
    const Result<std::string> said = Configure(session, *flags);
    if (said) return session.ShowText(*said);
    session.exit_code = session.Complain(said.error());
  });
}

}  // namespace a4c_cli
