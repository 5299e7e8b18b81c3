// Record: one thing in a store, and the values by which stores index it. Plain data [any thread].
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "a4c/export.h"
#include "a4c/kind.h"
#include "a4c/result.h"

namespace a4c {

// A field's value; monostate: absent. Order between values of one type: false < true, numbers by
// size, strings byte by byte; absent sorts first.
using Scalar = std::variant<std::monostate, bool, int64_t, double, std::string>;
using FieldValues = std::map<std::string, Scalar, std::less<>>;

// Scope (a4cd: the tenant) comes from who is asking, never from the body. Ids are UUIDv7 from the
// injected clock and random (ids in order of time made SQLite eight times faster than random ones),
// unique over all scopes, and never used again.
struct Key {
  std::string scope;  // may be empty; at most 256 bytes of UTF-8 without NUL
  std::string id;     // 1 to 256 bytes of UTF-8 without NUL

  auto operator<=>(const Key&) const = default;
};

struct RecordRef {
  std::string kind;
  Key key;

  auto operator<=>(const RecordRef&) const = default;
};

struct Record {
  RecordRef ref;
  int64_t rev = 0;          // 1 at first, +1 at each change of the body; set by the store
  bool tombstone = false;   // deleted: kept for a while so that every index hears of it
  std::string body = "{}";  // a JSON object, the bytes that were put
  FieldValues quiet = {};   // the quiet fields that have a value
};

struct BodyLimits {
  size_t bytes_max = 16u << 20;  // 16 MiB
  int depth_max = 1000;
};

// The values of the body's fields that some index of `kind` names, absent ones left out, after
// checking the body: a JSON object in valid UTF-8 within the limits, no duplicate keys at its top
// level, values of the declared types. kInvalid names the field and, for syntax, the byte offset.
// Every store calls it before writing, so that all stores refuse the same bodies. On failure
// wrong_field, if given, is set to the field; it is left alone if the whole body is wrong.
A4C_API Result<FieldValues> IndexedFields(const Kind& kind, std::string_view body,
                                          const BodyLimits& limits = {},
                                          std::string* wrong_field = nullptr);

// Scope, id, and quiet values of a write against the kind (types, lengths, UTF-8, no NUL).
A4C_API Result<void> CheckKey(const Key& key);
A4C_API Result<void> CheckQuiet(const Kind& kind, const FieldValues& quiet,
                                std::string* wrong_field = nullptr);

// The first 32 bits of the MD5 of the body's bytes: an identity for digests that every engine can
// compute by itself (PostgreSQL has md5()), no protection against anybody.
A4C_API uint32_t BodyHash(std::string_view body);
// The digest bucket of an id, 0 to 1,023: the first 10 bits of its MD5.
A4C_API int DigestBucket(std::string_view id);

class Clock;
class Random;

// Makes UUIDv7 ids (RFC 9562) that rise within one source even within one millisecond. [any thread]
// One per process: two sources need not agree.
class A4C_API IdSource {
 public:
  IdSource(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  std::string Next();

 private:
  const Clock& clock_;
  Random& random_;
  std::atomic<uint64_t> last_{0};  // time << 12 | counter
};

}  // namespace a4c
