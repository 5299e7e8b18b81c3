// A former primary that answers read-write again beside the one that took its place, on a cluster
// of the test's own that dev/stack makes.
#include <unistd.h>

#include <filesystem>

#include "postgres_test_server.h"

namespace a4c::search_postgres {
namespace {

namespace fs = std::filesystem;

class PostgresIndexFailover : public ServerTest {
 protected:
  void SetUp() override {
    if (!fs::exists("/usr/lib/postgresql")) {
      const bool required = std::getenv("CI") || std::getenv("A4C_REQUIRE_SERVERS");
      ASSERT_FALSE(required) << "needs PostgreSQL's server programs";
      GTEST_SKIP() << "needs PostgreSQL's server programs";
    }
    char pattern[] = "/tmp/a4c-failover-XXXXXX";
    directory_ = mkdtemp(pattern);
    Stack("start");
    ASSERT_FALSE(HasFailure()) << "the servers did not start";
    setenv("PGPASSFILE", FromEnv("PGPASSFILE").c_str(), 1);
    setenv("A4C_TEST_POSTGRES_DSN", FromEnv("A4C_TEST_POSTGRES_DSN").c_str(), 1);
    ServerTest::SetUp();
  }
  void TearDown() override {
    index_.reset();
    if (directory_.empty()) return;
    Stack("stop --clean");
    fs::remove_all(directory_);
  }

  // The last line of what the script of dev/stack/postgres says.
  std::string Stack(const std::string& command) {
    return Shell("A4C_STACK_DIR=" + directory_ + " " A4C_STACK "/postgres/" + command + " 2>>" +
                 directory_ + "/log");
  }
  std::string FromEnv(const std::string& name) {
    return Shell(". " + directory_ + "/postgres/env; echo \"$" + name + "\"");
  }
  std::string Shell(const std::string& command) {
    FILE* pipe = popen(command.c_str(), "r");
    std::string output;
    char buffer[512];
    while (fgets(buffer, sizeof(buffer), pipe) != nullptr) output = buffer;
    EXPECT_EQ(pclose(pipe), 0) << command << ": see " << directory_ << "/log";
    while (!output.empty() && output.back() == '\n') output.pop_back();
    return output;
  }

  // A fresh connection to the server of that place in the list.
  void AskServer(size_t place) {
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfoParse(dsn_.c_str(), nullptr), PQconninfoFree);
    std::string ports;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
      if (option->keyword == std::string("port")) ports = option->val;
    }
    for (size_t i = 0; i < place; ++i) ports.erase(0, ports.find(',') + 1);
    const std::string server = " host=127.0.0.1 port=" + ports.substr(0, ports.find(','));
    sql_.reset(PQconnectdb((dsn_ + server).c_str()));
    ASSERT_EQ(PQstatus(sql_.get()), CONNECTION_OK) << PQerrorMessage(sql_.get());
  }

  std::string directory_;
};

// The list begins with the former one, and what is written does not wait for a standby, which would
// tell: so it would be confirmed, and lost.
TEST_F(PostgresIndexFailover, WhatIsOpenedWhileAFormerPrimaryRunsWritesToTheNewOne) {
  Sql("ALTER ROLE CURRENT_USER SET synchronous_commit = local");
  Stack("crash p");
  const std::string promoted = Stack("promote");
  Stack("revive p");
  const auto fresh = Open();
  const std::vector<Document> documents = {Photo("a", 1, R"({"title":"sky"})")};
  const auto results = fresh->Bulk(Within(), documents);
  ASSERT_TRUE(results) << results.error().ToString();
  EXPECT_EQ(results->at(0).outcome, BulkOutcome::kApplied);
  ASSERT_NO_FATAL_FAILURE(AskServer(promoted == "r1" ? 1 : 2));
  EXPECT_EQ(Sql("SELECT count(*) FROM " + Table()), "1") << "on " << promoted;
}

}  // namespace
}  // namespace a4c::search_postgres
