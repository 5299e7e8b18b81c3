// A change of labels: {"set": {"team": "x"}, "remove": ["gpu"]}. Plain data, no I/O.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "apps/a4cd/jobs/fields.h"

namespace a4cd {

inline constexpr size_t kLabelsMax = 64;

struct LabelChange {
  std::map<std::string, std::string> set;
  std::vector<std::string> remove;

  // What the labels are with it: the caller holds it to kLabelsMax.
  std::map<std::string, std::string> Of(std::map<std::string, std::string> labels) const;
};

// The members "set" and "remove" of what `fields` reads: one has to be said, and no name stands
// in both.
LabelChange ReadLabelChange(FieldReader& fields);

}  // namespace a4cd
