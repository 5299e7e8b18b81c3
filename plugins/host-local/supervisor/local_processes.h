// Looking at and signalling processes so that none is mistaken for another: a pid alone names
// nobody, because it is used anew; pid, start time and boot together do.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace a4c::local {

// /proc/sys/kernel/random/boot_id; empty if it cannot be read.
std::string BootId();

struct ProcessLook {
  pid_t parent = 0;
  char state = '?';   // Z: ended, not yet waited for
  int64_t start = 0;  // field 22
  int64_t ticks = 0;  // of the processor, with those of children that were waited for
  int64_t threads = 0;
  int64_t pages = 0;  // that it has in memory
};
// Nothing if there is no such process.
std::optional<ProcessLook> LookAt(pid_t pid);
// The same, of the text of a stat file: the program's name in it may hold anything.
std::optional<ProcessLook> ReadStat(const std::string& text);

// All processes, by pid.
std::vector<pid_t> AllProcesses();

// How many threads a user has.
int64_t ThreadsOf(uid_t uid);

// Signals a process if it is still the one that started then; false if it is not. Free of races.
bool SignalExactly(pid_t pid, int64_t start, int signal);

struct ProcessUse {
  int64_t cpu_ms = 0;
  int64_t memory_bytes = 0;  // pages that two share count for both
  int64_t threads = 0;
};
// Of all processes whose environment has the variable of this name ("NAME="), by its value.
std::map<std::string, ProcessUse> UseByValue(const std::string& name);

// Kills every process whose environment holds this entry ("NAME=value"); how many there were.
int KillMarked(const std::string& entry);

}  // namespace a4c::local
