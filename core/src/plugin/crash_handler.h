// Inside of InstallCrashHandler() (a4c/plugin_host.h).
#pragma once

namespace a4c::plugin {

// Gives the calling thread a stack of its own for signals, so that the crash handler can also speak
// of a stack overflow. Does nothing before InstallCrashHandler(), or if the thread has one already.
void EnterAlternateStack();
// Takes it away again; called when the thread ends.
void LeaveAlternateStack();

}  // namespace a4c::plugin
