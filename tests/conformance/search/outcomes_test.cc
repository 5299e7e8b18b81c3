// One outcome per document: what can never be indexed is rejected alone, whatever else is accepted.
#include "tests/conformance/search/search_fixture.h"

namespace a4c::conformance {
namespace {

using SearchIndexOutcomes = SearchIndexTest;
using testing::ElementsAre;
using testing::HasSubstr;

struct Poison {
  const char* body;
  const char* field;
};

constexpr Poison kPoison[] = {{R"({"state":5})", "state"},
                              {R"({"tags":["a",1]})", "tags"},
                              {R"({"title":{"a":1}})", "title"},
                              {R"({"views":"5"})", "views"},
                              {R"({"views":5.5})", "views"},
                              {R"({"views":99999999999999999999})", "views"},
                              {R"({"score":"x"})", "score"},
                              {R"({"done":"true"})", "done"},
                              {R"({"created_at":"2026"})", "created_at"},
                              {R"({"labels":{"a":{"b":"c"}}})", "labels"},
                              {R"({"labels":["a"]})", "labels"},
                              {R"({"state":"\u0000"})", "state"}};

TEST_F(SearchIndexOutcomes, PoisonIsRejectedNamingItsFieldAndStopsNobody) {
  std::vector<Document> documents;
  for (size_t i = 0; i < std::size(kPoison); ++i) {
    documents.push_back(Doc("bad" + std::to_string(i), 1, kPoison[i].body));
    documents.push_back(Doc("good" + std::to_string(10 + i), 1, R"({"state":"good"})"));
  }
  const auto results = Bulk(documents);
  for (size_t i = 0; i < std::size(kPoison); ++i) {
    EXPECT_EQ(results[2 * i].outcome, BulkOutcome::kRejected) << kPoison[i].body;
    ASSERT_TRUE(results[2 * i].error) << kPoison[i].body;
    EXPECT_THAT(results[2 * i].error->message(), HasSubstr(kPoison[i].field));
    EXPECT_FALSE(results[2 * i].error->retryable());
    EXPECT_EQ(results[2 * i + 1].outcome, BulkOutcome::kApplied);
  }
  Refresh();
  const SearchAnswer answer = Search(Request("*"));
  EXPECT_EQ(answer.total, static_cast<int64_t>(std::size(kPoison)));
}

TEST_F(SearchIndexOutcomes, BadBodiesKeysAndRevsAreRejected) {
  Document no_rev = Doc("a", 0, "{}");
  Document no_id = Doc("a", 1, "{}");
  no_id.ref.key.id = "";
  Document long_id = Doc("a", 1, "{}");
  long_id.ref.key.id = std::string(257, 'i');
  const auto results = Bulk({Doc("x", 1, "{"), Doc("y", 1, "[]"), Doc("z", 1, "{\"a\":\"\xFF\"}"),
                             no_rev, no_id, long_id, Doc("ok", 1, "{}")});
  for (size_t i = 0; i + 1 < results.size(); ++i) {
    EXPECT_EQ(results[i].outcome, BulkOutcome::kRejected) << i;
  }
  EXPECT_EQ(results.back().outcome, BulkOutcome::kApplied);
}

TEST_F(SearchIndexOutcomes, ARejectedRevLeavesTheOneBefore) {
  Add({Doc("a", 1, R"({"state":"first"})")});
  EXPECT_EQ(Bulk({Doc("a", 2, R"({"state":2})")})[0].outcome, BulkOutcome::kRejected);
  Refresh();
  EXPECT_THAT(Find("state:first"), ElementsAre("a"));
  Add({Doc("a", 2, R"({"state":"second"})")});
  EXPECT_THAT(Find("state:second"), ElementsAre("a"));
}

TEST_F(SearchIndexOutcomes, AKeywordOfAMebibyteIsCutAndFoundByItsBeginning) {
  const std::string long_value(1u << 20, 'k');
  Add({Doc("a", 1, R"({"state":")" + long_value + R"(","labels":{"l":")" + long_value + "\"}}")});
  EXPECT_THAT(Find("state:" + long_value.substr(0, 1024)), ElementsAre("a"));
  EXPECT_THAT(Find("state:" + long_value.substr(0, 1500)), ElementsAre("a"));
  EXPECT_THAT(Find("state:" + long_value.substr(0, 1023)), testing::IsEmpty());
  EXPECT_THAT(Find("labels.l:" + long_value.substr(0, 1022)), ElementsAre("a"));
  EXPECT_EQ(Search(Request("*")).hits.at(0).body.size(), 2 * long_value.size() + 30);
}

TEST_F(SearchIndexOutcomes, DeepBodiesAreTakenUpToTheLimit) {
  const auto nested = [](size_t depth) {
    return "{\"deep\":" + std::string(depth, '[') + std::string(depth, ']') + R"(,"state":"deep"})";
  };
  const auto results = Bulk({Doc("in", 1, nested(999)), Doc("out", 1, nested(1001))});
  EXPECT_EQ(results[0].outcome, BulkOutcome::kApplied);
  EXPECT_EQ(results[1].outcome, BulkOutcome::kRejected);
  Refresh();
  EXPECT_THAT(Find("state:deep"), ElementsAre("in"));
}

TEST_F(SearchIndexOutcomes, BodiesComeBackByteByByte) {
  const std::string body =
      "{ \"unknown\" : [1.50, 1e2, null],\n\t\"title\":\"\\u00e9 \xC3\xA9 \\u0000 \xF0\x9F\x98\x80 "
      "\\\" \\\\\" , \"big\":123456789012345678901234567890 }";
  Add({Doc("a", 1, body)});
  const SearchAnswer answer = Search(Request("*"));
  ASSERT_EQ(answer.hits.size(), 1u);
  EXPECT_EQ(answer.hits[0].body, body);
}

TEST_F(SearchIndexOutcomes, IdsAndScopesOfAnyUtf8AreKept) {
  Document odd{.ref = {kind_.name, {"", "i/d?&=%\"\\ \n\xC3\xA9" + scope_}},
               .rev = 1,
               .body = R"({"state":")" + scope_ + "\"}"};
  odd.ref.key.scope = "s\"\\/ \xF0\x9F\x98\x80";
  Add({odd});
  SearchRequest request = Request("state:" + scope_);
  request.scope = odd.ref.key.scope;
  const SearchAnswer answer = Search(request);
  ASSERT_EQ(answer.hits.size(), 1u);
  EXPECT_EQ(answer.hits[0].ref, odd.ref);
}

TEST_F(SearchIndexOutcomes, TenThousandAtOnceAreAllFound) {
  std::vector<Document> documents;
  for (int i = 0; i < 10'000; ++i) {
    documents.push_back(Doc(std::to_string(i), 1, R"({"views":)" + std::to_string(i) + "}"));
  }
  Add(documents);
  SearchRequest request = Request("views >= 5000");
  request.limit = 1;
  EXPECT_EQ(Search(request).total, 5000);
  request.query = {};
  EXPECT_EQ(Search(request).total, 10'000);
}

TEST_F(SearchIndexOutcomes, NothingIsAnsweredByNothing) {
  EXPECT_TRUE(Bulk({}).empty());
  const auto removed = index_->Remove(Within(), {});
  ASSERT_TRUE(removed);
  EXPECT_TRUE(removed->empty());
}

}  // namespace
}  // namespace a4c::conformance
