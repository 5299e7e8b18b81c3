// pgbench as the peer: 64 clients if not said otherwise, prepared statements, on the same server in
// the same run.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "bench/support/runtime.h"

namespace a4c::bench {

// Transactions a second of this script, for so many seconds; `options` are further arguments. For
// no seconds: ten transactions of each client. pgbench's time runs while it connects, so that a
// short one may end before the first transaction of a busy machine.
inline double Pgbench(const std::string& dsn, const std::string& script, long seconds,
                      const std::string& options = "", int clients = 64) {
  std::string path = (std::filesystem::temp_directory_path() / "a4c-pgbench-XXXXXX").string();
  const int fd = mkstemp(path.data());
  if (fd < 0) Die("no temporary file can be made");
  close(fd);
  std::ofstream(path) << script;
  const std::string length = seconds == 0 ? "-t 10" : "-T " + std::to_string(seconds);
  const std::string command = "pgbench -n -M prepared -c " + std::to_string(clients) + " -j 2 " +
                              length + " " + options + " -f '" + path + "' '" + dsn + "' 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) Die("cannot start pgbench");
  std::string output;
  char buffer[512];
  while (fgets(buffer, sizeof(buffer), pipe) != nullptr) output += buffer;
  pclose(pipe);
  std::filesystem::remove(path);
  const size_t at = output.find("tps = ");
  if (at == std::string::npos) Die("pgbench: " + output.substr(0, 1000));
  return std::strtod(output.c_str() + at + 6, nullptr);
}

}  // namespace a4c::bench
