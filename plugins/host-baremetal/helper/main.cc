// a4c-host: what has to be done on a server itself, in order and with its rights. It is run by the
// login of a4c through one line of sudoers, and speaks on standard input and output.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "gate.h"
#include "settings.h"

namespace {

using a4c::helper::Gate;

int Complain(const a4c::Error& error) {
  std::fprintf(stderr, "a4c-host: %s\n", error.message().c_str());
  return 1;
}

int Usage() {
  std::fputs(
      "Usage: a4c-host version\n"
      "       a4c-host serve                       requests on standard input, for a4cd\n"
      "       a4c-host install --user LOGIN [--data DIRECTORY] [--docker SOCKET]   as root\n"
      "What is left out stays as it was installed; at first: /var/lib/a4c-host, "
      "/var/run/docker.sock\n",
      stderr);
  return 2;
}

int Serve() {
  auto settings = a4c::helper::ReadSettings();
  if (!settings) return Complain(settings.error());
  const auto served = a4c::helper::Serve(Gate(*std::move(settings)), 0, 1);
  return served ? 0 : Complain(served.error());
}

int Install(const std::vector<std::string>& arguments) {
  const auto installed = a4c::helper::ReadSettings();
  if (!installed) return Complain(installed.error());
  const auto wanted = a4c::helper::ReadInstallation(arguments, *installed);
  if (!wanted) return Complain(wanted.error());
  const auto done = a4c::helper::Install(*wanted);
  return done ? 0 : Complain(done.error());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  std::signal(SIGPIPE, SIG_IGN);
  // An effect is never broken off because the connection that asked for it has gone.
  std::signal(SIGHUP, SIG_IGN);
  umask(0077);
  const std::string verb = arguments.empty() ? "" : arguments.front();
  if (verb == "version" && arguments.size() == 1) {
    std::printf("a4c-host %s, protocol %d\n", A4C_HELPER_VERSION, a4c::helper::kProtocol);
    return 0;
  }
  if (verb == "serve" && arguments.size() == 1) return Serve();
  if (verb == "install" && arguments.size() % 2 == 1) {
    return Install({arguments.begin() + 1, arguments.end()});
  }
  return Usage();
}
