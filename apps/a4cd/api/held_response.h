// What goes on after its answer has begun ends with the key that it was asked for by.
#pragma once

#include <memory>

#include "apps/a4cd/api/http.h"
#include "apps/a4cd/auth/key_watch.h"

namespace a4cd {

// Does nothing to an answer that is whole.
void HoldByKey(KeyWatch& watch, const Principal& principal, Response& response);

}  // namespace a4cd
