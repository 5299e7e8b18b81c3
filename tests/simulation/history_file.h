// The history of a run for outside checkers: one JSON object a line.
//
//   {"at_ms":1234,"client":"client0","type":"invoke","op":"put","id":"p0-1","expect":1,"value":"w7"}
//   {"at_ms":1240,"client":"client0","type":"ok","op":"put","id":"p0-1","rev":2,"value":"w7"}
//
// type is invoke, ok, fail (nothing was done) or unknown; of each client one operation is open at a
// time. Ops: put and delete (expect 0: absent; value: what the body says), get (rev 0: absent).
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "a4c/json.h"
#include "tests/simulation/scheduler.h"

namespace a4c::simulation {

class HistoryFile {
 public:
  // file: null to write nothing.
  HistoryFile(const Simulation& simulation, std::FILE* file)
      : simulation_(simulation), file_(file) {}

  // fields: what the operation has besides.
  void Write(const std::string& client, std::string_view type, std::string_view op,
             const std::string& id, const Json::Object& fields);

 private:
  const Simulation& simulation_;
  std::FILE* const file_;
};

}  // namespace a4c::simulation
