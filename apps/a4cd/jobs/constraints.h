// Constraints as clients send them and records keep them:
// {"arch": "amd64", "labels": {"gpu": "yes"}}. No I/O.
#pragma once

#include <string>

#include "a4c/json.h"
#include "apps/a4cd/jobs/fields.h"
#include "apps/a4cd/placement/constraints.h"

namespace a4cd {

// The member "constraints" of what `fields` reads; pointer: of that member.
Constraints ReadConstraints(FieldReader& fields, const std::string& pointer, Faults& faults);

a4c::Json ConstraintsJson(const Constraints& constraints);
Constraints ConstraintsOf(const a4c::Json& json);

// "arch amd64, label gpu=yes"
std::string ConstraintsText(const Constraints& constraints);

}  // namespace a4cd
