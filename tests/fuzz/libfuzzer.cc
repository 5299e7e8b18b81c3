// The entry point of clang's libFuzzer.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  a4c::FuzzOne({reinterpret_cast<const char*>(data), size});
  return 0;
}
