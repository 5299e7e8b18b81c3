// The terminal that a4c itself runs in: raw while a command elsewhere has it, silent while a secret
// is typed, and as it was before on every way out, also by a signal.
#pragma once

#include <termios.h>

namespace a4c_cli {

struct WindowSize {
  int rows = 24;
  int columns = 80;
  bool operator==(const WindowSize&) const = default;
};

// Of standard input's terminal, or a usual one.
WindowSize CurrentWindowSize();

// Every key, Ctrl-C too, goes where the input goes, and nothing is shown that did not come from
// there. At most one at a time.
class RawTerminal {
 public:
  RawTerminal();
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
};

// What is typed is not shown. Not beside a RawTerminal.
class SilentTerminal {
 public:
  SilentTerminal();
  ~SilentTerminal();
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
};

// True once after each time that the window's size may have changed; poll(2) returns early then.
bool TakeWindowChange();
void WatchWindowChanges();

}  // namespace a4c_cli
