// SearchIndexTest: an index with one kind of every field type, shared by the run, and a scope that
// belongs to the test alone.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/search_index.h"
#include "tests/conformance/subject.h"

namespace a4c::conformance {

// state, tags (keywords), title, note (texts), views, score, done, created_at, labels; hidden is
// not searchable.
Kind KindOfAllTypes(const std::string& name);

class SearchIndexTest : public testing::Test {
 protected:
  SearchIndexTest();

  Document Doc(const std::string& id, int64_t rev, std::string body) const;
  Document Tombstone(const std::string& id, int64_t rev) const;
  std::string Id(const std::string& id) const { return scope_ + "." + id; }

  // Sends again what is to be retried, as long as Within() lasts.
  std::vector<BulkResult> Bulk(const std::vector<Document>& documents);
  // Expects that all are applied, and refreshes.
  void Add(const std::vector<Document>& documents);
  void Refresh();

  SearchRequest Request(Query query = {}) const;
  SearchRequest Request(std::string_view text) const;
  SearchAnswer Search(const SearchRequest& request);
  // The ids that a query finds, without the scope before them, ordered by id.
  std::vector<std::string> Find(std::string_view text);
  std::vector<std::string> Find(Query query);
  std::vector<std::string> IdsOf(const SearchAnswer& answer) const;

  const Kind& kind_;
  const std::string scope_;
  const std::unique_ptr<SearchIndex> index_;
};

}  // namespace a4c::conformance
