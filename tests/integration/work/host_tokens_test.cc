// A server knows which store is its own, across rotations, instances, restores and absences.
#include "apps/a4cd/hosts/host_tokens.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>

#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr int64_t kRotateMs = 600'000;
constexpr const char* kServer = "config-1";

// Counts presentations, and loses them while `away`.
class SomewhatAway final : public a4c::HostProvider, public a4c::HostIncarnation {
 public:
  explicit SomewhatAway(a4c::HostProvider& inner) : inner_(inner) {}
  Result<std::vector<a4c::Host>> Hosts(const Call& call) override { return inner_.Hosts(call); }
  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override {
    ++effects;
    if (forgotten) return a4c::Error(a4c::Code::kDenied, "it has not presented itself");
    return inner_.Ensure(call, unit);
  }
  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      const a4c::Fence& fence) override {
    return inner_.Remove(call, host, name, fence);
  }
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override {
    return inner_.List(call, host);
  }
  Result<void> Adopt(const Call& call, const std::string& host, const std::string& token) override {
    if (unable) return a4c::Error(a4c::Code::kUnsupported, "a4c-host is not installed there");
    if (away) return a4c::Error(a4c::Code::kUnavailable, "no route to it");
    std::exchange(before_adoption, [] {})();
    return inner_.As<a4c::HostIncarnation>()->Adopt(call, host, token);
  }
  Result<void> Present(const Call& call, const std::string& host, const std::string& current,
                       const std::string& next) override {
    ++presentations;
    forgotten = false;
    if (host.starts_with("a-silent")) before_silence(call);
    if (call.Expired()) return a4c::Error(a4c::Code::kTimeout, "no answer");
    if (away) return a4c::Error(a4c::Code::kUnavailable, "no route to it");
    return inner_.As<a4c::HostIncarnation>()->Present(call, host, current, next);
  }

  bool away = false;
  bool unable = false;
  bool forgotten =
      false;  // the provider was told of the server anew, and has presented nothing yet
  std::function<void()> before_adoption = [] {};  // once
  std::function<void(const Call&)> before_silence = [](const Call&) {};
  int effects = 0;
  int presentations = 0;

 protected:
  void* Extension(std::string_view name) override {
    if (name == a4c::HostEnrolment::kExtension) return inner_.As<a4c::HostEnrolment>();
    return name == a4c::HostIncarnation::kExtension ? static_cast<a4c::HostIncarnation*>(this)
                                                    : nullptr;
  }

 private:
  a4c::HostProvider& inner_;
};

class HostTokensTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_.Open(Within(), AllCollections()));
    ASSERT_TRUE(restored_.Open(Within(), AllCollections()));
  }
  Call Within() { return fake_.Within(30'000); }

  static std::string Pair(a4c::Database& database, const Call& call) {
    const a4c::RecordRef ref = HostTokenRef(kServer);
    const auto found = database.Get(call, std::span(&ref, 1));
    return found && found->records.at(0) ? found->records[0]->body : "";
  }
  std::string Pair() { return Pair(database_, Within()); }
  // The store as it was at this moment.
  void Backup() {
    ASSERT_TRUE(
        restored_.Write(Within(), {.changes = {{.ref = HostTokenRef(kServer), .body = Pair()}}}));
  }
  void Step(HostTokens& tokens) { ASSERT_TRUE(tokens.NewLoop()->Step(Within())); }
  void Rotate(HostTokens& tokens) {
    const std::string before = Pair();
    fake_.clock().Advance(kRotateMs);
    Step(tokens);
    EXPECT_NE(Pair(), before);
  }
  Result<UnitStatus> EnsureOnce(const std::string& server = kServer) {
    return hosts_.Ensure(
        Within(),
        {.host = server, .name = "ws-1", .epoch = ++epoch_, .spec = {.command = {"true"}}});
  }
  void Remove(HostTokens& tokens) {
    a4c::Commit commit;
    ASSERT_TRUE(tokens.Forget(Within(), kServer, commit));
    ASSERT_EQ(commit.changes.size(), 1u);
    ASSERT_TRUE(database_.Write(Within(), commit));
  }
  double DeniedGauge() {
    return fake_.metrics().GaugeOf("a4c_host_denied{host=\"" + std::string(kServer) + "\"}");
  }
  Result<UnitStatus> Ensure(HostTokens& tokens) {
    A4C_CHECK(tokens.Introduce(Within(), kServer));
    return EnsureOnce();
  }

  a4c::testing::FakeRuntime fake_;
  const std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(fake_.runtime());
  const std::unique_ptr<a4c::Store> backup_ = a4c::NewMemoryStore(fake_.runtime());
  a4c::Database database_{{.store = *store_}, fake_.runtime()};
  a4c::Database restored_{{.store = *backup_}, fake_.runtime()};
  const std::unique_ptr<a4c::HostProvider> memory_ =
      a4c::NewMemoryHostProvider(fake_.runtime(), {.servers = {{.id = kServer}}});
  SomewhatAway hosts_{*memory_};
  HostTokens tokens_{database_, hosts_, fake_.runtime(), {.rotate_period_ms = kRotateMs}};
  int64_t epoch_ = 0;
};

TEST_F(HostTokensTest, AServerThatWasGivenNoTokenIsNotAskedForAny) {
  EXPECT_TRUE(Ensure(tokens_));
  Step(tokens_);
  EXPECT_EQ(hosts_.presentations, 0);
}

TEST_F(HostTokensTest, TheTokenIsRotatedAndWorkGoesOn) {
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Ensure(tokens_));
    Rotate(tokens_);
  }
  const std::string pair = Pair();
  fake_.clock().Advance(kRotateMs - 1);
  Step(tokens_);
  EXPECT_EQ(Pair(), pair) << "it is not due yet";
}

TEST_F(HostTokensTest, AStoreThatWasRestoredIsRefusedUntilTheServerIsEnrolledAgain) {
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  Backup();
  Rotate(tokens_);
  Rotate(tokens_);
  HostTokens of_restored(restored_, hosts_, fake_.runtime());
  const auto ensured = Ensure(of_restored);
  ASSERT_FALSE(ensured);
  EXPECT_EQ(ensured.error().code(), a4c::Code::kDenied);
  EXPECT_EQ(ensured.error().hint(),
            "if the store was restored and is the one to go on with: a4c host enrol config-1");
  Step(of_restored);
  EXPECT_EQ(Ensure(of_restored).error().code(), a4c::Code::kDenied) << "a loop decides nothing";
  EXPECT_EQ(fake_.log().CountOf("a server refuses this store"), 1) << "it is looked at all day";
  ASSERT_TRUE(of_restored.Adopt(Within(), kServer));
  EXPECT_TRUE(Ensure(of_restored));
  fake_.clock().Advance(kRotateMs);
  Step(tokens_);
  EXPECT_EQ(Ensure(tokens_).error().code(), a4c::Code::kDenied)
      << "and the other one is refused now";
  EXPECT_EQ(fake_.log().CountOf("a server refuses this store"), 2);
}

// As after a crash between the two: in the store it stands, and the server has not heard of it.
TEST_F(HostTokensTest, AnAdoptionThatTheServerHasNotHeardOfIsTakenUp) {
  a4c::Commit enrolment;
  ASSERT_TRUE(tokens_.AdoptWith(Within(), kServer, enrolment));
  ASSERT_TRUE(database_.Write(Within(), enrolment));
  HostTokens started_since(database_, hosts_, fake_.runtime(), {.rotate_period_ms = kRotateMs});
  Step(started_since);
  EXPECT_TRUE(Ensure(started_since));
  EXPECT_EQ(Pair().find("adopt_until"), std::string::npos) << Pair();
  Rotate(started_since);
  EXPECT_TRUE(Ensure(tokens_));
}

// Two instances find an adoption, and the slower one tells the server when it is long settled.
TEST_F(HostTokensTest, WhoAdoptsLateLeavesTheServerWithTheTokenOfTheStore) {
  HostTokens other(database_, hosts_, fake_.runtime(), {.rotate_period_ms = 0});
  for (const int rotations : {0, 1, 2}) {
    a4c::Commit enrolment;
    ASSERT_TRUE(tokens_.AdoptWith(Within(), kServer, enrolment));
    ASSERT_TRUE(database_.Write(Within(), enrolment));
    const std::string adopting = Pair();
    hosts_.before_adoption = [&] {
      for (int i = 0; i <= rotations; ++i) Step(other);
      EXPECT_NE(Pair(), adopting) << "nobody was faster";
    };
    Step(tokens_);
    Step(other);
    Step(other);
    const auto unit = Ensure(tokens_);
    EXPECT_TRUE(unit) << rotations << " rotations: " << unit.error().ToString();
  }
}

TEST_F(HostTokensTest, AnAdoptionThatFailedIsTakenUpByWhoeverActsNext) {
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  hosts_.away = true;
  ASSERT_FALSE(tokens_.Adopt(Within(), kServer));
  EXPECT_FALSE(Ensure(tokens_));
  hosts_.away = false;
  const auto unit = Ensure(tokens_);
  EXPECT_TRUE(unit) << unit.error().ToString();
}

TEST_F(HostTokensTest, AStoreThatIsRestoredLaterAdoptsNothingByItself) {
  hosts_.away = true;
  ASSERT_FALSE(tokens_.Adopt(Within(), kServer));
  Backup();
  hosts_.away = false;
  ASSERT_TRUE(Ensure(tokens_));
  Rotate(tokens_);
  Rotate(tokens_);
  fake_.clock().Advance(3'600'000);
  HostTokens of_restored(restored_, hosts_, fake_.runtime());
  Step(of_restored);
  const auto refused = Ensure(of_restored);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), a4c::Code::kDenied) << refused.error().ToString();
}

TEST_F(HostTokensTest, AServerThatCannotKeepATokenIsWorkedWithWithoutOne) {
  hosts_.unable = true;
  a4c::Commit enrolment;
  ASSERT_TRUE(tokens_.AdoptWith(Within(), kServer, enrolment));
  ASSERT_TRUE(database_.Write(Within(), enrolment));
  EXPECT_TRUE(Ensure(tokens_));
  EXPECT_EQ(Pair(), "{}");
  const auto adopted = tokens_.Adopt(Within(), kServer);
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().code(), a4c::Code::kUnsupported);
  EXPECT_TRUE(Ensure(tokens_));
}

TEST_F(HostTokensTest, AServerThatWasAwayForDaysKnowsItsStore) {
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  Rotate(tokens_);
  hosts_.away = true;
  HostTokens started_since(database_, hosts_, fake_.runtime(), {.rotate_period_ms = kRotateMs});
  for (int i = 0; i < 5; ++i) {
    fake_.clock().Advance(kRotateMs);
    Step(started_since);
    Step(tokens_);
  }
  hosts_.away = false;
  EXPECT_TRUE(Ensure(started_since));
  EXPECT_TRUE(Ensure(tokens_));
}

// Each costs its host_timeout, and a step has 30 s for all.
TEST_F(HostTokensTest, ServersThatAreSilentKeepNoOtherFromItsRotation) {
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  for (int i = 10; i < 22; ++i) {
    const auto ref = HostTokenRef("a-silent-" + std::to_string(i));
    const std::string body = R"({"current":"c","next":"n","rotated_at":0})";
    ASSERT_TRUE(database_.Write(Within(), {.changes = {{.ref = ref, .body = body}}}));
  }
  hosts_.before_silence = [this](const Call& call) {
    fake_.clock().Advance(std::max<int64_t>(0, call.RemainingMs()));
  };
  HostTokens started_since(database_, hosts_, fake_.runtime(), {.rotate_period_ms = kRotateMs});
  const auto loop = started_since.NewLoop();
  const std::string before = Pair();
  fake_.clock().Advance(kRotateMs);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(loop->Step(Within()));
  EXPECT_NE(Pair(), before);
}

TEST_F(HostTokensTest, EveryInstanceFollowsARotation) {
  HostTokens other(database_, hosts_, fake_.runtime(), {.rotate_period_ms = kRotateMs});
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  EXPECT_TRUE(Ensure(other));
  Rotate(tokens_);
  const int before = hosts_.presentations;
  Step(other);
  EXPECT_EQ(hosts_.presentations, before + 1);
  Step(other);
  EXPECT_EQ(hosts_.presentations, before + 1) << "once is enough";
  Rotate(other);
  EXPECT_TRUE(Ensure(tokens_));
}

// Enrolling it again makes each instance's provider open it anew.
TEST_F(HostTokensTest, WhoIsDeniedPresentsItselfAnewOnce) {
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  const auto ensured = [&] {
    return tokens_.Introduced(Within(), kServer, [&] { return EnsureOnce(); });
  };
  hosts_.forgotten = true;
  const int before = hosts_.presentations;
  EXPECT_TRUE(ensured());
  EXPECT_EQ(hosts_.presentations, before + 1);
  EXPECT_TRUE(ensured());
  EXPECT_EQ(hosts_.presentations, before + 1);
  hosts_.away = hosts_.forgotten = true;
  EXPECT_EQ(ensured().error().code(), a4c::Code::kUnavailable) << "which may be tried again later";
}

TEST_F(HostTokensTest, WhoIsDeniedForGoodIsToldSoByTheServer) {
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  HostTokens other(database_, hosts_, fake_.runtime());
  ASSERT_TRUE(Ensure(other));
  ASSERT_TRUE(memory_->As<a4c::HostIncarnation>()->Adopt(Within(), kServer, "ofanotherstore00"));
  ASSERT_FALSE(memory_->As<a4c::HostIncarnation>()->Present(Within(), kServer, "nobodysnobodys00",
                                                            "nobodysnobodys00"));
  hosts_.effects = 0;
  const auto denied = other.Introduced(Within(), kServer, [&] { return EnsureOnce(); });
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code(), a4c::Code::kDenied);
  EXPECT_EQ(hosts_.effects, 1) << "the presentation was denied";
}

TEST_F(HostTokensTest, AnotherKeyThatWasPinnedElsewhereIsKnownToTheSecondTry) {
  Enrolments enrolments(database_, hosts_, fake_.runtime(), 2'000);
  HostTokens tokens(database_, hosts_, fake_.runtime(), {}, &enrolments);
  HostRecord host{.id = "new-1",
                  .spec = a4c::HostSpec{.id = "new-1",
                                        .address = "memory:a",
                                        .fingerprint = "SHA256:a",
                                        .settings = {{"shows", "SHA256:other"}}}};
  const auto say = [&](const a4c::Expect& expect) {
    return database_.Write(
        Within(),
        {.changes = {{.ref = HostRef(host.id), .body = HostBody(host), .expect = expect}}});
  };
  ASSERT_TRUE(say(a4c::Expect::Absent()));
  ASSERT_TRUE(enrolments.Know(Within(), "new-1"));
  const auto ensured = [&] {
    return tokens.Introduced(Within(), "new-1", [&] { return EnsureOnce("new-1"); });
  };
  EXPECT_EQ(ensured().error().code(), a4c::Code::kDenied);
  host.spec->fingerprint = "SHA256:other";
  ASSERT_TRUE(say(a4c::Expect::Rev(1)));
  const auto known = ensured();
  EXPECT_TRUE(known) << known.error().ToString();
}

TEST_F(HostTokensTest, ATokenGoesWithItsServerAndComesWithIt) {
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  Remove(tokens_);
  Step(tokens_);
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  EXPECT_TRUE(Ensure(tokens_));
}

// Whoever is paged for it removes the server, say, and nothing else would end the alert.
TEST_F(HostTokensTest, AServerThatWasRemovedRefusesNobody) {
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  EXPECT_EQ(DeniedGauge(), 0);
  HostTokens other(database_, hosts_, fake_.runtime());
  const auto is_refused = [&] {
    EXPECT_TRUE(memory_->As<a4c::HostIncarnation>()->Adopt(Within(), kServer, "ofanotherstore00"));
    fake_.clock().Advance(kRotateMs);
    Step(other);
    return DeniedGauge() == 1;
  };
  ASSERT_TRUE(is_refused());
  Remove(tokens_);
  Step(other);
  EXPECT_TRUE(std::isnan(DeniedGauge()));
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  Step(other);
  EXPECT_EQ(DeniedGauge(), 0) << "it is back";
  ASSERT_TRUE(is_refused());
  EXPECT_EQ(fake_.log().CountOf("a server refuses this store"), 2) << "and that is news";
}

// It was given a token once: a4c-host is not there any more.
TEST_F(HostTokensTest, AServerThatCanKeepNoTokenAnyMoreRefusesNobody) {
  ASSERT_TRUE(tokens_.Adopt(Within(), kServer));
  hosts_.unable = true;
  ASSERT_FALSE(tokens_.Adopt(Within(), kServer));
  EXPECT_EQ(DeniedGauge(), 0);
  Step(tokens_);
  EXPECT_TRUE(std::isnan(DeniedGauge()));
}

}  // namespace
}  // namespace a4cd::testing
