// Every operation that openapi.json describes, with everything in its body that can be wrong: the
// answer is a problem of the client's, never one of ours.
#include <set>

#include "apps/a4cd/api/openapi.h"
#include "tests/integration/support/api_fixture.h"

namespace a4cd {
namespace {

using a4c::Json;

struct Operation {
  std::string method;
  std::string path;  // its parameters filled in
  std::string id;
  Json schema = {};  // of its body; null: it takes none
  bool is_batch = false;
  bool is_public = false;
};

class ApiSweep : public ApiTest {
 protected:
  void SetUp() override {
    // Generous, and there, so that its headers are.
    StartApp("api: {rate_per_s: 100000, rate_burst: 100000}\n");
    job_ = CreateWorkspaceJob("dev-1").body["id"].Text();
    ASSERT_EQ(Get("/v1/hosts").status, 200);
    auto parsed = a4c::ParseJson(OpenApiText());
    ASSERT_TRUE(parsed);
    document_ = *std::move(parsed);
    for (const auto& [path, methods] : document_["paths"].Members()) {
      for (const auto& [method, operation] : methods.Members()) {
        operations_.push_back(OperationOf(path, method, operation));
      }
    }
  }

  Operation OperationOf(const std::string& path, const std::string& method,
                        const Json& operation) const {
    Operation result{.method = method, .path = path, .id = operation["operationId"].Text()};
    for (char& c : result.method) c = static_cast<char>(std::toupper(c));
    if (const size_t at = path.find("{id}"); at != std::string::npos) {
      std::string id = "nothing";
      if (path.starts_with("/v1/jobs")) id = job_;
      if (path.starts_with("/v1/hosts")) id = "local-1";
      if (path.starts_with("/v1/workspaces")) id = "dev-1";
      result.path.replace(at, 4, id);
    }
    const Json& content = operation["requestBody"]["content"];
    result.schema = Resolved(content["application/json"]["schema"]);
    result.is_batch = content.Find("application/x-ndjson") != nullptr;
    result.is_public =
        operation.Find("security") == nullptr || operation["security"].Items().empty();
    return result;
  }

  Json Resolved(const Json& schema) const {
    const std::string& reference = schema["$ref"].Text();
    if (reference.empty()) return schema;
    return document_["components"]["schemas"][reference.substr(reference.rfind('/') + 1)];
  }

  void ExpectProblem(const Operation& operation, const std::string& body, const Answer& answer) {
    const std::string what =
        operation.method + " " + operation.path + " " + body.substr(0, 100) + ": ";
    EXPECT_GE(answer.status, 400) << what << answer.text;
    EXPECT_LT(answer.status, 500) << what << answer.text;
    EXPECT_EQ(answer.Header("content-type"), "application/problem+json") << what;
    EXPECT_TRUE(answer.body["type"].Text().starts_with("urn:a4c:problem:")) << what << answer.text;
    EXPECT_EQ(answer.body["status"].Int(), answer.status) << what;
    EXPECT_FALSE(answer.body["title"].Text().empty()) << what;
    EXPECT_FALSE(answer.Header("x-request-id").empty()) << what;
  }

  std::string job_;
  Json document_;
  std::vector<Operation> operations_;
};

std::vector<std::string> Malformed() {
  std::string deep(40, '[');
  deep += std::string(40, ']');
  return {"{",
          "nul",
          "[]",
          "null",
          "7",
          "\"text\"",
          "{\"a\":1,\"a\":2}",
          "{\"no_such_member\":1}",
          "{} {}",
          deep,
          "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}",
          std::string(200'000, '['),
          "[0.00000000000001e-2147483639]",
          "{\"a\":1e999}",
          std::string("{\"a\":\"\xff\"}"),
          std::string("{}\0", 3),
          std::string("\0", 1)};
}

TEST_F(ApiSweep, AMalformedBodyIsRefusedByEveryOperationThatWrites) {
  int swept = 0;
  for (const Operation& operation : operations_) {
    if (operation.method == "GET" || operation.is_batch) continue;
    ++swept;
    for (const std::string& body : Malformed()) {
      ExpectProblem(operation, body,
                    Send(operation.method, operation.path, body, {{"If-Match", "*"}}));
    }
  }
  EXPECT_GE(swept, 16);
  EXPECT_EQ(Get("/v1/jobs/" + job_).body["rev"].Int(), 1) << "nothing was changed";
  EXPECT_FALSE(Get("/v1/hosts/local-1").body["cordoned"].Bool(true));
}

// Each member of the schema, one after another, as each type that it is not.
TEST_F(ApiSweep, AMemberOfAnotherTypeIsPointedAt) {
  const Json wrong[] = {Json(true),
                        Json(-1),
                        Json(1.5),
                        Json(Json::Array{Json(Json::Object{})}),
                        Json(Json::Object{{"a", Json(Json::Array{})}}),
                        Json(std::string(70'000, 'x'))};
  int swept = 0;
  for (const Operation& operation : operations_) {
    for (const auto& [name, member] : operation.schema["properties"].Members()) {
      for (const Json& value : wrong) {
        // Only what has no chance of being right: text of any length and numbers may be.
        const Json kind = Resolved(member);
        const bool may_fit = kind.Find("oneOf") != nullptr || kind["type"].Text() == "boolean" ||
                             (kind["type"].Text() == "integer" && value.IsInt());
        const std::string body = Json(Json::Object{{name, value}}).ToString();
        const Answer answer = Send(operation.method, operation.path, body, {{"If-Match", "*"}});
        if (may_fit && answer.status < 400) continue;
        ExpectProblem(operation, body, answer);
        ++swept;
      }
    }
  }
  EXPECT_GE(swept, 150);
}

TEST_F(ApiSweep, ABodyPastItsBoundIsRefusedByEveryOperation) {
  StartApp("api: {body_bytes_max: 2KiB, batch_bytes_max: 2KiB, context_bytes_max: 2KiB}\n");
  for (const Operation& operation : operations_) {
    if (operation.method == "GET") continue;
    const std::string body = "{\"title\":\"" + std::string(4'096, 'x') + "\"}";
    const Answer answer = Send(operation.method, operation.path, body);
    EXPECT_EQ(answer.status, 413) << operation.id << ": " << answer.text;
  }
}

TEST_F(ApiSweep, OfABatchEachLineThatIsWrongIsAnsweredInItsPlace) {
  for (const std::string& line : Malformed()) {
    if (line.find('\n') != std::string::npos) continue;
    const Answer answer = Post("/v1/jobs:batch", line + "\n");
    EXPECT_EQ(answer.status, 200) << answer.text;
    EXPECT_NE(answer.text.find("\"line\":1,\"status\":400"), std::string::npos)
        << line.substr(0, 60) << ": " << answer.text;
  }
}

TEST_F(ApiSweep, NonsenseInAQueryIsTheClientsFaultToo) {
  const std::vector<std::string> queries = {"limit=0",  "limit=-1", "limit=x",       "limit=1e9",
                                            "cursor=x", "cursor==", "cursor=%ff",    "q=(",
                                            "sort=x",   "token=x",  "disk=nonsense", "from=x"};
  const std::set<std::string> streams = {"streamEvents"};
  for (const Operation& operation : operations_) {
    if (operation.method != "GET" || streams.contains(operation.id)) continue;
    for (const std::string& query : queries) {
      const Answer answer = Get(operation.path + "?" + query);
      EXPECT_TRUE(answer.status > 0 && answer.status < 500)
          << operation.id << " " << query << ": " << answer.status << answer.text;
    }
  }
  for (const char* path : {"/v1/jobs", "/v1/workspaces", "/v1/keys", "/v1/audit"}) {
    for (const char* query : {"limit=0", "limit=x", "cursor=x"}) {
      EXPECT_EQ(Get(std::string(path) + "?" + query).status, 400) << path << "?" << query;
    }
  }
}

TEST_F(ApiSweep, EveryAnswerToAKeySaysItsRate) {
  for (const Operation& operation : operations_) {
    if (operation.is_public || operation.id == "streamEvents") continue;
    const Answer answer = Send(operation.method, operation.path, "{");
    EXPECT_FALSE(answer.Header("ratelimit").empty()) << operation.id;
    EXPECT_FALSE(answer.Header("ratelimit-policy").empty()) << operation.id;
  }
}

}  // namespace
}  // namespace a4cd
