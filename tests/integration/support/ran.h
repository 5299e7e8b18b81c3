// What a program did.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

namespace a4cd {

struct Ran {
  int exit_code = -1;
  std::string out;
  std::string err;
};

inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace a4cd
