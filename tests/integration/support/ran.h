// What a program did.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

namespace a4cd {

struct Ran {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// As far as it can be read: a process may end while its file in /proc is.
inline std::string ReadAll(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace a4cd
