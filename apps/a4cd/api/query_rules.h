// What may stand behind the "?" of a request. A name that the route does not know is refused: a
// filter that is misspelt would else show everything.
#pragma once

#include <string_view>

#include "a4c/result.h"
#include "apps/a4cd/api/router.h"

namespace a4cd {

// kInvalid, naming the parameter: one that the route does not have, one that is there twice (but
// for token), or a flag that is neither true nor false. Routes without a scope take anything: who
// probes them adds parameters of its own.
a4c::Result<void> CheckQuery(const Route& route, const Request& request);

// ?name, ?name= and ?name=true are true; absent and ?name=false are false.
bool Flag(const Request& request, std::string_view name);

}  // namespace a4cd
