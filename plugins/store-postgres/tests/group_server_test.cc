// Calls with many batches of few records: what the lanes make of them at once is what the memory
// store makes of them one after another.
#include <gtest/gtest.h>

#include <random>

#include "a4c/memory.h"
#include "tests/test_server.h"

namespace a4c::postgres {
namespace {

constexpr int kCalls = 60;
constexpr int kBatchesPerCall = 25;

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {
      {.name = "thing",
       .fields = {{.name = "name"},
                  {.name = "count", .type = FieldType::kLong, .quiet = true},
                  {.name = "epoch", .type = FieldType::kLong, .quiet = true, .merge = Merge::kMax}},
       .indexes = {{.name = "by_name", .fields = {"name"}, .unique = true}}},
      {.name = "owner"}};
  return kinds;
}

class RandomBatches {
 public:
  explicit RandomBatches(uint32_t seed) : random_(seed) {}

  std::vector<WriteBatch> Call() {
    std::vector<WriteBatch> batches(kBatchesPerCall);
    for (WriteBatch& batch : batches) batch = Batch();
    return batches;
  }

 private:
  int64_t Below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
  RecordRef Thing() { return {"thing", {"", "t" + std::to_string(Below(4))}}; }

  Expect AnyExpect() {
    if (Below(3) == 0) return Expect::Absent();
    return Below(2) == 0 ? Expect::Any() : Expect::Rev(1 + Below(12));
  }

  WriteBatch Batch() {
    switch (Below(6)) {
      case 0:
        return {{Delete{.ref = Thing(), .expect = Expect::Any()}}};
      case 1:
        return {{Put{.ref = Thing(), .quiet = {{"epoch", Below(100)}}}}};
      case 2:
        return {{Put{.ref = {"owner", {"", "o" + std::to_string(++owners_)}},
                     .body = "{}",
                     .expect = Expect::Absent()},
                 Add{.ref = Thing(), .field = "count", .delta = Below(5) - 1, .max = 20}}};
      case 3:
        return {{Check{.ref = Thing(), .rev = 1 + Below(5)},
                 Put{.ref = {"owner", {"", "o" + std::to_string(1 + Below(5))}}, .body = "{}"}}};
      default:
        return {{Put{.ref = Thing(),
                     .body = R"({"name":"n)" + std::to_string(Below(4)) + R"("})",
                     .tombstone = Below(8) == 0,
                     .quiet = {{"epoch", Below(100)}},
                     .expect = AnyExpect()}}};
    }
  }

  std::mt19937 random_;
  int64_t owners_ = 0;
};

std::string Text(const BatchResult& result) {
  std::string text = std::to_string(static_cast<int>(result.outcome));
  for (const int64_t value : result.values) text += " " + std::to_string(value);
  for (const OpFailure& failure : result.failures) {
    text += " op" + std::to_string(failure.op) + ":" +
            std::to_string(static_cast<int>(failure.reason)) + failure.message;
  }
  if (result.error) text += " " + result.error->ToString();
  return text;
}

std::string All(Store& store) {
  std::string text;
  for (const char* kind : {"thing", "owner"}) {
    const auto page = store.Scan(Within(), {.kind = kind, .tombstones = true, .limit = 10'000});
    if (!page) return page.error().ToString();
    for (const Record& record : page->records) {
      text += record.ref.key.id + " " + std::to_string(record.rev) + record.body +
              (record.tombstone ? "+" : "-");
      for (const auto& [name, value] : record.quiet) {
        text += name + "=" + std::to_string(std::get<int64_t>(value));
      }
      text += "\n";
    }
  }
  return text;
}

class PostgresGroups : public ServerTest {};

TEST_F(PostgresGroups, ManyBatchesOfFewRecordsComeToWhatTheyWouldOneByOne) {
  Open(Kinds());
  const std::unique_ptr<Store> memory = NewMemoryStore(TheRuntime());
  ASSERT_TRUE(memory->Ensure(Within(), Kinds()));
  RandomBatches random(20'261'126);
  int applied = 0;
  for (int call = 0; call < kCalls; ++call) {
    const std::vector<WriteBatch> batches = random.Call();
    const auto ours = store_->Apply(Within(), batches);
    const auto theirs = memory->Apply(Within(), batches);
    ASSERT_TRUE(ours && theirs);
    for (size_t i = 0; i < batches.size(); ++i) {
      ASSERT_EQ(Text(ours->results[i]), Text(theirs->results[i])) << "call " << call << ":" << i;
      applied += ours->results[i].outcome == BatchOutcome::kApplied ? 1 : 0;
    }
    ASSERT_EQ(All(*store_), All(*memory)) << "after call " << call;
  }
  EXPECT_GT(applied, kCalls * kBatchesPerCall / 4);
}

}  // namespace
}  // namespace a4c::postgres
