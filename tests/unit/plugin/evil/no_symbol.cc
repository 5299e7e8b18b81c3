// The right tag, and no descriptor.
#include <cstddef>

#include "a4c/abi.h"

extern const char kTag[];
const char kTag[] __attribute__((used)) = A4C_ABI_TAG_Store;
