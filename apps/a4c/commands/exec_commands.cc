#include <unistd.h>

#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/copy.h"
#include "apps/a4c/sessions/exec.h"
#include "apps/a4c/sessions/forward.h"

namespace a4c_cli {
namespace {

struct Flags {
  ExecOptions exec;
  std::vector<std::string> env;
  bool terminal = false;
  bool no_terminal = false;
  bool no_input = false;
};

bool OnTerminal() {
  return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
}

void Run(Session& session, Flags flags) {
  flags.exec.workspace = BareId(flags.exec.workspace, "workspace");
  flags.exec.terminal = flags.terminal || (OnTerminal() && !flags.no_terminal && !flags.no_input);
  if (flags.no_input) flags.exec.descriptors.input = -1;
  if (!ParsePairs(session, flags.env, flags.exec.env, false)) return;
  const char* term = std::getenv("TERM");
  if (flags.exec.terminal && term != nullptr && flags.exec.env.Find("TERM") == nullptr) {
    flags.exec.env.Set("TERM", std::string(term));
  }
  session.exit_code = ExecInWorkspace(session, flags.exec);
}

void AddCommon(CLI::App& leaf, Flags& flags) {
  leaf.add_option("workspace", flags.exec.workspace, "its id or name")->required();
  leaf.add_option("--env", flags.env, "NAME=value")->allow_extra_args(false);
  leaf.add_option("--workdir", flags.exec.working_dir, "absolute, in the workspace's own files");
}

}  // namespace

void AddExecCommands(CLI::App& workspace, Session& session) {
  const auto exec = std::make_shared<Flags>();
  CLI::App* leaf = workspace.add_subcommand(
      "exec", "run a command in a workspace; the exit code is the command's");
  AddCommon(*leaf, *exec);
  auto* terminal = leaf->add_flag("-t,--tty", exec->terminal,
                                  "with a terminal, also if input or output is none here");
  leaf->add_flag("-T,--no-tty", exec->no_terminal, "without one, also if both are")
      ->excludes(terminal);
  leaf->add_flag("-n,--no-input", exec->no_input, "leave standard input alone");
  leaf->add_option("command", exec->exec.command,
                   "what to run; all that follows its first word is the command's")
      ->required();
  leaf->callback([&session, exec] { Run(session, *exec); });

  const auto shell = std::make_shared<Flags>();
  leaf =
      workspace.add_subcommand("shell", "a shell in a workspace, with a terminal if there is one");
  AddCommon(*leaf, *shell);
  leaf->callback([&session, shell] {
    shell->terminal = isatty(STDIN_FILENO) != 0;
    shell->exec.command = ShellCommand();
    Run(session, *shell);
  });

  struct Files {
    std::string from;
    std::string to;
  };
  const auto files = std::make_shared<Files>();
  leaf = workspace.add_subcommand("cp", "copy a file or directory to or from a workspace");
  leaf->add_option("from", files->from, "PATH, or WORKSPACE:PATH")->required();
  leaf->add_option("to", files->to, "WORKSPACE:PATH, or PATH")->required();
  leaf->callback([&session, files] { session.exit_code = Copy(session, files->from, files->to); });

  struct Forward {
    std::string workspace;
    std::vector<std::string> ports;
  };
  const auto forward = std::make_shared<Forward>();
  leaf = workspace.add_subcommand("port-forward",
                                  "let ports of this machine's loopback lead to a workspace's");
  leaf->add_option("workspace", forward->workspace, "its id or name")->required();
  leaf->add_option("port", forward->ports, "PORT or LOCAL:PORT, several")->required();
  leaf->callback([&session, forward] {
    std::vector<PortPair> ports;
    for (const std::string& text : forward->ports) {
      const a4c::Result<PortPair> pair = ParsePortPair(text);
      if (!pair) {
        session.exit_code = session.Complain(pair.error());
        return;
      }
      ports.push_back(*pair);
    }
    session.exit_code = ForwardPorts(session, BareId(forward->workspace, "workspace"), ports);
  });
}

}  // namespace a4c_cli
