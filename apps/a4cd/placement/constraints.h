// What a server must be and have so that a workspace may be placed on it. Plain data.
#pragma once

#include <map>
#include <string>

namespace a4cd {

struct Constraints {
  std::string arch = {};                           // as Go names it; empty: any
  std::map<std::string, std::string> labels = {};  // of the server, each with this value

  bool empty() const { return arch.empty() && labels.empty(); }
  bool operator==(const Constraints&) const = default;
};

}  // namespace a4cd
