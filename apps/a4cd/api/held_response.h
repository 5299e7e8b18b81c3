// What goes on after its answer has begun ends with the key that it was asked for by, and a stream
// has a place of its tenant's for as long.
#pragma once

#include <memory>

#include "apps/a4cd/api/http.h"
#include "apps/a4cd/api/tenant_places.h"
#include "apps/a4cd/auth/key_watch.h"

namespace a4cd {

// Does nothing to an answer that is whole. Makes a refusal of a stream for which there is no place.
void HoldByKey(KeyWatch& watch, TenantPlaces& streams, const Principal& principal,
               Response& response);

}  // namespace a4cd
