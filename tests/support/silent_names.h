// Name servers that do not answer: while one of these lives, getaddrinfo(3) of whatever this
// program has loaded waits for names under "silent.test"; after it, and without it, there are no
// such names. One at a time.
#pragma once

namespace a4c::testing {

class SilentNames {
 public:
  SilentNames();
  ~SilentNames();
  SilentNames(const SilentNames&) = delete;
  SilentNames& operator=(const SilentNames&) = delete;
  // How many names were asked for since it began.
  int Asked() const;
};

}  // namespace a4c::testing
