// RandomSearch: a kind, documents and searches, all drawn from one seed. Few values on purpose, so
// that most queries find some documents and not all.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/json.h"
#include "a4c/kind.h"
#include "a4c/search_index.h"

namespace a4c::conformance {

class RandomSearch {
 public:
  RandomSearch(uint32_t seed, const std::string& kind_name);

  const Kind& kind() const { return kind_; }
  std::string Body();
  std::string Id(int number);

  // KQL of at most this many levels; now and then one that the parser refuses.
  std::string QueryText(int depth);
  std::vector<SortKey> Sort();
  std::vector<FacetKey> Facets();
  uint32_t Below(uint32_t n) { return random_() % n; }
  bool Chance(uint32_t percent) { return Below(100) < percent; }

 private:
  template <typename T>
  const T& Pick(const std::vector<T>& values) {
    return values[Below(static_cast<uint32_t>(values.size()))];
  }
  std::string Pick(std::initializer_list<const char*> words);
  const Field* FieldOf(std::initializer_list<FieldType> types);

  std::string Keyword();
  std::string LogLine();
  Json Value(FieldType type);
  Json Keywords();
  Json Labels();
  int64_t Long();
  double Double();
  int64_t Time();

  std::string Leaf();
  std::string FieldLeaf(const Field& field);
  std::string Path(const Field& field);
  std::string StringLeaf(const std::string& path);
  std::string TextLeaf(const std::string& before);
  std::string TimeLiteral();
  std::string Pattern(const std::string& value);
  std::string Written(const std::string& value);
  std::string Nul();
  std::string Compare();
  std::string Word();

  std::mt19937 random_;
  Kind kind_;
  std::vector<std::string> keywords_;
  std::vector<std::string> lines_;
};

}  // namespace a4c::conformance
