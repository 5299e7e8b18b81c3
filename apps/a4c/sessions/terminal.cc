#include "apps/a4c/sessions/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

namespace a4c_cli {
namespace {

// Read by signal handlers.
termios before;
std::atomic<bool> is_changed{false};
std::atomic<bool> window_changed{false};

constexpr int kEndingSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV};

void Restore() {
  if (is_changed.exchange(false)) tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

void RestoreAndEnd(int signal) {
  Restore();
  _exit(128 + signal);
}

void HandleBy(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);  // without SA_RESTART: poll is to return
}

// when: TCSADRAIN, or TCSAFLUSH, which forgets what has been typed.
void Change(void (*change)(termios*), int when) {
  if (tcgetattr(STDIN_FILENO, &before) != 0) return;
  for (const int signal : kEndingSignals) HandleBy(signal, RestoreAndEnd);
  termios changed = before;
  change(&changed);
  is_changed = true;
  tcsetattr(STDIN_FILENO, when, &changed);
}

}  // namespace

WindowSize CurrentWindowSize() {
  winsize window{};
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row == 0 || window.ws_col == 0) {
    return {};
  }
  return {window.ws_row, window.ws_col};
}

RawTerminal::RawTerminal() {
  Change(cfmakeraw, TCSADRAIN);
}

RawTerminal::~RawTerminal() {
  Restore();
}

// What was typed ahead was shown, and is not meant.
SilentTerminal::SilentTerminal() {
  Change([](termios* silent) { silent->c_lflag &= ~static_cast<tcflag_t>(ECHO); }, TCSAFLUSH);
}

SilentTerminal::~SilentTerminal() {
  Restore();
}

bool TakeWindowChange() {
  return window_changed.exchange(false);
}

void WatchWindowChanges() {
  HandleBy(SIGWINCH, [](int) { window_changed = true; });
}

}  // namespace a4c_cli
