// Random documents and random queries against Matches() over all documents: the same ids, order,
// totals and facets. A failure names its seed. A4C_SEARCH_SEED=7 runs seeds 8 to 10 instead of 1 to
// 3, A4C_SEARCH_QUERIES=20000 asks as many of each.
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "a4c/json.h"
#include "tests/conformance/search/search_fixture.h"

namespace a4c::conformance {
namespace {

constexpr int kDocuments = 150;
constexpr int kQueries = 100;

long FromEnvironment(const char* name, long fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::atol(text);
}

// Few values on purpose: most queries find some and not all.
class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  uint32_t Below(uint32_t n) { return random_() % n; }
  bool Chance(uint32_t percent) { return Below(100) < percent; }

  std::string Body() {
    Json body = Json::Object{};
    if (Chance(80)) body.Set("state", Keyword());
    if (Chance(60)) body.Set("tags", Tags());
    if (Chance(80)) body.Set("title", Text());
    if (Chance(40)) body.Set("note", Text());
    if (Chance(70)) body.Set("views", Long());
    if (Chance(70)) body.Set("score", Double());
    if (Chance(50)) body.Set("done", Chance(50));
    if (Chance(70)) body.Set("created_at", Time());
    if (Chance(60)) body.Set("labels", Labels());
    if (Chance(20)) body.Set("hidden", Keyword());
    return body.ToString();
  }

  std::string QueryText(int depth) {
    const uint32_t shape = depth <= 0 ? 9 : Below(14);
    if (shape < 3) return "(" + QueryText(depth - 1) + " and " + QueryText(depth - 1) + ")";
    if (shape < 6) return "(" + QueryText(depth - 1) + " or " + QueryText(depth - 1) + ")";
    if (shape < 8) return "not " + QueryText(depth - 1);
    return Leaf();
  }

  std::vector<SortKey> Sort() {
    std::vector<SortKey> sort;
    for (uint32_t n = Below(3); n > 0; --n) {
      sort.push_back({Pick({"state", "tags", "views", "score", "done", "created_at"}), Chance(50)});
    }
    return sort;
  }

  std::vector<std::string> Facets() {
    return Chance(50) ? std::vector<std::string>{"state", "tags", "done"}
                      : std::vector<std::string>();
  }

 private:
  std::string Pick(std::initializer_list<const char*> words) {
    return *(words.begin() + Below(static_cast<uint32_t>(words.size())));
  }

  std::string Keyword() {
    return Pick({"failed", "failing", "ok", "Z", "é", "", "a b", "x:y", "\xF0\x9F\x98\x80", "and"});
  }
  std::string Word() {
    return Pick({"connection", "Refused", "by", "peer", "10.0.0.1", "ärger", "Straße", "can't",
                 "a_b", "北京", "ΟΔΟΣ", "42", "--", "e\xCC\x81t\xC3\xA9"});
  }
  std::string Text() {
    std::string text;
    for (uint32_t n = Below(8); n > 0; --n)
      text += Word() + Pick({" ", ", ", "\n", " - ", "/", "  "});
    return text;
  }
  Json Tags() {
    if (Chance(30)) return Keyword();
    Json tags = Json::Array{};
    for (uint32_t n = Below(4); n > 0; --n) tags.Append(Keyword());
    return tags;
  }
  Json Labels() {
    Json labels = Json::Object{};
    for (uint32_t n = Below(3); n > 0; --n)
      labels.Set(Pick({"team", "tier", "a=b", "x.y"}), Keyword());
    return labels;
  }
  int64_t Long() {
    return Chance(5) ? (Chance(50) ? INT64_MAX : INT64_MIN) : static_cast<int64_t>(Below(12)) - 4;
  }
  double Double() { return Chance(10) ? 1e300 : (static_cast<double>(Below(16)) - 6) / 4; }
  int64_t Time() { return 1793491200000 + static_cast<int64_t>(Below(96)) * 3'600'000; }

  std::string Quoted(const std::string& text) { return "\"" + text + "\""; }
  std::string Compare() { return Pick({" > ", " >= ", " < ", " <= ", ":"}); }

  std::string Leaf() {
    switch (Below(14)) {
      case 0:
        return "state:" + Quoted(Keyword());
      case 1:
        return "tags:" + Quoted(Keyword());
      case 2:
        return Pick({"state:fail*", "tags:fail*", "state:a*", "labels.team:f*", "tags:x*"});
      case 3:
        return Pick({"state:*", "tags:*", "title:*", "views:*", "score:*", "done:*", "created_at:*",
                     "labels:*", "labels.team:*"});
      case 4:
        return Pick({"state", "tags", "labels.team"}) + Compare() + Quoted(Keyword());
      case 5:
        return Pick({"title:", "note:", ""}) + Quoted(Word() + " " + Word());
      case 6:
        return Pick({"title:(", "note:(", "("}) + Quoted(Word()) + " or " + Quoted(Word()) + ")";
      case 7:
        return Pick({"title:", ""}) +
               Pick({"refused peer", "connection", "straße 42", "nothing", "οδος"});
      case 8:
        return "views" + Compare() + std::to_string(Long());
      case 9:
        return "score" + Compare() + Quoted(std::to_string(Double()));
      case 10:
        return Pick({"done:true", "done:false"});
      case 11:
        return "created_at" + Compare() +
               Pick({"2026-11-01", "2026-11-02", "2026-11-03T10:00:00Z", "1793500000000",
                     "2026-11"});
      case 12:
        return Pick({"labels.team:", "labels.tier:", "labels.a=b:", "labels.x.y:"}) +
               Quoted(Keyword());
      default:
        return Pick({"*", "state:(failed or ok)", "tags:(not failed)", "not *"});
    }
  }

  std::mt19937 random_;
};

struct Model {
  std::string id;
  std::string text;
  Json body;
};

// Written apart from the code under test, straight from the contract.
int CompareField(const SortKey& key, const Json& a, const Json& b) {
  const auto value = [&](const Json& body) -> std::optional<Scalar> {
    const Json& member = body[key.field];
    if (member.IsText()) return Scalar(member.Text());
    if (member.IsBool()) return Scalar(member.Bool());
    if (key.field == "score" && member.IsNumber()) return Scalar(member.Number());
    if (member.IsInt()) return Scalar(member.Int());
    if (key.field == "views" || key.field == "created_at")
      return Scalar(key.descending ? INT64_MIN : INT64_MAX);
    std::vector<std::string> items;
    for (const Json& item : member.Items()) items.push_back(item.Text());
    if (items.empty()) return std::nullopt;
    return Scalar(key.descending ? std::ranges::max(items) : std::ranges::min(items));
  };
  const auto left = value(a);
  const auto right = value(b);
  if (!left || !right) return static_cast<int>(!left) - static_cast<int>(!right);
  if (*left == *right) return 0;
  return (*left < *right) != key.descending ? -1 : 1;
}

std::map<std::string, int64_t> CountField(const std::vector<const Model*>& found,
                                          const std::string& field) {
  std::map<std::string, int64_t> counts;
  for (const Model* model : found) {
    const Json& member = model->body[field];
    std::set<std::string> values;
    if (member.IsText()) values.insert(member.Text());
    if (member.IsBool()) values.insert(member.Bool() ? "true" : "false");
    for (const Json& item : member.Items()) values.insert(item.Text());
    for (const std::string& value : values) ++counts[value];
  }
  return counts;
}

class SearchIndexDifferential : public SearchIndexTest {
 protected:
  void Fill(Generator& generator) {
    std::vector<Document> documents;
    for (int i = 0; i < kDocuments; ++i) {
      const std::string id = std::to_string(generator.Below(1'000'000)) + "-" + std::to_string(i);
      documents.push_back(Doc(id, 1, generator.Body()));
      models_.push_back({id, documents.back().body, *ParseJson(documents.back().body)});
    }
    Add(documents);
  }

  std::vector<const Model*> Expected(const SearchRequest& request) const {
    std::vector<const Model*> found;
    for (const Model& model : models_) {
      if (Matches(request.query, kind_, model.text)) found.push_back(&model);
    }
    std::ranges::sort(found, [&](const Model* a, const Model* b) {
      for (const SortKey& key : request.sort) {
        const int order = CompareField(key, a->body, b->body);
        if (order != 0) return order < 0;
      }
      return a->id < b->id;
    });
    return found;
  }

  void Compare(SearchRequest request) {
    const std::vector<const Model*> expected = Expected(request);
    std::vector<std::string> ids;
    for (const Model* model : expected) ids.push_back(model->id);
    std::vector<std::string> got;
    do {
      const SearchAnswer page = Search(request);
      EXPECT_EQ(page.total, static_cast<int64_t>(expected.size()));
      if (request.after.empty()) CompareFacets(request, expected, page);
      for (const std::string& id : IdsOf(page)) got.push_back(id);
      request.after = page.next;
    } while (!request.after.empty() && got.size() < models_.size());
    EXPECT_EQ(got, ids);
  }

  static void CompareFacets(const SearchRequest& request, const std::vector<const Model*>& expected,
                            const SearchAnswer& page) {
    ASSERT_EQ(page.facets.size(), request.facets.size());
    for (size_t i = 0; i < request.facets.size(); ++i) {
      std::vector<std::pair<int64_t, std::string>>
          counts;  // negative, so that it sorts as facets do
      for (const auto& [value, count] : CountField(expected, request.facets[i]))
        counts.emplace_back(-count, value);
      std::ranges::sort(counts);
      if (counts.size() > 10) counts.resize(10);
      std::vector<std::pair<int64_t, std::string>> got;
      for (const FacetValue& facet : page.facets[i]) {
        const bool* flag = std::get_if<bool>(&facet.value);
        got.emplace_back(-facet.count,
                         flag ? (*flag ? "true" : "false") : std::get<std::string>(facet.value));
      }
      EXPECT_EQ(got, counts) << request.facets[i];
    }
  }

  std::vector<Model> models_;
};

class SearchIndexDifferentialOfSeed : public SearchIndexDifferential,
                                      public testing::WithParamInterface<uint32_t> {};

TEST_P(SearchIndexDifferentialOfSeed, AnswersAsMatchesDoes) {
  const uint32_t seed = GetParam() + static_cast<uint32_t>(FromEnvironment("A4C_SEARCH_SEED", 0));
  Generator generator(seed);
  Fill(generator);
  int found_some = 0;
  const long queries = FromEnvironment("A4C_SEARCH_QUERIES", kQueries);
  for (long n = 0; n < queries && !HasFailure(); ++n) {
    const std::string text = generator.QueryText(3);
    SCOPED_TRACE("seed " + std::to_string(seed) + ", query " + std::to_string(n) + ": " + text);
    SearchRequest request = Request(text);
    request.sort = generator.Sort();
    request.facets = generator.Facets();
    request.limit = generator.Chance(70) ? 1000 : 20 + static_cast<int>(generator.Below(60));
    Compare(request);
    const size_t found = Expected(request).size();
    found_some += found > 0 && found < models_.size() ? 1 : 0;
  }
  EXPECT_GT(found_some, queries / 4) << "the queries of seed " << seed << " say too little";
}

INSTANTIATE_TEST_SUITE_P(Seeds, SearchIndexDifferentialOfSeed, testing::Range(1u, 4u));

}  // namespace
}  // namespace a4c::conformance
