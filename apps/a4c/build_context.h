// A directory as a build context: what of it is sent, and the tar stream that it becomes.
//
//   A4C_TRY(const std::string dockerfile, FindDockerfile("app", ""));
//   A4C_TRY(const BuildContext context, ScanContext("app", dockerfile));
//   Send(context.TarBytes(), TarOf(context));
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "a4c/result.h"

namespace a4c_cli {

inline constexpr int64_t kContextBytesMax = 2LL << 30;
inline constexpr size_t kContextFilesMax = 1'000'000;

struct ContextEntry {
  enum class Type : uint8_t { kFile, kDirectory, kLink };
  std::string path;  // relative
  Type type = Type::kFile;
  unsigned mode = 0;
  int64_t size_bytes = 0;
  int64_t modified_s = 0;
  std::string target = {};  // of a link
};

struct BuildContext {
  std::string directory;
  std::vector<ContextEntry> entries;  // by path
  int64_t TarBytes() const;
};

inline constexpr const char* kDockerfile = "Dockerfile";

// The path within the directory of the Dockerfile that is at `file`, seen from the current
// directory as with docker build; none: kDockerfile. Links are followed. kInvalid: there is no such
// file, or it is elsewhere.
a4c::Result<std::string> FindDockerfile(const std::string& directory, const std::string& file);

// Without what .dockerignore names; the Dockerfile and .dockerignore always go along. What is
// neither file, directory nor link is left out. kInvalid: the directory cannot be read, or is
// larger than kContextBytesMax.
a4c::Result<BuildContext> ScanContext(const std::string& directory,
                                      const std::string& dockerfile = kDockerfile);

// Piece by piece, empty at its end, exactly TarBytes() long. An error: a file has changed or gone
// since. The context outlives it.
std::function<a4c::Result<std::string>()> TarOf(const BuildContext& context);

}  // namespace a4c_cli
