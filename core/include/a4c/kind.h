// Kind: the shape of one sort of record, as data. Tables, mappings and topics follow from it; no
// back end knows the application's nouns otherwise.
//
//   Kind photo{.name = "photo",
//              .fields = {{.name = "title", .type = FieldType::kText, .searchable = true},
//                         {.name = "album", .type = FieldType::kKeyword, .searchable = true},
//                         {.name = "views", .type = FieldType::kLong, .quiet = true}},
//              .indexes = {{.name = "by_album", .fields = {"album"}}}};
//
// Two sorts of fields:
//  - Body fields are members of the record's body (a JSON object) and belong to its rev. A store
//  keeps
//    the body's bytes as they are; it looks inside only for the fields that an index names.
//  - Quiet fields (lease, heartbeat, counter, log position) live beside the body. A Put leaves them
//    alone unless it names them; changing them raises neither rev nor body hash, and they are in no
//    ETag and in no search index.
// Body fields that no one indexes or searches need no mention in a Kind.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/export.h"
#include "a4c/result.h"

namespace a4c {

enum class FieldType : uint8_t {
  kKeyword,  // a string compared byte by byte, or an array of them; cut at 1 KiB by search indexes
  kText,     // a string searched by words
  kLong,     // 64-bit integer
  kDouble,   // finite IEEE double
  kBool,
  kTime,  // milliseconds since the Unix epoch, UTC, as a 64-bit integer
  kMap,   // an object of strings (labels), searched as `field.key:value`
};

// What a Put with a body does to a quiet field that it names and that already has a value. A field
// that must never fall, such as an epoch, is kMax, which holds for every Put.
enum class Merge : uint8_t { kReplace, kKeep, kMin, kMax };

struct Field {
  std::string name;  // [a-z][a-z0-9_]*, at most 40 characters
  FieldType type = FieldType::kKeyword;
  // kLong, kTime, kKeyword (in no index: up to 16 KiB), kBool or kDouble only
  bool quiet = false;
  Merge merge = Merge::kReplace;  // quiet fields only
  bool searchable = false;        // body fields only
};

// An order in which records can be scanned: by scope (if scoped), then the fields, then scope and
// id. A record whose first field is absent or null is not in the index: that is how an index covers
// "unfinished jobs" only. At most four fields, of any type but kText and kMap.
struct ScanIndex {
  std::string name;  // unique within the kind
  std::vector<std::string> fields;
  bool scoped = true;  // false: one order over all scopes (pollers, workers)
  // No two living records share scope (if scoped) and all the fields; one that lacks a field of
  // them is bound by nothing. Body fields only.
  bool unique = false;
};

struct Kind {
  std::string name;  // [a-z][a-z0-9_]*, at most 40 characters: also the table and index name
  int version = 1;   // raised when fields or indexes change: Ensure migrates
  std::vector<Field> fields = {};
  std::vector<ScanIndex> indexes = {};
  // Leases (a4c/leases.h): the body field that names the subject on which work is done one at a
  // time, and the index led by it that lists the unfinished ones of a subject, oldest first.
  std::string serial_key_field = {};
  std::string serial_index = {};
  // Records that end by age: the time field that tells it, which every Put of a body gives, and
  // which leads an index over all scopes. Retention (a4c/retention.h) forgets them, many at once; a
  // store may lay them out for that, so none of the kind's indexes is unique. Empty: none ends so.
  std::string age_field = {};
  // Records that are written once: any op but a Put of a body that expects absent, and a Check, is
  // kInvalid. They end by age, or never.
  bool append_only = false;
};

A4C_API const Field* FindField(const Kind& kind, std::string_view name);
A4C_API const ScanIndex* FindIndex(const Kind& kind, std::string_view name);
// Names, types, duplicates, indexes over known fields: kInvalid naming kind and field.
A4C_API Result<void> CheckKind(const Kind& kind);

}  // namespace a4c
