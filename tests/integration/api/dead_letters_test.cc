// Dead letters past one page, by the handler: a service cannot be brought to have so many.
#include <gtest/gtest.h>

#include <set>

#include "a4c/memory.h"
#include "apps/a4cd/api/api.h"
#include "apps/a4cd/api/event_feed.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/jobs/kinds.h"
#include "tests/support/recording_sinks.h"

namespace a4cd {
namespace {

constexpr int kLetters = 2'500;
constexpr int kBatches = 500;  // of one Apply

class NoProcess final : public ProcessView {
 public:
  std::string WhyNotReady(const a4c::Call&, const std::string&) override { return ""; }
  a4c::Json Status(const a4c::Call&) override { return a4c::Json::Object{}; }
  std::string MetricsText() override { return ""; }
};

class ApiDeadLetters : public testing::Test {
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
  a4c::Call Within() const { return a4c::Call::Within(runtime_.clock, 30'000); }

  a4c::testing::RecordingLog log_;
  a4c::testing::RecordingMetrics metrics_;
  const a4c::Runtime runtime_ = a4c::SystemRuntime(log_, metrics_);
  std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(runtime_);
  std::unique_ptr<a4c::SearchIndex> index_ = a4c::NewMemorySearchIndex(runtime_);
  a4c::IdSource ids_{runtime_.clock, runtime_.random};
  a4c::Database database_{{.store = *store_, .index = index_.get()}, runtime_};
  JobService jobs_{database_, runtime_, ids_};
  KeyService keys_{database_, runtime_, 0};
  SecretService secrets_{database_, runtime_, nullptr};
  EventFeed feed_{database_, runtime_};
  NoProcess process_;
  ApiContext api_{runtime_,
                  {},
                  database_,
                  jobs_,
                  keys_,
                  secrets_,
                  nullptr,
                  feed_,
                  process_,
                  ids_,
                  RateLimiter(runtime_.clock, 0, 0),
                  InFlight(runtime_),
                  SessionPlaces(metrics_, 10, 10)};
};

TEST_F(ApiDeadLetters, AreListedPageByPage) {
  std::set<std::string> listed;
  std::string cursor;
  do {
    const a4c::Json page = List(cursor);
    ASSERT_FALSE(page["items"].Items().empty());
    for (const a4c::Json& letter : page["items"].Items()) listed.insert(letter["id"].Text());
    cursor = page["next"].Text();
  } while (!cursor.empty() && listed.size() <= kLetters);
  EXPECT_EQ(listed.size(), static_cast<size_t>(kLetters));
}

}  // namespace
}  // namespace a4cd
