// A library that is no plugin at all.
#include <cstdlib>

__attribute__((constructor)) static void Opened() {
  setenv("A4C_TEST_OPENED", EVIL_NAME, 1);
}
