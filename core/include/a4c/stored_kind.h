// Stored kinds: a store keeps the kinds that it was given beside their rows, to know later what it
// holds and what has to change. For store authors, as batch_rules.h. [any thread]
#pragma once

#include <string>
#include <string_view>

#include "a4c/export.h"
#include "a4c/kind.h"
#include "a4c/result.h"

namespace a4c {

// What a store needs of a kind, as JSON (what concerns only searching is left out), and back.
A4C_API std::string KindToJson(const Kind& kind);
A4C_API Result<Kind> KindFromJson(std::string_view json);

// Whether `wanted` may take the place of `stored`; true: there is something to do.
//  - the same version: nothing to do; kInvalid if they differ (somebody forgot to raise the
//  version)
//  - an older version: kConflict
//  - a newer version: fields and indexes may come and go; a field that stays keeps its type and
//  stays
//    quiet or stays in the body (kInvalid)
A4C_API Result<bool> CheckUpgrade(const Kind& stored, const Kind& wanted);

}  // namespace a4c
