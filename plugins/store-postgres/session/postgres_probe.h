// Probe: finds by libpq, in the time that a call has, an address at which a server lets us in.
// PQconnectPoll stays with an address that is silent for as long as it is polled, and resolves
// names without a bound, so each address is tried by itself. [any thread]
#pragma once

#include <string>

#include "a4c/call.h"
#include "a4c/result.h"

namespace a4c::postgres {

// conninfo with the address (hostaddr) of its host at which a server let us in; the name stays, for
// certificates and passwords go by it. The addresses are tried in the resolver's order. One that is
// silent leaves its share of the time to those behind it; where a server answers its word counts,
// as it does for libpq. Sockets, and addresses that libpq is told by hostaddr, a service file or
// the environment, are left to it. kCanceled; else see ConnectErrorOf.
Result<std::string> Probe(const Call& call, const std::string& conninfo);

}  // namespace a4c::postgres
