// Reads a JSON object that came from a client, member by member, and gathers every fault with the
// JSON pointer of where it is. No I/O.
//
//   FieldReader fields(body, "", faults);
//   job.title = fields.Text("title", {.bytes_max = 200});
//   fields.RefuseOthers();
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/json.h"

namespace a4cd {

struct Fault {
  std::string pointer;  // RFC 6901: "/payload/name"
  std::string detail;
  std::string hint = {};
  bool is_unknown = false;  // a member that nobody asked for
};
using Faults = std::vector<Fault>;

struct TextRule {
  bool required = false;
  size_t bytes_max = 1024;
};
struct ListRule {
  size_t count_max = 256;
  size_t bytes_max = 4096;  // of an item
  std::string hint = {};    // for an item that is longer
};
struct LongRule {
  int64_t fallback = 0;
  int64_t min = 0;
  int64_t max = INT64_MAX;
};

class FieldReader {
 public:
  // `object` and `faults` outlive the reader. An object that is none is one fault.
  FieldReader(const a4c::Json& object, std::string pointer, Faults& faults);

  std::string Text(std::string_view name, const TextRule& rule = {});
  int64_t Long(std::string_view name, const LongRule& rule = {});
  // "10 s" as 10000: a whole number of seconds, or 30s, 5m, 24h, 7d. 0 if absent.
  int64_t DurationMs(std::string_view name);
  // A whole number of bytes, or 512MiB, 20GiB. 0 if absent.
  int64_t Bytes(std::string_view name);
  std::map<std::string, std::string> TextMap(std::string_view name, size_t count_max = 64);
  std::vector<std::string> TextList(std::string_view name, const ListRule& rule = {});
  // A list of the program and the arguments that a process is begun with.
  std::vector<std::string> Arguments(std::string_view name);
  // The member, null if absent; it counts as known.
  const a4c::Json& Any(std::string_view name);

  // A fault for each member that was not asked for, naming the nearest that was.
  void RefuseOthers();
  void Add(std::string_view name, std::string detail, std::string hint = {});

 private:
  const a4c::Json& object_;
  const std::string pointer_;
  Faults& faults_;
  std::set<std::string, std::less<>> known_;
};

// Appends one token to a JSON pointer, escaped.
std::string Pointer(std::string_view parent, std::string_view name);

}  // namespace a4cd
