// What a commit came to when the server's answer does not say so, by triggers that are not ours.
#include <gtest/gtest.h>

#include "session/postgres_pool.h"
#include "tests/test_server.h"
#include "write/postgres_committer.h"

namespace a4c::postgres {
namespace {

class PostgresCommits : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped()) return;
    Open({{.name = "thing"}});
    ASSERT_EQ(Put("old", Expect::Absent()).outcome, BatchOutcome::kApplied);
  }

  BatchResult Put(const std::string& id, Expect expect) {
    return Apply({a4c::Put{.ref = {"thing", {"", id}}, .body = R"({"n":1})", .expect = expect}});
  }
  // when: "BEFORE", or what makes it a constraint trigger; body: of a PL/pgSQL function.
  void AddTrigger(const std::string& trigger, const std::string& when, const std::string& body) {
    const std::string function = "\"" + name_ + "\".meddle()";
    Sql("CREATE FUNCTION " + function + " RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + body +
        " END $$");
    Sql("CREATE " + trigger + " meddle " + when + " INSERT OR UPDATE ON " + TableName("thing") +
        (trigger == "TRIGGER" ? "" : " DEFERRABLE INITIALLY DEFERRED") +
        " FOR EACH ROW EXECUTE FUNCTION " + function);
  }
};

// One lane takes what can only be created, the other all else. What may have been committed is not
// tried again: it would be in its own way.
TEST_F(PostgresCommits, OneWithWhichTheSessionEndsIsUnknownAndNotRepeatedInBothLanes) {
  const std::string tries = "\"" + name_ + "\".tries";
  Sql("CREATE SEQUENCE " + tries);  // it counts also what is rolled back
  AddTrigger("CONSTRAINT TRIGGER", "AFTER",
             "PERFORM nextval('" + tries + "'); " +
                 "PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL;");
  EXPECT_EQ(Put("new", Expect::Absent()).outcome, BatchOutcome::kUnknown);
  EXPECT_EQ(Sql("SELECT last_value FROM " + tries), "1");
  EXPECT_EQ(Put("old", Expect::Any()).outcome, BatchOutcome::kUnknown);
  EXPECT_EQ(Sql("SELECT last_value FROM " + tries), "2");
}

TEST_F(PostgresCommits, RowsThatATriggerKeepsBackAreNoSuccess) {
  AddTrigger("TRIGGER", "BEFORE", "RETURN NULL;");
  EXPECT_EQ(Put("new", Expect::Absent()).outcome, BatchOutcome::kUnknown);
  EXPECT_FALSE(Read({"thing", {"", "new"}}).has_value());
  EXPECT_EQ(Put("old", Expect::Any()).outcome, BatchOutcome::kUnknown);
  EXPECT_EQ(Read({"thing", {"", "old"}})->rev, 1);
}

// Whose server another has replaced by the time it answers.
class ReplacedPool final : public SessionPool {
 public:
  explicit ReplacedPool(SessionPool& inner) : inner_(inner) {}
  Result<Lease> Take(const Call& call) override { return inner_.Take(call); }
  bool IsGood(const Session&) const override { return false; }
  void LookAround(const Call&) override {}

 protected:
  // A session goes back to the pool that it was taken from.
  void GiveBack(std::unique_ptr<Session>) override { ADD_FAILURE(); }
  void Discard(std::unique_ptr<Session>) override { ADD_FAILURE(); }

 private:
  SessionPool& inner_;
};

TEST_F(PostgresCommits, WhatAReplacedPrimaryHasAcknowledgedIsUnknown) {
  const Options options = OptionsWith();
  Catalogs catalogs(false, TheRuntime());
  const Kind thing{.name = "thing"};
  catalogs.Add(name_, {&thing, 1});
  std::atomic<int64_t> timeline_seen = 0;
  Connector connector(Connector::Wanted::kPrimary, options.conninfos, options, timeline_seen,
                      TheRuntime());
  const auto pool = NewSessionPool(connector, options, TheRuntime());
  ReplacedPool replaced(*pool);
  const auto committer = NewCommitter(replaced, options, TheRuntime());
  const std::vector<WriteBatch> batches{
      {{a4c::Put{.ref = {"thing", {"", "new"}}, .body = "{}", .expect = Expect::Absent()}}},
      {{a4c::Put{.ref = {"thing", {"", "old"}}, .body = "{}"}}}};
  const ApplyAnswer answer = committer->Apply(Within(), *catalogs.Newest(), batches);
  EXPECT_EQ(answer.results.at(0).outcome, BatchOutcome::kUnknown);
  EXPECT_EQ(answer.results.at(1).outcome, BatchOutcome::kUnknown);
}

}  // namespace
}  // namespace a4c::postgres
