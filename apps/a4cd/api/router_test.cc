#include "apps/a4cd/api/router.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "a4c/json.h"
#include "apps/a4cd/api/openapi.h"

namespace a4cd {
namespace {

TEST(Router, TakesParametersOutOfThePath) {
  const Match match = MatchRoute(Routes(), "GET", "/v1/jobs/a%20b/logs");
  ASSERT_NE(match.route, nullptr);
  EXPECT_STREQ(match.route->operation, "getJobLogs");
  EXPECT_EQ(match.params.at("id"), "a b");
}

TEST(Router, TellsAVerbFromAnId) {
  const Match cancel = MatchRoute(Routes(), "POST", "/v1/jobs/42:cancel");
  ASSERT_NE(cancel.route, nullptr);
  EXPECT_STREQ(cancel.route->operation, "cancelJob");
  EXPECT_EQ(cancel.params.at("id"), "42");
  EXPECT_EQ(MatchRoute(Routes(), "GET", "/v1/jobs/42:cancel").route, nullptr);
  EXPECT_STREQ(MatchRoute(Routes(), "POST", "/v1/jobs:batch").route->operation, "createJobs");
}

TEST(Router, NamesTheMethodsThatAPathHas) {
  const Match match = MatchRoute(Routes(), "DELETE", "/v1/jobs");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "POST, GET, HEAD");
}

TEST(Router, AnswersHeadWhereverItAnswersGet) {
  const Match match = MatchRoute(Routes(), "HEAD", "/v1/jobs");
  ASSERT_NE(match.route, nullptr);
  EXPECT_STREQ(match.route->operation, "listJobs");
  EXPECT_EQ(MatchRoute(Routes(), "HEAD", "/v1/jobs:batch").route, nullptr);
}

TEST(Router, KnowsNoOtherPaths) {
  for (const char* path : {"/", "", "/v1", "/v1/jobs/", "/v1/jobs//logs", "/v1/jobs/x/y",
                           "/v1/jobs/:cancel", "/v1/jobs/%zz", "/v1/jobs/%00"}) {
    const Match match = MatchRoute(Routes(), "GET", path);
    EXPECT_EQ(match.route, nullptr) << path;
  }
}

TEST(Routes, AndOpenApiNameTheSameOperations) {
  const auto document = a4c::ParseJson(OpenApiText());
  ASSERT_TRUE(document) << document.error().ToString();
  std::set<std::string> described;
  for (const auto& [path, operations] : (*document)["paths"].Members()) {
    for (const auto& [method, operation] : operations.Members()) {
      const std::string& text = operation["description"].Text();
      std::string name = method;
      name.append(" ").append(path).append(" ").append(operation["operationId"].Text());
      name.append(" ").append(text.empty() ? "-" : text);
      for (const a4c::Json& parameter : operation["parameters"].Items()) {
        if (parameter["in"].Text() == "query") name.append(" ").append(parameter["name"].Text());
      }
      described.insert(name);
    }
  }
  std::set<std::string> routed;
  for (const Route& route : Routes()) {
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(c + ('a' - 'A'));
    const std::string scope =
        route.scope == nullptr ? "-" : "Needs the scope `" + std::string(route.scope) + "`.";
    std::string line = method;
    for (const std::string_view word :
         {std::string_view(route.pattern), std::string_view(route.operation),
          std::string_view(scope), route.query}) {
      if (!word.empty()) line.append(" ").append(word);
    }
    routed.insert(line);
  }
  EXPECT_EQ(described, routed);
}

TEST(Routes, EachReferenceInOpenApiIsThere) {
  const std::string text = OpenApiText();
  const auto document = a4c::ParseJson(text);
  ASSERT_TRUE(document);
  const std::string prefix = "#/components/schemas/";
  int references = 0;
  for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1)) {
    const size_t begin = at + prefix.size();
    const std::string name = text.substr(begin, text.find('"', begin) - begin);
    EXPECT_NE((*document)["components"]["schemas"].Find(name), nullptr) << name;
    ++references;
  }
  EXPECT_GT(references, 30);
}

}  // namespace
}  // namespace a4cd
