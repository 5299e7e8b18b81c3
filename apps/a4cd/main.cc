#include "apps/a4cd/command_line.h"

int main(int argc, char** argv) {
  return a4cd::RunCommandLine(argc, argv);
}
