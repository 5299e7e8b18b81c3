// ResolveHost: the addresses of a name, within a call. getaddrinfo(3) waits for name servers as
// long as /etc/resolv.conf says, tens of seconds and more, and cannot be cancelled.
//
//   A4C_TRY(const std::vector<std::string> addresses, a4c::ResolveHost(call, "docker-7.example"));
#pragma once

#include <string>
#include <vector>

#include "a4c/call.h"
#include "a4c/export.h"
#include "a4c/result.h"

namespace a4c {

// In numbers ("10.0.0.7", "fe80::1%eth0"), at least one, in the order in which they are to be
// tried. An address is answered as it is, without waiting. [any thread]
//
// A lookup that its call has given up goes on by itself: who asks for the same name waits for it
// too, and 16 are under way at once, so silent name servers hold no more than 16 threads of ours.
// kUnavailable: there is no such name, or no answer of use. kTimeout, kCanceled: the call has
// ended.
A4C_API Result<std::vector<std::string>> ResolveHost(const Call& call, const std::string& host);
// For libraries that connect to one address: the first that is IPv4, or else the first.
A4C_API Result<std::string> ResolveToOne(const Call& call, const std::string& host);

}  // namespace a4c
