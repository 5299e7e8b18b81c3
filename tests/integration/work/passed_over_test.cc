// One record that nothing can be done with does not hold up those behind it.
#include "apps/a4cd/upkeep/passed_over.h"

#include <algorithm>

#include "apps/a4cd/upkeep/retention_loop.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

// Refuses each write whose ops name a word.
class RefusingStore final : public a4c::Store {
 public:
  explicit RefusingStore(a4c::Store& inner) : inner_(inner) {}
  Result<void> Ensure(const Call& call, std::span<const a4c::Kind> kinds) override {
    return inner_.Ensure(call, kinds);
  }
  Result<a4c::ApplyAnswer> Apply(const Call& call,
                                 std::span<const a4c::WriteBatch> batches) override {
    a4c::ApplyAnswer all;
    for (const a4c::WriteBatch& batch : batches) {
      if (std::ranges::any_of(batch.ops, [&](const a4c::Op& op) { return Names(op); })) {
        all.results.push_back(
            {.outcome = a4c::BatchOutcome::kInvalid, .failures = {{.message = "it does not fit"}}});
        continue;
      }
      A4C_TRY(a4c::ApplyAnswer one, inner_.Apply(call, std::span(&batch, 1)));
      all.store_time_ms = one.store_time_ms;
      all.results.push_back(std::move(one.results.at(0)));
    }
    return all;
  }
  Result<a4c::GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    return inner_.Get(call, refs);
  }
  Result<a4c::ScanAnswer> Scan(const Call& call, const a4c::ScanRequest& request) override {
    return inner_.Scan(call, request);
  }
  std::string refused;

 private:
  bool Names(const a4c::Op& op) const {
    const auto* put = std::get_if<a4c::Put>(&op);
    const auto* del = std::get_if<a4c::Delete>(&op);
    if (refused.empty()) return false;
    if (del != nullptr) return del->ref.key.id == refused;
    if (put == nullptr) return false;
    return put->ref.key.id == refused || put->body.value_or("").find(refused) != std::string::npos;
  }

  a4c::Store& inner_;
};

class PassedOverTest : public ::testing::Test {
 protected:
  std::string Create(const std::string& name, const char* field, const char* value) {
    Json payload = CreatePayload(name);
    payload.Set(field, value);
    std::string id = world_.Submit("workspace.create", std::move(payload)).workspace;
    world_.Work();
    world_.fake.clock().Advance(1'000);
    return id;
  }
  void StepOfTheOther(const std::string& name) {
    for (const auto& loop : other_.worker.NewSingletons()) {
      if (loop->name() != name) continue;
      const Result<int64_t> step = loop->Step(world_.Within());
      EXPECT_TRUE(step) << step.error().ToString();
    }
  }
  // The newest job of the workspace.
  std::string LastJobOf(const std::string& workspace) {
    const auto jobs = world_.instance.jobs.List(world_.Within(), kTenant, JobList());
    EXPECT_TRUE(jobs);
    if (!jobs) return "";
    const auto last = std::ranges::find(jobs->jobs, workspace, &Job::workspace);
    return last == jobs->jobs.end() ? "" : last->type;
  }
  int Told() { return world_.fake.log().CountOf("a record is passed over"); }

  World world_{kOneServer};
  RefusingStore store_{*world_.store};
  Instance other_{world_.fake.runtime(), store_, world_.hosts, {}};
};

TEST_F(PassedOverTest, AWorkspaceThatCannotBeDeletedStopsNoOtherFromExpiring) {
  store_.refused = Create("dev-1", "ttl", "60s");
  const std::string good = Create("dev-2", "ttl", "60s");
  world_.fake.clock().Advance(61'000);
  StepOfTheOther("expiry");
  EXPECT_EQ(LastJobOf(store_.refused), "workspace.create");
  EXPECT_EQ(LastJobOf(good), "workspace.delete");
  EXPECT_EQ(Told(), 1);
}

TEST_F(PassedOverTest, AWorkspaceThatCannotBeStoppedStopsNoOtherFromBeingIdle) {
  store_.refused = Create("dev-1", "idle_stop", "10m");
  const std::string good = Create("dev-2", "idle_stop", "10m");
  for (int i = 0; i < 24; ++i) {
    world_.fake.clock().Advance(30'000);
    StepOfTheOther("idle");
  }
  EXPECT_EQ(LastJobOf(store_.refused), "workspace.create");
  EXPECT_EQ(LastJobOf(good), "workspace.stop");
  EXPECT_GE(Told(), 1);
}

TEST_F(PassedOverTest, AJobThatCannotBeRetiredStopsNoOtherFromIt) {
  const std::string workspace = Create("dev-1", "ttl", "1h");
  std::vector<std::string> jobs;
  for (int i = 0; i < 2; ++i) {
    Json payload(Json::Object{{"workspace", workspace}});
    payload.AppendMember("command", Json::Array{"true"});
    jobs.push_back(world_.Submit("command.run", std::move(payload)).id);
    world_.Work();
    world_.fake.clock().Advance(1'000);
  }
  store_.refused = jobs[0];
  world_.fake.clock().Advance(31 * 24 * 3'600'000LL);
  const auto loop = NewRetentionLoop(other_.database, world_.fake.runtime());
  EXPECT_TRUE(loop->Step(world_.Within()));
  const auto is_there = [&](const std::string& id) {
    return world_.instance.jobs.Get(world_.Within(), kTenant, id).has_value();
  };
  EXPECT_TRUE(is_there(jobs[0]));
  EXPECT_FALSE(is_there(jobs[1]));
  EXPECT_EQ(Told(), 1);
}

TEST_F(PassedOverTest, AStoreThatIsAwayEndsTheStep) {
  PassedOver passed_over(world_.fake.runtime(), "expiry");
  const RecordRef ref = WorkspaceRef(kTenant, "one");
  const auto note = [&](a4c::Code code) {
    return passed_over.Note(world_.Within(), ref, a4c::Error(code, "x")).has_value();
  };
  EXPECT_FALSE(note(a4c::Code::kUnavailable));
  EXPECT_FALSE(note(a4c::Code::kUnknownOutcome));
  EXPECT_EQ(Told(), 0);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(note(a4c::Code::kInvalid));
  EXPECT_EQ(Told(), 10) << "not of each of many";
}

}  // namespace
}  // namespace a4cd::testing
