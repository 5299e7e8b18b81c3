// A store whose calls do nothing: what is left is the cost of the call.
#pragma once

#include <memory>

#include "a4c/store.h"

namespace a4c::bench {

std::unique_ptr<Store> NewEmptyStore();

}  // namespace a4c::bench
