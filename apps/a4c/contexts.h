// Contexts: named APIs with their keys, in ~/.config/a4c/config.yaml (or $A4C_CONFIG), mode 0600.
//
//   current: home
//   contexts:
//     home: {url: "http://127.0.0.1:7070", api_key: "a4c_..."}
//     away: {url: "https://gw.example/a4c", api_key: "a4c_...", ca_file: /etc/a4c/ca.pem}
//
// What counts: flag, then environment (A4C_URL, A4C_API_KEY, A4C_API_KEY_FILE, A4C_CA_FILE,
// A4C_CONTEXT), then context, then http://127.0.0.1:7070. The key of a context goes to its URL
// alone.
#pragma once

#include <map>
#include <string>

#include "a4c/result.h"
#include "apps/a4c/client.h"

namespace a4c_cli {

inline constexpr const char* kDefaultUrl = "http://127.0.0.1:7070";

struct Context {
  std::string url;  // empty: kDefaultUrl
  std::string api_key;
  std::string ca_file;  // absolute
};

struct Contexts {
  std::string current;
  std::map<std::string, Context> all;
};

std::string ContextsPath();
// Nothing if there is no file. kDenied: others can read it.
a4c::Result<Contexts> ReadContexts(const std::string& path);
// Writes a new file and puts it in the old one's place.
a4c::Result<void> WriteContexts(const std::string& path, const Contexts& contexts);

struct EndpointFlags {
  std::string url;
  std::string context;
  std::string api_key_file;  // "-": standard input
  std::string ca_file;
  int64_t timeout_ms = 30'000;
  int64_t slow_timeout_ms = 90'000;
};
// What flags and environment say, empty where they say nothing. Reads the key, of standard input
// too. kInvalid: there is none where it should be.
a4c::Result<Context> ReadGiven(const EndpointFlags& flags);
// Where a context's key goes: its URL, without slashes at the end.
std::string UrlOf(const Context& context);
a4c::Result<Endpoint> ResolveEndpoint(const EndpointFlags& flags);

}  // namespace a4c_cli
