#include "apps/usage/named_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace a4c::usage {

Result<std::string> ReadNamedFile(const std::string& path, size_t bytes_max) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             &std::fclose);
  std::string text;
  char piece[16384];
  size_t count = 0;
  while (file && (count = std::fread(piece, 1, sizeof(piece), file.get())) > 0) {
    text.append(piece, count);
    if (text.size() > bytes_max) {
      return Error(Code::kInvalid,
                   "the file " + path + " is longer than " + std::to_string(bytes_max) + " bytes");
    }
  }
  if (file && std::ferror(file.get()) == 0) return text;
  return Error(Code::kInvalid, "the file " + path + " cannot be read: " + std::strerror(errno));
}

}  // namespace a4c::usage
