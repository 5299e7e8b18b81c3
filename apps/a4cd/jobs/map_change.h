// A change of labels, or of other names with values: {"set": {"team": "x"}, "remove": ["gpu"]}.
// Plain data, no I/O.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "apps/a4cd/jobs/fields.h"

namespace a4cd {

inline constexpr size_t kEntriesMax = 64;

struct MapChange {
  std::map<std::string, std::string> set;
  std::vector<std::string> remove;

  bool empty() const { return set.empty() && remove.empty(); }
  // What the map is with it: the caller holds it to kEntriesMax.
  std::map<std::string, std::string> Of(std::map<std::string, std::string> map) const;
};

// The members "set" and "remove" of what `fields` reads: one has to be said, and no name stands
// in both.
MapChange ReadMapChange(FieldReader& fields);

}  // namespace a4cd
