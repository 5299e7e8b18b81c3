// The _bulk requests of a call: cut by bytes, and what became of each of their documents.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "a4c/search_document.h"
#include "a4c/search_index.h"
#include "elastic_http.h"

namespace a4c::elastic {

// Lines of one _bulk request, and to which document of the call each belongs.
struct BulkChunk {
  struct Item {
    size_t index;   // into the call's documents
    size_t offset;  // where its lines start
  };
  std::string lines;
  std::vector<Item> items;
};

void AppendDocument(BulkChunk& chunk, size_t index, const std::string& alias,
                    const Document& document, const SearchDocument& indexed);
void AppendPurge(BulkChunk& chunk, size_t index, const std::string& alias, const RecordRef& ref);

// Sends a chunk, in halves if the server finds it too long, and fills the results of its items.
// Stale ones get no `stored` yet.
void SendChunk(HttpPool& pool, const Call& call, const BulkChunk& chunk,
               std::vector<BulkResult>& results);

// The outcome of one item: {"index": {"status": 201}}.
BulkResult ResultOf(const Json& item);

}  // namespace a4c::elastic
