// NaiveSearch: what a search must answer, read straight from the contract and the bodies, document
// by document. It shares nothing with core but the parser of queries and Words(); above all it does
// not see resolved queries and search documents.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "a4c/search_index.h"

namespace a4c::conformance {

class NaiveSearch {
 public:
  struct Answer {
    std::vector<std::string> ids;  // all of them, in order
    std::vector<std::vector<FacetValue>> facets;
  };

  explicit NaiveSearch(const Kind& kind) : kind_(kind) {}

  void Add(const std::string& id, const std::string& body);
  Answer Search(const SearchRequest& request) const;

 private:
  struct Model {
    std::string id;
    Json body;
    std::map<std::string, std::vector<std::string>> words =
        {};  // of the text fields that are there
  };

  bool Finds(const Query& query, const Model& model) const;
  bool FindsInText(const Query& query, const Model& model) const;
  bool FindsInField(const Query& query, const Model& model) const;
  std::vector<FacetValue> Count(const FacetKey& key, const std::vector<const Model*>& found) const;

  const Kind kind_;
  std::vector<Model> models_;
};

}  // namespace a4c::conformance
