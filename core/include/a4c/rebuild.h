// Rebuild: a search index that can hold a second generation of a kind beside the live one, and put
// it in its place at once.
//
//   Rebuild* rebuild = index.As<Rebuild>();
//   A4C_CHECK(rebuild->Create(call, kind, 2));
//   A4C_TRY(std::unique_ptr<SearchIndex> next, rebuild->Open(call, kind, 2));
//   ... next->Bulk(...) everything, and compare next->As<Digests>() with the store ...
//   A4C_CHECK(rebuild->Swap(call, kind, 2));    // every instance searches it from now on
//   A4C_CHECK(rebuild->Drop(call, kind, 1));    // when nobody wants to look at the old one
//
// Of each kind one generation is live: the one that the methods of SearchIndex work on. Ensure
// makes generation 1; the number of a later one is chosen by who rebuilds. All methods can be
// repeated after an unknown outcome, work before Ensure (the live generation may have another
// mapping: that is a reason to rebuild), and are safe from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "a4c/call.h"
#include "a4c/kind.h"
#include "a4c/result.h"
#include "a4c/search_index.h"

namespace a4c {

struct IndexGeneration {
  int64_t number = 0;  // from 1
  bool live = false;
  bool operator==(const IndexGeneration&) const = default;
};

class Rebuild {
 public:
  static constexpr std::string_view kExtension = "a4c.rebuild";
  virtual ~Rebuild() = default;
  // What there is of the kind, by number; one is live, unless the kind was never ensured.
  virtual Result<std::vector<IndexGeneration>> Generations(const Call& call, const Kind& kind) = 0;
  // An empty generation for documents of this kind, not live. One of that number that is there and
  // not live is left as it is. kConflict: that number is live.
  virtual Result<void> Create(const Call& call, const Kind& kind, int64_t number) = 0;
  // That generation as an index of its own, of this kind alone, live or not; it has the extension
  // Digests if the index has, and not this one. kNotFound: there is no such generation. The index
  // outlives what it opened.
  virtual Result<std::unique_ptr<SearchIndex>> Open(const Call& call, const Kind& kind,
                                                    int64_t number) = 0;
  // Makes it the live one for all instances at once: no search and no write meets both or neither.
  // Ensure(kind) after it holds instances to the new mapping. kNotFound: there is none. kConflict:
  // a later one is live: this comes late, from who was taken over, and nothing is changed.
  virtual Result<void> Swap(const Call& call, const Kind& kind, int64_t number) = 0;
  // Removes it with its documents; nothing to do if it is not there. kConflict: it is live.
  virtual Result<void> Drop(const Call& call, const Kind& kind, int64_t number) = 0;
};

}  // namespace a4c
