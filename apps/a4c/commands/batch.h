// Many jobs of a file, with how far it is.
#pragma once

#include <string>

#include "apps/a4c/session.h"

namespace a4c_cli {

struct BatchOptions {
  std::string file;
  int chunk_lines = 1000;
};

// Sends the file in pieces, shows a bar on a terminal; one result per line on standard output with
// -o ndjson or on a pipe. 1 if any line failed.
int SubmitBatch(Session& session, const BatchOptions& options);

}  // namespace a4c_cli
