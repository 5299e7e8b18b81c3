// Load over HTTP/1.1 from one thread: kept connections to one port of this machine, one request in
// flight on each. Closed: the next request goes once an answer is there. Open, with a rate: each
// goes when it is due, and times count from then, also while it waits for a free connection.
//
//   const LoadResult result = RunHttpLoad({.port = port, .seconds = 3, .next = NextRequest});
//
// Dies on a broken connection: a benchmark whose requests fail measures nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace a4c::bench {

struct HttpLoad {
  int port = 0;
  int connections = 64;
  double seconds = 3;
  double rate = 0;                         // requests a second; 0: closed
  std::function<std::string()> next = {};  // a whole request
  // The body of each good answer, as it came: chunks with their sizes.
  std::function<void(std::string_view answer)> take = nullptr;
};

struct LoadResult {
  double per_second = 0;  // good answers
  double p50_ms = 0;
  double p99_ms = 0;
  int64_t done = 0;
  std::map<int, int64_t> refused = {};  // by status, what was not 2xx
};

LoadResult RunHttpLoad(const HttpLoad& load);

// A request with this key; `more` are further header lines, each with its line end.
std::string RequestText(std::string_view method, std::string_view path, std::string_view key,
                        std::string_view body = {}, std::string_view more = {});

}  // namespace a4c::bench
