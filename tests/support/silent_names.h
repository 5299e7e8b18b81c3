// Name servers that do not answer: while one of these lives, getaddrinfo(3) of whatever this
// program has loaded waits for names under "silent.test"; after it, and without it, there are no
// such names. One at a time.
//
// Or name servers that know a name of a test's own: see KnownName.
#pragma once

#include <string>
#include <vector>

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

// While it lives, getaddrinfo(3) answers this name with these addresses, in their order. One at a
// time.
class KnownName {
 public:
  KnownName(std::string name, std::vector<std::string> addresses);
  ~KnownName();
  KnownName(const KnownName&) = delete;
  KnownName& operator=(const KnownName&) = delete;
};

}  // namespace a4c::testing
