// An installation moves to another store, and to another index.
#include "apps/a4cd/migrate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "a4c/digests.h"
#include "a4c/retention.h"
#include "a4c/store_copy.h"
#include "apps/a4cd/app.h"
#include "apps/a4cd/backends.h"
#include "apps/a4cd/config/config_file.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/migrate_backend/migrate_backend.h"
#include "tests/support/recording_sinks.h"

namespace a4cd {
namespace {

class Migrate : public testing::Test {
 protected:
  Migrate() : directory_(testing::TempDir() + "a4c_migrate_test_" + std::to_string(getpid())) {
    std::filesystem::create_directories(directory_);
  }
  ~Migrate() override { std::filesystem::remove_all(directory_); }

  Settings SettingsOf(const std::string& store, const std::string& search = "{plugin: none}") {
    const std::string text = "roles: [sync, poller]\nhosts: {plugin: none}\nstore: " + store +
                             "\nsearch: " + search + "\ndata_directory: " + directory_ +
                             "\nplugin_directories: ['" + A4C_PLUGIN_DIRECTORY + "']\n";
    const auto root = ParseYaml(text, "test.yaml");
    EXPECT_TRUE(root) << root.error().ToString();
    const auto settings = CheckSettings(*root, "/nowhere", directory_);
    EXPECT_TRUE(settings) << settings.error().ToString();
    return *settings;
  }
  std::string Sqlite(const std::string& name) const {
    return "{plugin: store-sqlite, config: {path: " + directory_ + "/" + name + "}}";
  }

  void Write(const Settings& settings, const std::string& id) {
    const auto backends = LoadBackends(settings, runtime_);
    ASSERT_TRUE(backends) << backends.error().ToString();
    a4c::Database database(backends->ForDatabase(), runtime_);
    const a4c::Call call = a4c::Call::Within(runtime_.clock, 60'000);
    ASSERT_TRUE(database.Open(call, AllCollections()));
    const auto written = database.Write(
        call, {.changes = {{.ref = {"job", {"default", id}}, .body = R"({"title":"pier"})"}}});
    ASSERT_TRUE(written) << written.error().ToString();
  }

  // A row of the audit log that is as old as the epoch.
  void Audit(const Settings& settings, const std::string& id) {
    const auto backends = LoadBackends(settings, runtime_);
    ASSERT_TRUE(backends) << backends.error().ToString();
    const a4c::Call call = a4c::Call::Within(runtime_.clock, 60'000);
    ASSERT_TRUE(backends->store->Ensure(call, a4c::StoredKinds(AllCollections())));
    const a4c::WriteBatch batch{{a4c::Put{.ref = {"audit", {"default", id}},
                                          .body = R"({"at":1})",
                                          .expect = a4c::Expect::Absent()}}};
    const auto written = backends->store->Apply(call, {&batch, 1});
    ASSERT_TRUE(written) << written.error().ToString();
    ASSERT_EQ(written->results[0].outcome, a4c::BatchOutcome::kApplied);
  }
  void ForgetAudit(const Settings& settings) {
    const auto backends = LoadBackends(settings, runtime_);
    ASSERT_TRUE(backends) << backends.error().ToString();
    const a4c::Call call = a4c::Call::Within(runtime_.clock, 60'000);
    const auto more = a4c::Forget(call, *backends->store, AuditKind(), runtime_.clock.NowMs());
    ASSERT_TRUE(more) << more.error().ToString();
  }

  a4c::Result<void> Start(const Settings& settings) {
    auto metrics = NewMetrics();
    A4C_CHECK(App::Start(settings, runtime_, *metrics));
    return {};
  }
  bool Opens(const Settings& settings) { return Start(settings).has_value(); }

  // As a release does that has raised the version of a kind.
  void MigrateAsNewer(const Settings& settings) {
    const auto backends = LoadBackends(settings, runtime_);
    ASSERT_TRUE(backends) << backends.error().ToString();
    std::vector<a4c::Kind> kinds = a4c::StoredKinds(AllCollections());
    const auto job = std::ranges::find(kinds, JobKind().name, &a4c::Kind::name);
    ASSERT_NE(job, kinds.end());
    ++job->version;
    ASSERT_TRUE(backends->store->Ensure(a4c::Call::Within(runtime_.clock, 60'000), kinds));
  }

  struct Counts {
    int64_t waiting = 0;
    int64_t found = 0;
    bool operator==(const Counts&) const = default;
  };
  // What an instance with these settings leaves to be done, and finds, after a step of its poller,
  // or when that has nothing more to do.
  Counts Polled(const Settings& settings, bool to_the_end = true) {
    const auto backends = LoadBackends(settings, runtime_);
    EXPECT_TRUE(backends) << backends.error().ToString();
    a4c::DatabaseOptions options;
    options.index_identity = *IndexIdentity(*backends->plugins, settings.search);
    a4c::Database database(backends->ForDatabase(), runtime_, options);
    const a4c::Call call = a4c::Call::Within(runtime_.clock, 60'000);
    EXPECT_TRUE(database.Open(call, AllCollections()));
    const auto poller = database.NewPollLoop("job");
    const auto waiter = runtime_.threads.NewWaiter();
    (void)poller->Step(call);
    auto status = database.Status(call, "job");
    while (to_the_end && status && status->outbox_rows > 0 && !call.Expired()) {
      const a4c::Waiter::Lock lock(*waiter);
      waiter->Wait(runtime_.clock.MonotonicMs() + 50);
      (void)poller->Step(call);
      status = database.Status(call, "job");
    }
    const auto found = database.Search(call, {.request = {.kind = JobKind(), .limit = 10}});
    EXPECT_TRUE(status && found);
    return {status->outbox_rows, found->answer.total};
  }

  a4c::testing::RecordingLog log_;
  a4c::testing::RecordingMetrics recorded_;
  const a4c::Runtime runtime_ = a4c::SystemRuntime(log_, recorded_);
  const std::string directory_;
};

TEST_F(Migrate, AStoreIsCopiedWhileItServesAndThenCutOver) {
  const Settings from = SettingsOf(Sqlite("old.db"));
  const Settings to = SettingsOf(Sqlite("new.db"));
  Write(from, "first");
  int told = 0;
  MigrateOptions options{.progress = [&](const a4c::Json&) { ++told; }};
  const auto copied = MigrateStore(from, to, runtime_, options);
  ASSERT_TRUE(copied) << copied.error().ToString();
  EXPECT_EQ((*copied)["phase"].Text(), "copied");
  EXPECT_GT((*copied)["written"].Int(), 0);
  EXPECT_GT(told, 0);
  Write(from, "second");
  options.cut_over = true;
  const auto cut_over = MigrateStore(from, to, runtime_, options);
  ASSERT_TRUE(cut_over) << cut_over.error().ToString();
  EXPECT_EQ((*cut_over)["phase"].Text(), "cut over");
  EXPECT_FALSE(Opens(from));
  EXPECT_TRUE(Opens(to));
  const auto backends = LoadBackends(to, runtime_);
  const a4c::RecordRef refs[] = {{"job", {"default", "first"}}, {"job", {"default", "second"}}};
  const auto found = backends->store->Get(a4c::Call::Within(runtime_.clock, 60'000), refs);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->records[0] && found->records[1]);
}

// Days may lie between the copy and the cut-over; nothing can delete such rows of the new store.
TEST_F(Migrate, WhatTheOldStoreHasForgottenSinceTheCopyStopsNoCutOver) {
  const Settings from = SettingsOf(Sqlite("old.db"));
  const Settings to = SettingsOf(Sqlite("new.db"));
  Audit(from, "first");
  ASSERT_TRUE(MigrateStore(from, to, runtime_, {}));
  ForgetAudit(from);
  Audit(from, "second");
  const auto cut_over = MigrateStore(from, to, runtime_, {.cut_over = true});
  ASSERT_TRUE(cut_over) << cut_over.error().ToString();
  EXPECT_EQ((*cut_over)["phase"].Text(), "cut over");
  const auto backends = LoadBackends(to, runtime_);
  const a4c::RecordRef ref{"audit", {"default", "second"}};
  const auto found = backends->store->Get(a4c::Call::Within(runtime_.clock, 60'000), {&ref, 1});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->records[0]);
}

TEST_F(Migrate, ACutOverOfTheStoreCanBeTakenBack) {
  const Settings from = SettingsOf(Sqlite("old.db"));
  const Settings to = SettingsOf(Sqlite("new.db"));
  Write(from, "first");
  ASSERT_TRUE(MigrateStore(from, to, runtime_, {.cut_over = true}));
  EXPECT_FALSE(Opens(from));
  ASSERT_TRUE(MigrateStore(from, to, runtime_, {.back = true}));
  EXPECT_TRUE(Opens(from));
}

// What docs/guides/operations.md says under "Going back".
TEST_F(Migrate, AnOlderReleaseStartsOnAMigratedStoreOnlyAfterTheBackupIsRestored) {
  const Settings settings = SettingsOf(Sqlite("one.db"));
  Write(settings, "first");
  const std::string file = directory_ + "/one.db";
  const std::string backup = directory_ + "/backup.db";
  std::filesystem::copy_file(file, backup);
  MigrateAsNewer(settings);
  for (const auto& refused : {Start(settings), a4cd::Migrate(settings, runtime_)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), a4c::Code::kConflict);
    EXPECT_NE(refused.error().hint().find("restoring the backup"), std::string::npos)
        << refused.error().ToString();
  }
  std::filesystem::copy_file(backup, file, std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(Opens(settings));
}

TEST_F(Migrate, ToTheSameIndexIsRefused) {
  const Settings same = SettingsOf(Sqlite("one.db"), "{plugin: search-memory}");
  const auto moved = MigrateSearch(same, same, runtime_, {});
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code(), a4c::Code::kInvalid);
}

TEST_F(Migrate, AnotherIndexIsFilledFromTheStore) {
  const Settings from = SettingsOf(Sqlite("one.db"));
  const Settings to = SettingsOf(Sqlite("one.db"), "{plugin: search-memory}");
  Write(from, "first");
  const auto moved = MigrateSearch(from, to, runtime_, {});
  ASSERT_TRUE(moved) << moved.error().ToString();
  EXPECT_EQ((*moved)["records"].Int(), 1);
}

// What was written meanwhile waits for an instance with the new index, also beside old ones.
TEST_F(Migrate, AfterACutOverTheOldIndexConfirmsNothing) {
  const auto sqlite = [&](const char* file) {
    return "{plugin: search-sqlite, config: {path: " + directory_ + "/" + file + "}}";
  };
  const Settings from = SettingsOf(Sqlite("one.db"), sqlite("old_index.db"));
  const Settings to = SettingsOf(Sqlite("one.db"), sqlite("new_index.db"));
  Write(from, "first");
  EXPECT_EQ(Polled(from), (Counts{.waiting = 0, .found = 1}));
  const auto cut_over = MigrateSearch(from, to, runtime_, {.cut_over = true, .steps_end_ms = 0});
  ASSERT_TRUE(cut_over) << cut_over.error().ToString();
  EXPECT_EQ((*cut_over)["phase"].Text(), "cut over");
  Write(from, "second");
  EXPECT_EQ(Polled(from, false).waiting, 1);
  EXPECT_EQ(Polled(to), (Counts{.waiting = 0, .found = 2}));
  Write(from, "third");
  ASSERT_TRUE(MigrateSearch(from, to, runtime_, {.back = true}));
  EXPECT_EQ(Polled(from).waiting, 0);
}

// Instances that reach one index each in its own way are all to hear that it is retired.
TEST_F(Migrate, TheIdentityOfAnIndexIsWhereItIs) {
  const auto plugins = NewPluginHost(SettingsOf(Sqlite("one.db")), runtime_);
  const auto identity = [&](const std::string& config) {
    PluginChoice choice{"search-elastic", a4c::ConfigValue::Map({})};
    const auto root = ParseYaml(config, "test.yaml");
    choice.config = *root;
    const auto made = IndexIdentity(*plugins, choice);
    EXPECT_TRUE(made) << made.error().ToString();
    return made ? *made : "";
  };
  EXPECT_EQ(identity("{urls: ['http://a'], password: x}"),
            identity("{urls: ['http://a'], password: y}"));
  EXPECT_EQ(identity("{urls: ['http://a', 'http://b']}"),
            identity("{urls: ['http://b', 'http://a'], connections_max: 4, index_prefix: ''}"));
  EXPECT_NE(identity("{urls: ['http://a']}"), identity("{urls: ['http://b']}"));
  EXPECT_NE(identity("{urls: ['http://a']}"), identity("{urls: ['http://a'], index_prefix: x}"));
}

}  // namespace
}  // namespace a4cd
