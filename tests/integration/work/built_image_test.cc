// What a tag means: a tenant's own newest build of it, on every server.
#include "apps/a4cd/jobs/built_image.h"

#include <Poco/Base64Encoder.h>

#include <sstream>

#include "apps/a4cd/upkeep/builds_loop.h"
#include "apps/a4cd/upkeep/retention_loop.h"
#include "tests/integration/support/work_fixture.h"
#include "tests/support/tar.h"

namespace a4cd::testing {
namespace {

std::string Base64(const std::string& bytes) {
  std::ostringstream text;
  Poco::Base64Encoder encoder(text);
  encoder.rdbuf()->setLineLength(0);
  encoder << bytes;
  encoder.close();
  return text.str();
}

constexpr int64_t kDayMs = 24 * 3'600'000LL;

class BuiltImages : public ::testing::Test {
 protected:
  // The digest of a build whose content is this, on that server.
  std::string Build(const std::string& server, const std::string& content,
                    const std::string& tag = "app:1") {
    const std::string tar =
        TarOf({{"Dockerfile", "FROM busybox:local\nLABEL of=" + content + "\n"}});
    const Job job = world_.Submit(
        "image.build", Json::Object{{"tag", tag}, {"host", server}, {"context", Base64(tar)}});
    world_.Work();
    const Job done = world_.GetJob(job.id);
    EXPECT_EQ(done.state, JobState::kSucceeded) << done.message;
    return done.result["digest"].Text();
  }
  std::string Create(const std::string& name, const std::string& server) {
    Json payload = CreatePayload(name);
    payload.Set("image", "app:1").Set("host", server);
    const Job job = world_.Submit("workspace.create", std::move(payload));
    world_.Work();
    EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded) << world_.GetJob(job.id).message;
    return job.workspace;
  }
  Job SubmitAs(const std::string& tenant, const std::string& type, Json payload) {
    JobDraft draft;
    draft.type = type;
    draft.payload = std::move(payload);
    const Principal principal{.tenant = tenant, .key_id = "key", .scopes = {"*"}};
    const auto write = world_.instance.jobs.PrepareCreate(world_.Within(), principal, draft);
    EXPECT_TRUE(write) << write.error().ToString();
    EXPECT_TRUE(world_.instance.database.Write(world_.Within(), write->commit));
    world_.Work();
    const auto job = world_.instance.jobs.Get(world_.Within(), tenant, write->id);
    EXPECT_TRUE(job) << job.error().ToString();
    return *job;
  }
  Job BuildAs(const std::string& tenant, const std::string& tag, const std::string& dockerfile) {
    return SubmitAs(tenant, "image.build",
                    Json::Object{{"tag", tag},
                                 {"host", "one"},
                                 {"context", Base64(TarOf({{"Dockerfile", dockerfile}}))}});
  }
  Job CreateAs(const std::string& tenant, const std::string& image, const std::string& server) {
    Json payload = CreatePayload(tenant + "-on-" + server);
    payload.Set("image", image).Set("host", server);
    return SubmitAs(tenant, "workspace.create", std::move(payload));
  }
  // What the server has by that name.
  std::string Named(const std::string& server, const std::string& image) {
    const auto found =
        world_.memory_hosts->As<a4c::HostImageSupply>()->Find(world_.Within(), server, image);
    return found && *found ? (*found)->digest : "";
  }
  std::string Known(const std::string& tag = "app:1") {
    const auto digest = BuiltDigest(world_.Within(), world_.instance.database, kTenant, tag);
    EXPECT_TRUE(digest);
    return digest ? *digest : "";
  }
  void Clean(const std::string& server = "one") {
    world_.Submit("host.cleanup", Json::Object{{"host", server}});
    world_.Work();
  }
  std::string DigestOf(const std::string& workspace) {
    return world_.GetWorkspace(workspace)->image_digest;
  }
  bool Has(const std::string& server, const std::string& image) {
    const auto found =
        world_.memory_hosts->As<a4c::HostImageSupply>()->Find(world_.Within(), server, image);
    return found && found->has_value();
  }

  World world_{{.servers = {{.id = "one", .disk_total_bytes = 10 * kGiB},
                            {.id = "two", .disk_total_bytes = 10 * kGiB}}}};
};

TEST_F(BuiltImages, TheNewestBuildOfATagRunsAlsoWhereAnOlderOneIsCalledThat) {
  const std::string older = Build("one", "older");
  const std::string newer = Build("two", "newer");
  ASSERT_NE(older, newer);
  ASSERT_FALSE(Has("one", newer));
  const std::string id = Create("dev-1", "one");
  EXPECT_EQ(DigestOf(id), newer);
  EXPECT_EQ(world_.GetWorkspace(id)->image, "app:1");
  EXPECT_TRUE(Has("one", newer)) << "it was sent there";
}

TEST_F(BuiltImages, AWorkspaceKeepsItsBuildUntilItIsUpdated) {
  const std::string older = Build("one", "older");
  const std::string id = Create("dev-1", "one");
  const std::string newer = Build("one", "newer");
  world_.SubmitFor("workspace.stop", id);
  world_.SubmitFor("workspace.start", id);
  world_.Work();
  EXPECT_EQ(DigestOf(id), older);
  world_.Submit("workspace.update", Json::Object{{"workspace", id}, {"image", "app:1"}});
  world_.Work();
  EXPECT_EQ(DigestOf(id), newer);
}

TEST_F(BuiltImages, OfAnotherTenantTheyAreNothing) {
  ASSERT_NE(Build("one", "theirs"), "");
  const auto none = BuiltDigest(world_.Within(), world_.instance.database, "another", "app:1");
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, "");
}

TEST_F(BuiltImages, NoWorkspaceOfAnotherTenantIsMadeOfOne) {
  const std::string tag = "registry.invalid/team/app:1";
  ASSERT_EQ(BuildAs("evil", tag, "FROM busybox:local\n").state, JobState::kSucceeded);
  for (const char* server : {"one", "two"}) {
    const Job job = CreateAs(kTenant, tag, server);
    EXPECT_EQ(job.state, JobState::kFailed) << server;
    EXPECT_NE(job.message.find(tag), std::string::npos) << job.message;
    EXPECT_EQ(world_.LogOf(job.id).find("sending"), std::string::npos) << world_.LogOf(job.id);
  }
  EXPECT_EQ(CreateAs("evil", tag, "two").state, JobState::kSucceeded) << "its own";
}

TEST_F(BuiltImages, OneDoesNotTakeTheNameOfWhatWasPulled) {
  const std::string tag = "registry.local/busybox:1";
  ASSERT_EQ(CreateAs(kTenant, tag, "one").state, JobState::kSucceeded);
  const std::string pulled = Named("one", tag);
  ASSERT_NE(pulled, "");
  const Job built = BuildAs("evil", tag, "FROM busybox:local\n");
  ASSERT_EQ(built.state, JobState::kSucceeded) << built.message;
  ASSERT_NE(built.result["digest"].Text(), pulled);
  EXPECT_EQ(built.result["tag"].Text(), tag);
  EXPECT_EQ(Named("one", tag), pulled);
}

TEST_F(BuiltImages, OneIsABaseByItsNameOnServersAloneAndByItsDigest) {
  ASSERT_EQ(BuildAs("evil", "base:1", "FROM busybox:local\n").state, JobState::kSucceeded);
  EXPECT_EQ(BuildAs(kTenant, "app:1", "FROM base:1\n").state, JobState::kFailed) << "theirs";
  const Job base = BuildAs(kTenant, "base:1", "FROM busybox:local\nLABEL of=mine\n");
  ASSERT_EQ(base.state, JobState::kSucceeded) << base.message;
  EXPECT_EQ(Named("one", "a4c.invalid/acme/base:1"), base.result["digest"].Text());
  const Job app = BuildAs(kTenant, "app:1", "FROM a4c.invalid/acme/base:1\n");
  EXPECT_EQ(app.state, JobState::kSucceeded) << app.message;
  const Job again = BuildAs(kTenant, "app:2", "FROM " + base.result["digest"].Text() + "\n");
  EXPECT_EQ(again.state, JobState::kSucceeded) << again.message;
}

TEST_F(BuiltImages, OneThatCameAfterItsWorkspaceWasAskedForIsTakenAtTheNextStart) {
  const Job created = CreateAs(kTenant, "late:1", "two");
  ASSERT_EQ(created.state, JobState::kFailed) << created.message;
  const Job built = BuildAs(kTenant, "late:1", "FROM busybox:local\n");
  const Job started = world_.SubmitFor("workspace.start", created.workspace);
  world_.Work();
  EXPECT_EQ(world_.GetJob(started.id).state, JobState::kSucceeded)
      << world_.GetJob(started.id).message;
  EXPECT_EQ(DigestOf(created.workspace), built.result["digest"].Text());
}

TEST(NameOfBuild, IsOfATenantAndReadAsTheTag) {
  const struct {
    const char *tenant, *tag, *name;
  } cases[] = {
      {"acme", "app", "a4c.invalid/acme/app"},
      {"acme", "app:1.0", "a4c.invalid/acme/app:1.0"},
      {"acme", "team/app:1", "a4c.invalid/acme/team/app:1"},
      {"acme", "reg.example:5000/a/app:1", "a4c.invalid/acme/reg.example__5000/a/app:1"},
      {"acme", "a4c.invalid/evil/app:1", "a4c.invalid/acme/a4c.invalid/evil/app:1"},
      {"-a-b-", "app", "a4c.invalid/0_0a-b0_0/app"},
      {"-", "app", "a4c.invalid/0_0/app"},
  };
  for (const auto& [tenant, tag, name] : cases) {
    EXPECT_EQ(NameOfBuild(tenant, tag), name);
    EXPECT_EQ(TagOfName(name), tag);
  }
  for (const char* other : {"busybox:1", "a4c.invalid/app", "registry.local/a4c.invalid/x/app"}) {
    EXPECT_EQ(TagOfName(other), other);
  }
}

TEST_F(BuiltImages, ATagWithoutAVersionIsTheLatest) {
  const Job job = world_.Submit(
      "image.build",
      Json::Object{{"tag", "app"},
                   {"host", "one"},
                   {"context", Base64(TarOf({{"Dockerfile", "FROM busybox:local\n"}}))}});
  world_.Work();
  const std::string digest = world_.GetJob(job.id).result["digest"].Text();
  for (const char* name : {"app", "app:latest"}) {
    const auto found = BuiltDigest(world_.Within(), world_.instance.database, kTenant, name);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, digest) << name;
  }
}

TEST_F(BuiltImages, ATagAsLongAsTheyMayBeIsKnown) {
  const std::string tag(kTagBytesMax, 'x');
  const std::string digest = Build("one", "long", tag);
  const auto found = BuiltDigest(world_.Within(), world_.instance.database, kTenant, tag);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, digest);
}

// The tag has gone to another build since; nothing but the record says that it is used.
TEST_F(BuiltImages, CleanupLeavesTheBuildOfALivingWorkspace) {
  const std::string older = Build("one", "older");
  Json payload = CreatePayload("waits", 100 * kGiB);  // never placed
  payload.Set("image", "app:1");
  world_.Submit("workspace.create", std::move(payload));
  ASSERT_EQ(Build("one", "older", "other:1"), older);
  Build("one", "newer");
  world_.fake.clock().Advance(60 * kDayMs);
  world_.Submit("host.cleanup", Json::Object{{"host", "one"}});
  world_.Work();
  EXPECT_TRUE(Has("one", older));
}

TEST_F(BuiltImages, WhatATagMeansOutlivesTheJobThatBuiltIt) {
  Build("one", "older");
  const std::string newer = Build("two", "newer");
  const auto retention = NewRetentionLoop(world_.instance.database, world_.fake.runtime(),
                                          {.succeeded_ms = 3'600'000});
  world_.fake.clock().Advance(31 * kDayMs);
  ASSERT_TRUE(retention->Step(world_.Within()));
  world_.Step("builds");
  EXPECT_EQ(Known(), newer);
  EXPECT_EQ(DigestOf(Create("dev-1", "one")), newer);
}

TEST_F(BuiltImages, ATagIsForgottenOnceNoServerHasItsImage) {
  const std::string first = Build("one", "first");
  Clean();
  world_.Step("builds");
  EXPECT_EQ(Known(), first) << "it is still there";
  world_.fake.clock().Advance(30 * kDayMs);
  Clean();
  ASSERT_FALSE(Has("one", first));
  world_.Step("builds");
  EXPECT_EQ(Known(), "");
}

TEST_F(BuiltImages, ATagThatAnotherServerHasIsKnown) {
  const std::string digest = Build("one", "first");
  ASSERT_TRUE(world_.memory_hosts->As<a4c::HostImageSupply>()->Send(
      world_.Within(), "one", "two", digest, [](std::string_view) {}));
  world_.fake.clock().Advance(30 * kDayMs);
  Clean();
  ASSERT_FALSE(Has("one", digest));
  world_.Step("builds");
  EXPECT_EQ(Known(), digest);
}

TEST_F(BuiltImages, ATagIsKnownAsLongAsAServerIsSilent) {
  const std::string first = Build("one", "first");
  world_.fake.clock().Advance(30 * kDayMs);
  Clean();
  ASSERT_FALSE(Has("one", first));
  world_.hosts.silent = "two";
  world_.Step("hosts");
  world_.Step("hosts-apart");
  world_.Step("builds");
  EXPECT_EQ(Known(), first);
  world_.hosts.silent.clear();
  world_.fake.clock().Advance(60'000);
  world_.Step("hosts");
  world_.Step("hosts-apart");
  world_.Step("builds");
  EXPECT_EQ(Known(), "");
}

TEST_F(BuiltImages, ATagIsKnownAsLongAsAWorkspaceIsMadeOfIt) {
  const std::string first = Build("one", "first");
  world_.fake.clock().Advance(30 * kDayMs);
  Json payload = CreatePayload("waits", 100 * kGiB);  // never placed
  payload.Set("image", "app:1");
  const Job waits = world_.Submit("workspace.create", std::move(payload));
  auto& cleanup = *world_.memory_hosts->As<a4c::HostCleanup>();
  ASSERT_TRUE(cleanup.DiscardImage(world_.Within(), "one", first)) << "by somebody's hand";
  world_.Step("builds");
  EXPECT_EQ(Known(), first);
  world_.SubmitFor("workspace.delete", waits.workspace);
  world_.Work();
  world_.Step("builds");
  EXPECT_EQ(Known(), "");
}

TEST_F(BuiltImages, AllTagsAreLookedAtPartByPart) {
  for (int i = 0; i < 5; ++i) Build("one", "all", "app:" + std::to_string(i));
  world_.fake.clock().Advance(30 * kDayMs);
  Clean();
  Build("one", "new", "app:5");
  const auto loop =
      NewBuildsLoop(world_.instance.database, *world_.memory_hosts->As<a4c::HostImageSupply>(),
                    world_.instance.worker.disks(), world_.fake.runtime(),
                    {.period_ms = 1'000, .pause_ms = 10, .builds_max = 2});
  int parts = 1;
  for (; *loop->Step(world_.Within()) == 10; ++parts) {
  }
  EXPECT_GE(parts, 3);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Known("app:" + std::to_string(i)), "") << i;
  EXPECT_NE(Known("app:5"), "");
}

}  // namespace
}  // namespace a4cd::testing
