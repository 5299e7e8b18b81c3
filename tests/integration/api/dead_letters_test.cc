// Dead letters past one page, by the handler: a service cannot be brought to have so many.
#include <set>

#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/jobs/kinds.h"
#include "tests/integration/support/handler_fixture.h"

namespace a4cd {
namespace {

constexpr int kLetters = 2'500;
constexpr int kBatches = 500;  // of one Apply

class ApiDeadLetters : public HandlerTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_.Open(Within(), AllCollections()));
    for (int i = 0; i < kLetters; i += kBatches) {
      std::vector<a4c::WriteBatch> batches;
      for (int j = i; j < i + kBatches; ++j) batches.push_back({{Row(j)}});
      ASSERT_TRUE(store_->Apply(Within(), batches));
    }
  }

  // As the outbox keeps one (core/src/collection/outbox.h).
  static a4c::Put Row(int number) {
    return {.ref = {"job_outbox", {"tenant", "j" + std::to_string(10'000 + number)}},
            .body = "{}",
            .quiet = {{"dead", true}, {"dead_at", int64_t{1'000}}}};
  }
  a4c::Json List(const std::string& cursor) {
    Request request;
    request.path = "/v1/sync/dead-letters";
    if (!cursor.empty()) request.query = {{"cursor", cursor}};
    request.principal = {.tenant = "default", .key_id = "mine", .scopes = {"*"}};
    request.deadline_ms = runtime_.clock.MonotonicMs() + 30'000;
    const Response response = ListDeadLetters(api_, request);
    const auto body = a4c::ParseJson(response.body);
    EXPECT_EQ(response.status, 200) << response.body;
    return body ? *body : a4c::Json();
  }
};

TEST_F(ApiDeadLetters, AreListedPageByPage) {
  std::set<std::string> listed;
  std::string cursor;
  do {
    const size_t before = listed.size();
    const a4c::Json page = List(cursor);
    for (const a4c::Json& letter : page["items"].Items()) listed.insert(letter["id"].Text());
    cursor = page["next"].Text();
    ASSERT_GT(listed.size(), before) << "a page without anything new";
  } while (!cursor.empty());
  EXPECT_EQ(listed.size(), static_cast<size_t>(kLetters));
}

}  // namespace
}  // namespace a4cd
