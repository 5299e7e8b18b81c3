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
using a4c::helper::Settings;

int Complain(const a4c::Error& error) {
  std::fprintf(stderr, "a4c-host: %s\n", error.message().c_str());
  return 1;
}

int Usage() {
  std::fputs(
      "Usage: a4c-host version\n"
      "       a4c-host serve                       requests on standard input, for a4cd\n"
      "       a4c-host install --user LOGIN [--data DIRECTORY] [--docker SOCKET]   as root\n",
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
  std::string user;
  Settings settings;
  for (size_t i = 1; i + 1 < arguments.size(); i += 2) {
    if (arguments[i] == "--user") {
      user = arguments[i + 1];
      continue;
    }
    if (arguments[i] != "--data" && arguments[i] != "--docker") return Usage();
    const auto checked =
        a4c::helper::ParseSettings(arguments[i].substr(2) + "=" + arguments[i + 1]);
    if (!checked) return Complain(checked.error());
    (arguments[i] == "--data" ? settings.data : settings.docker) = arguments[i + 1];
  }
  const auto installed = a4c::helper::Install(user, settings);
  return installed ? 0 : Complain(installed.error());
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
  if (verb == "install" && arguments.size() % 2 == 1) return Install(arguments);
  return Usage();
}
