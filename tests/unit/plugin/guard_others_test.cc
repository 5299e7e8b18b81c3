#include "a4c/digests.h"
#include "a4c/host_activity.h"
#include "a4c/host_cleanup.h"
#include "a4c/host_description.h"
#include "a4c/host_enrolment.h"
#include "a4c/host_extensions.h"
#include "a4c/host_images.h"
#include "a4c/host_look.h"
#include "a4c/host_update.h"
#include "a4c/host_volumes.h"
#include "a4c/rebuild.h"
#include "tests/unit/plugin/plugin_test.h"

namespace a4c::testing {
namespace {

class GuardedBus : public PluginTest {
 protected:
  std::unique_ptr<Bus> Make(const std::string& mode = "", const std::string& call = "") {
    return *host.MakeBus("bus-evil", Misbehaving(mode, call));
  }
  std::unique_ptr<Subscription> Subscribe(Bus& bus) {
    return *bus.Subscribe(Within(1000), "photo-sync", "sync", StartAt::kLatest);
  }
};

TEST_F(GuardedBus, AThrowIsInternalInEveryCall) {
  EXPECT_TRUE(FailsWith(Make("throw", "Publish")->Publish(Within(1000), {}), Code::kInternal,
                        "bus-evil: Publish threw"));
  EXPECT_TRUE(
      FailsWith(Make("throw", "Flush")->Flush(Within(1000)), Code::kInternal, "Flush threw"));
  EXPECT_TRUE(
      FailsWith(Make("throw", "Subscribe")->Subscribe(Within(1000), "t", "g", StartAt::kLatest),
                Code::kInternal, "Subscribe threw"));
}

TEST_F(GuardedBus, SubscriptionsAreGuarded) {
  const auto polls = Make("throw", "Poll");
  EXPECT_TRUE(FailsWith(Subscribe(*polls)->Poll(Within(1000), 3), Code::kInternal, "Poll threw"));
  const auto acks = Make("throw", "Ack");
  EXPECT_TRUE(FailsWith(Subscribe(*acks)->Ack(Within(1000), {}), Code::kInternal, "Ack threw"));
  const auto floods = Make("too_many", "Poll");
  EXPECT_TRUE(FailsWith(Subscribe(*floods)->Poll(Within(1000), 3), Code::kInternal,
                        "a maximum of 3 with 4 messages"));
  const auto good = Make();
  EXPECT_EQ(Subscribe(*good)->Poll(Within(1000), 3)->size(), 3u);
}

TEST_F(GuardedBus, NoSubscriptionIsInternal) {
  EXPECT_TRUE(
      FailsWith(Make("null", "Subscribe")->Subscribe(Within(1000), "t", "g", StartAt::kLatest),
                Code::kInternal, "no subscription"));
}

TEST_F(GuardedBus, TooFewOutcomesAreInternal) {
  EXPECT_TRUE(FailsWith(Make("too_few", "Publish")->Publish(Within(1000), std::vector<Message>(2)),
                        Code::kInternal, "Publish answered 2 messages with 1 outcome"));
}

class GuardedSearchIndex : public PluginTest {
 protected:
  std::unique_ptr<SearchIndex> Make(const std::string& mode = "", const std::string& call = "") {
    return *host.MakeSearchIndex("search-evil", Misbehaving(mode, call));
  }
  const std::vector<Document> documents = std::vector<Document>(2);
};

TEST_F(GuardedSearchIndex, AThrowIsInternalInEveryCall) {
  const Call call = Within(1000);
  EXPECT_TRUE(
      FailsWith(Make("throw", "Ensure")->Ensure(call, {}), Code::kInternal, "Ensure threw"));
  EXPECT_TRUE(FailsWith(Make("throw", "Bulk")->Bulk(call, {}), Code::kInternal, "Bulk threw"));
  EXPECT_TRUE(
      FailsWith(Make("throw", "Remove")->Remove(call, {}), Code::kInternal, "Remove threw"));
  EXPECT_TRUE(
      FailsWith(Make("throw", "Search")->Search(call, {}), Code::kInternal, "Search threw"));
  EXPECT_TRUE(
      FailsWith(Make("throw", "Refresh")->Refresh(call, ""), Code::kInternal, "Refresh threw"));
  EXPECT_TRUE(FailsWith(Make("throw", "Digests.Sums")->As<Digests>()->Sums(call, {}),
                        Code::kInternal, "Digests.Sums threw"));
}

TEST_F(GuardedSearchIndex, AThrowOfARebuildMayHaveHadItsEffect) {
  const Call call = Within(1000);
  const auto of = [&](const char* name) { return Make("throw", name); };
  EXPECT_TRUE(FailsWith(of("Rebuild.Generations")->As<Rebuild>()->Generations(call, {}),
                        Code::kInternal, "Rebuild.Generations threw"));
  EXPECT_TRUE(FailsWith(of("Rebuild.Open")->As<Rebuild>()->Open(call, {}, 2), Code::kInternal,
                        "Rebuild.Open threw"));
  EXPECT_TRUE(FailsWith(of("Rebuild.Create")->As<Rebuild>()->Create(call, {}, 2),
                        Code::kUnknownOutcome, "Rebuild.Create threw"));
  EXPECT_TRUE(FailsWith(of("Rebuild.Swap")->As<Rebuild>()->Swap(call, {}, 2), Code::kUnknownOutcome,
                        "Rebuild.Swap threw"));
  EXPECT_TRUE(FailsWith(of("Rebuild.Drop")->As<Rebuild>()->Drop(call, {}, 2), Code::kUnknownOutcome,
                        "Rebuild.Drop threw"));
}

TEST_F(GuardedSearchIndex, AnOpenedGenerationIsGuardedToo) {
  const Call call = Within(1000);
  const auto throws = Make("throw", "Bulk");
  const auto opened = throws->As<Rebuild>()->Open(call, {}, 2);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(FailsWith((*opened)->Bulk(call, documents), Code::kInternal, "Bulk threw"));
  EXPECT_TRUE(FailsWith(Make("null", "Rebuild.Open")->As<Rebuild>()->Open(call, {}, 2),
                        Code::kInternal, "no index"));
}

TEST_F(GuardedSearchIndex, TooFewResultsAreInternal) {
  EXPECT_TRUE(FailsWith(Make("too_few", "Bulk")->Bulk(Within(1000), documents), Code::kInternal,
                        "Bulk answered 2 documents with 1 result"));
  EXPECT_TRUE(FailsWith(Make("too_few", "Remove")->Remove(Within(1000), std::vector<Purge>(2)),
                        Code::kInternal, "Remove answered 2 purges with 1 result"));
  EXPECT_TRUE(
      FailsWith(Make("too_few", "Search")->Search(Within(1000), {.kind = {}, .facets = {{"a"}}}),
                Code::kInternal, "1 facet with 0 lists"));
  EXPECT_TRUE(FailsWith(Make("too_many", "Search")->Search(Within(1000), {.kind = {}, .limit = 4}),
                        Code::kInternal, "a limit of 4 with 5 hits"));
}

TEST_F(GuardedSearchIndex, HitsOfAnotherScopeAreInternal) {
  EXPECT_TRUE(FailsWith(Make()->Search(Within(1000), {.kind = {}, .scope = "pier", .limit = 4}),
                        Code::kInternal, "Search answered a scope with a hit of another one"));
  EXPECT_TRUE(Make()->Search(Within(1000), {.kind = {}, .scope = "", .limit = 4}));
}

TEST_F(GuardedSearchIndex, ADocumentWhoseResultMakesNoSenseIsSentAgain) {
  for (const char* mode : {"no_stored", "no_error", "no_outcome"}) {
    const auto answer = Make(mode, "Bulk")->Bulk(Within(1000), documents);
    ASSERT_TRUE(answer) << mode;
    EXPECT_EQ((*answer)[0].outcome, BulkOutcome::kApplied) << mode;
    EXPECT_EQ((*answer)[1].outcome, BulkOutcome::kRetry) << mode;
    EXPECT_TRUE((*answer)[1].error) << mode;
  }
}

class GuardedHostProvider : public PluginTest {
 protected:
  std::unique_ptr<HostProvider> Make(const std::string& mode = "", const std::string& call = "") {
    return *host.MakeHostProvider("host-evil", Misbehaving(mode, call));
  }
};

TEST_F(GuardedHostProvider, AThrowIsInternalInReadsAndUnknownInEffects) {
  const Call call = Within(1000);
  EXPECT_TRUE(FailsWith(Make("throw", "Hosts")->Hosts(call), Code::kInternal, "Hosts threw"));
  EXPECT_TRUE(FailsWith(Make("throw", "List")->List(call, "h"), Code::kInternal, "List threw"));
  EXPECT_TRUE(
      FailsWith(Make("throw", "Ensure")->Ensure(call, {}), Code::kUnknownOutcome, "Ensure threw"));
  EXPECT_TRUE(FailsWith(Make("throw", "Remove")->Remove(call, "h", "n", 1), Code::kUnknownOutcome,
                        "Remove threw"));
}

TEST_F(GuardedHostProvider, WhatIsSaidOfAHostIsBounded) {
  EXPECT_TRUE(Make()->Hosts(Within(1000)));
  EXPECT_TRUE(FailsWith(Make("too_many", "Hosts")->Hosts(Within(1000)), Code::kInternal,
                        "host one: warnings: more than 16"));
}

TEST_F(GuardedHostProvider, AnotherUnitThanAskedForIsAnUnknownOutcome) {
  Unit unit;
  unit.name = "ws-1";
  EXPECT_TRUE(Make()->Ensure(Within(1000), unit));
  EXPECT_TRUE(FailsWith(Make("other_unit", "Ensure")->Ensure(Within(1000), unit),
                        Code::kUnknownOutcome, "the unit \"ws-1\" with the unit \"\""));
}

TEST_F(GuardedHostProvider, ExtensionsAreGuarded) {
  const Call call = Within(1000);
  EXPECT_TRUE(FailsWith(Make("throw", "Logs.Read")->As<HostLogs>()->Read(call, "h", "n", "", 9),
                        Code::kInternal, "Logs.Read threw"));
  EXPECT_TRUE(FailsWith(Make("too_many", "Logs.Read")->As<HostLogs>()->Read(call, "h", "n", "", 9),
                        Code::kInternal, "a limit of 9 bytes with 10 bytes"));
  EXPECT_TRUE(FailsWith(
      Make("throw", "LogTimes.PositionAt")->As<HostLogTimes>()->PositionAt(call, "h", "n", 0),
      Code::kInternal, "LogTimes.PositionAt threw"));
  std::string output;
  const auto keep = [&](std::string_view bytes) { output += bytes; };
  EXPECT_TRUE(FailsWith(Make("throw", "Exec.Run")->As<HostExec>()->Run(call, {}, keep),
                        Code::kUnknownOutcome, "Exec.Run threw"));
  EXPECT_EQ(output, "before");
}

TEST_F(GuardedHostProvider, ImagesAreGuarded) {
  const Call call = Within(1000);
  const auto build = [&](HostProvider& provider) {
    return provider.As<HostImages>()->Build(call, {"h", "t"}, {}, {});
  };
  EXPECT_TRUE(FailsWith(build(*Make("throw", "Images.Build")), Code::kUnknownOutcome,
                        "Images.Build threw"));
  EXPECT_TRUE(FailsWith(Make("throw", "Images.List")->As<HostImages>()->List(call, "h"),
                        Code::kInternal, "Images.List threw"));
}

TEST_F(GuardedHostProvider, ImageSupplyIsGuarded) {
  const Call call = Within(1000);
  const auto supply = [&](HostProvider& provider) { return provider.As<HostImageSupply>(); };
  EXPECT_TRUE(FailsWith(supply(*Make("throw", "ImageSupply.Find"))->Find(call, "h", "i"),
                        Code::kInternal, "ImageSupply.Find threw"));
  EXPECT_TRUE(FailsWith(supply(*Make("throw", "ImageSupply.Pull"))->Pull(call, "h", "i", {}),
                        Code::kUnknownOutcome, "ImageSupply.Pull threw"));
  EXPECT_TRUE(FailsWith(supply(*Make("throw", "ImageSupply.Send"))->Send(call, "h", "o", "i", {}),
                        Code::kUnknownOutcome, "ImageSupply.Send threw"));
}

TEST_F(GuardedHostProvider, CleanupIsGuarded) {
  const Call call = Within(1000);
  EXPECT_TRUE(FailsWith(Make("throw", "Cleanup.Survey")->As<HostCleanup>()->Survey(call, "h"),
                        Code::kInternal, "Cleanup.Survey threw"));
  EXPECT_TRUE(FailsWith(
      Make("throw", "Cleanup.DiscardImage")->As<HostCleanup>()->DiscardImage(call, "h", "i"),
      Code::kUnknownOutcome, "Cleanup.DiscardImage threw"));
}

TEST_F(GuardedHostProvider, ActivityVolumesAndDescriptionAreGuarded) {
  const Call call = Within(1000);
  const auto read = [&](const char* mode) {
    return Make(mode, "Activity.Read")->As<HostActivity>()->Read(call, "h", {"u"});
  };
  EXPECT_TRUE(FailsWith(read("throw"), Code::kInternal, "Activity.Read threw"));
  EXPECT_TRUE(FailsWith(read("too_many"), Code::kInternal, "1 unit with 2 units"));
  const VolumeCopy copy{"h", "u", "o", "v", 1};
  EXPECT_TRUE(FailsWith(Make("throw", "Volumes.Copy")->As<HostVolumes>()->Copy(call, copy),
                        Code::kUnknownOutcome, "Volumes.Copy threw"));
  const auto describe = [&](const char* mode) {
    return Make(mode, "Description.Describe")->As<HostDescription>()->Describe(call, "h", "u");
  };
  EXPECT_TRUE(FailsWith(describe("throw"), Code::kInternal, "Description.Describe threw"));
  EXPECT_TRUE(FailsWith(describe("other_unit"), Code::kInternal, "the unit \"u\""));
}

TEST_F(GuardedHostProvider, LooksAreGuarded) {
  const Call call = Within(1000);
  EXPECT_TRUE(FailsWith(Make("throw", "Look.Names")->As<HostLook>()->Names(call), Code::kInternal,
                        "Look.Names threw"));
  const auto look = [&](const char* mode) {
    return Make(mode, "Look.Look")->As<HostLook>()->Look(call, "h");
  };
  EXPECT_TRUE(FailsWith(look("throw"), Code::kInternal, "Look.Look threw"));
  EXPECT_TRUE(FailsWith(look("other_host"), Code::kInternal, "the host \"h\""));
  EXPECT_TRUE(FailsWith(look("too_many"), Code::kInternal, "warnings"));
}

TEST_F(GuardedHostProvider, UpdateIsGuarded) {
  const auto update = [&](const char* mode) {
    return Make(mode, "Update.Update")
        ->As<HostUpdate>()
        ->Update(Within(1000), {.host = {}, .name = "u"});
  };
  EXPECT_TRUE(FailsWith(update("throw"), Code::kUnknownOutcome, "Update.Update threw"));
  EXPECT_TRUE(FailsWith(update("other_unit"), Code::kUnknownOutcome, "the unit \"u\""));
}

TEST_F(GuardedHostProvider, EnrolmentIsGuarded) {
  const Call call = Within(1000);
  const auto enrolment = [&](HostProvider& provider) { return provider.As<HostEnrolment>(); };
  EXPECT_TRUE(FailsWith(enrolment(*Make("throw", "Enrolment.Probe"))->Probe(call, "a"),
                        Code::kInternal, "Enrolment.Probe threw"));
  EXPECT_TRUE(FailsWith(enrolment(*Make("too_few", "Enrolment.Probe"))->Probe(call, "a"),
                        Code::kInternal, "an address with no fingerprint"));
  EXPECT_TRUE(FailsWith(enrolment(*Make("throw", "Enrolment.Prepare"))->Prepare(call, {}),
                        Code::kUnknownOutcome, "Enrolment.Prepare threw"));
  EXPECT_TRUE(FailsWith(enrolment(*Make("throw", "Enrolment.Add"))->Add(call, {}), Code::kInternal,
                        "Enrolment.Add threw"));
  EXPECT_TRUE(FailsWith(enrolment(*Make("throw", "Enrolment.Remove"))->Remove(call, "h"),
                        Code::kInternal, "Enrolment.Remove threw"));
}

}  // namespace
}  // namespace a4c::testing
