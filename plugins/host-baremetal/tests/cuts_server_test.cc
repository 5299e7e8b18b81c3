// The connection to a real server is cut before, within and after each remote step of what is done
// there: nothing is taken for undone that was done, the same again settles it, and nothing stays.
//
// The steps are a table, so that a new one gets its cases: each is a test of its own.
#include <cstdio>
#include <map>
#include <random>
#include <set>

#include "a4c/host_cleanup.h"
#include "a4c/host_description.h"
#include "a4c/host_update.h"
#include "tests/server_fixture.h"
#include "tests/step_cutter.h"
#include "tests/support/cutting_proxy.h"
#include "tests/support/tar.h"

namespace a4c::baremetal {
namespace {

using a4c::testing::CuttingProxy;

constexpr int64_t kDiskBytes = 16 << 20;
constexpr int64_t kUpdatedBytes = 96 << 20;
constexpr int64_t kSettleMs = 30'000;
constexpr int64_t kGoneMs =
    30'000;  // what an engine is still busy with, it leaves behind until then
constexpr size_t kContentBytes = 600u << 10;
constexpr size_t kPieceBytes = 256u << 10;

enum class What : uint8_t {
  kCreate,
  kStop,
  kStartAgain,
  kDelete,
  kDeleteLater,
  kUpdate,
  kBuild,
  kSend,
  kSurvey,
  kDiscard
};

struct Operation {
  const char* name;
  What what;
  bool helper;
  std::vector<const char*> steps;
};

const std::vector<Operation>& Operations() {
  static const std::vector<Operation> operations = {
      {"CreateWithHelper",
       What::kCreate,
       true,
       {"server-1 POST /a4c/fence", "server-1 GET /containers/*/json",
        "server-1 GET /images/*/json", "server-1 GET /volumes/*", "server-1 POST /a4c/volume",
        "server-1 POST /containers/create", "server-1 GET /containers/*/json",
        "server-1 POST /containers/*/start", "server-1 GET /containers/*/json"}},
      {"Create",
       What::kCreate,
       false,
       {"server-1 GET /containers/*/json", "server-1 GET /volumes", "server-1 GET /images/*/json",
        "server-1 POST /containers/create", "server-1 GET /containers/*/json",
        "server-1 POST /containers/*/start", "server-1 GET /containers/*/json"}},
      {"StopWithHelper",
       What::kStop,
       true,
       {"server-1 POST /a4c/fence", "server-1 GET /containers/*/json",
        "server-1 POST /containers/*/stop", "server-1 GET /containers/*/json"}},
      {"StartAgainWithHelper",
       What::kStartAgain,
       true,
       {"server-1 POST /a4c/fence", "server-1 GET /containers/*/json", "server-1 POST /a4c/volume",
        "server-1 POST /containers/*/start", "server-1 GET /containers/*/json"}},
      {"StartAgain",
       What::kStartAgain,
       false,
       {"server-1 GET /containers/*/json", "server-1 GET /volumes", "server-1 POST /volumes/create",
        "server-1 DELETE /volumes/*", "server-1 POST /containers/*/start",
        "server-1 GET /containers/*/json"}},
      {"DeleteWithHelper",
       What::kDelete,
       true,
       {"server-1 POST /a4c/fence", "server-1 GET /containers/*/json",
        "server-1 DELETE /containers/*", "server-1 DELETE /a4c/volume",
        "server-1 DELETE /volumes/*"}},
      {"DeleteWithAnotherEpoch",
       What::kDeleteLater,
       false,
       {"server-1 GET /containers/*/json", "server-1 GET /volumes", "server-1 DELETE /containers/*",
        "server-1 DELETE /volumes/*", "server-1 DELETE /volumes/*"}},
      {"UpdateWithHelper",
       What::kUpdate,
       true,
       {"server-1 POST /a4c/fence", "server-1 GET /containers/*/json",
        "server-1 GET /images/*/json", "server-1 POST /a4c/volume",
        "server-1 POST /containers/*/stop", "server-1 POST /a4c/volume",
        "server-1 DELETE /containers/*", "server-1 GET /containers/*/json",
        "server-1 GET /images/*/json", "server-1 GET /volumes/*", "server-1 POST /a4c/volume",
        "server-1 POST /containers/create", "server-1 GET /containers/*/json",
        "server-1 POST /containers/*/start", "server-1 GET /containers/*/json"}},
      {"Update",
       What::kUpdate,
       false,
       {"server-1 GET /containers/*/json", "server-1 GET /volumes", "server-1 GET /images/*/json",
        "server-1 POST /volumes/create", "server-1 POST /containers/*/stop",
        "server-1 DELETE /containers/*", "server-1 GET /containers/*/json", "server-1 GET /volumes",
        "server-1 GET /images/*/json", "server-1 POST /containers/create",
        "server-1 GET /containers/*/json", "server-1 POST /containers/*/start",
        "server-1 GET /containers/*/json"}},
      {"Build",
       What::kBuild,
       false,
       {"server-1 GET /images/*/json", "server-1 POST /build", "server-1 POST /images/*/tag",
        "server-1 POST /images/*/tag", "server-1 GET /images/*/json", "server-1 DELETE /images/*"}},
      {"Send",
       What::kSend,
       false,
       {"server-1 GET /images/*/json", "server-2 GET /images/*/json", "server-1 GET /images/*/json",
        "server-2 GET /images/json", "server-2 GET /images/*/json", "server-2 GET /info",
        "server-1 GET /images/*/get", "server-2 POST /images/load", "server-2 GET /images/*/json",
        "server-2 GET /images/*/json", "server-2 POST /images/*/tag"}},
      {"SurveyWithHelper",
       What::kSurvey,
       true,
       {"server-1 GET /info", "server-1 GET /system/df", "server-1 GET /containers/json",
        "server-1 GET /images/*/json", "server-1 GET /a4c/units"}},
      {"Discard",
       What::kDiscard,
       false,
       {"server-1 GET /images/*/json", "server-1 GET /containers/json", "server-1 DELETE /images/*",
        "server-1 DELETE /images/*"}},
  };
  return operations;
}

constexpr size_t kNowhere = SIZE_MAX;

// What comes after the cut: the same again until it is done, or the opposite.
enum class Then : uint8_t { kAgain, kNever };

struct Case {
  const Operation* operation;
  size_t step;  // kNowhere: nothing is cut
  When when;
  Then then;
};

std::vector<When> WhensOf(std::string_view step) {
  std::vector<When> whens = {When::kBefore, When::kAfter};
  if (step.ends_with("/build") || step.ends_with("/load")) whens.push_back(When::kSending);
  if (step.ends_with("/build") || step.ends_with("/get")) whens.push_back(When::kAnswering);
  return whens;
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const Operation& operation : Operations()) {
    cases.push_back({&operation, kNowhere, When::kBefore, Then::kAgain});
    for (size_t i = 0; i < operation.steps.size(); ++i) {
      for (const When when : WhensOf(operation.steps[i])) {
        cases.push_back({&operation, i, when, Then::kAgain});
        cases.push_back({&operation, i, when, Then::kNever});
      }
    }
  }
  return cases;
}

// All of them in a long run, else one of each step, drawn by the seed.
std::vector<Case> ChosenCases() {
  if (std::getenv("A4C_TEST_FAULT_SECONDS") != nullptr) return Cases();
  const char* seed = std::getenv("A4C_TEST_SEED");
  std::mt19937_64 random(seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10));
  std::vector<Case> chosen;
  size_t like_it = 0;  // seen so far
  for (const Case& test : Cases()) {
    const bool same = !chosen.empty() && chosen.back().operation == test.operation &&
                      chosen.back().step == test.step;
    like_it = same ? like_it + 1 : 1;
    if (!same) {
      chosen.push_back(test);
    } else if (random() % like_it == 0) {
      chosen.back() = test;
    }
  }
  return chosen;
}

// "Send_3_POST_images_load_Sending".
std::string NameOf(const ::testing::TestParamInfo<Case>& info) {
  constexpr const char* kWhens[] = {"Before", "Sending", "Answering", "After"};
  const Case& test = info.param;
  std::string name = test.operation->name;
  if (test.step == kNowhere) return name + "_Uncut";
  const std::string step = test.operation->steps[test.step];
  name += "_" + std::to_string(test.step);
  for (const char c : step.substr(step.find(' '))) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      name += c;
    } else if (!name.ends_with("_")) {
      name += "_";
    }
  }
  return name + (name.ends_with("_") ? "" : "_") + kWhens[static_cast<size_t>(test.when)] +
         (test.then == Then::kAgain ? "_Again" : "_Never");
}

class HostCuts : public ServerTest, public ::testing::WithParamInterface<Case> {
 protected:
  HostCuts()
      : ServerTest("A4C_TEST_BAREMETAL_HELPER_HOSTS"),
        operation_(GetParam().operation),
        what_(operation_->what) {}

  void SetUp() override {
    ServerTest::SetUp();
    if (provider_ == nullptr) return;
    ASSERT_GE(options_.servers.size(), 2u);
    options_.servers.resize(2);
    Connect();
    before_ = Everything();
    CountSteps();
    Prepare();
  }
  void TearDown() override {
    ServerTest::TearDown();
    if (provider_ == nullptr) return;
    std::set<std::string> left;
    (void)Eventually(kGoneMs, [&] {
      CleanUp();
      left.clear();
      std::ranges::set_difference(Everything(), before_, std::inserter(left, left.end()));
      return left.empty();
    });
    for (const std::string& thing : left) ADD_FAILURE() << "left behind: " << thing;
  }
  static void TearDownTestSuite() { looks.clear(); }

  // The table has one look at an image of the target; it may hold more of other tests.
  void CountSteps() {
    steps_.assign(operation_->steps.begin(), operation_->steps.end());
    step_ = GetParam().step;
    if (what_ != What::kSend) return;
    const auto images =
        Look(1).docker->ExchangeJson(Soon(), {.method = "GET", .target = "/images/json"});
    ASSERT_TRUE(images) << images.error().ToString();
    ASSERT_FALSE(images->Items().empty());
    const size_t more = images->Items().size() - 1;
    const auto look = std::ranges::find(steps_, "server-2 GET /images/json") + 1;
    if (step_ != kNowhere && step_ > static_cast<size_t>(look - steps_.begin())) step_ += more;
    steps_.insert(look, more, *look);
  }

  // As the cleanup of a server does it.
  void CleanUp() {
    for (const ServerOptions& server : options_.servers) {
      const auto use = provider_->As<HostCleanup>()->Survey(Soon(), server.id);
      ASSERT_TRUE(use) << use.error().ToString();
      for (const HostItem& item : use->items) {
        ASSERT_EQ(item.kind, HostItem::Kind::kImage) << "a volume without a unit: " << item.id;
        const auto gone = provider_->As<HostCleanup>()->DiscardImage(Soon(), server.id, item.id);
        // An engine whose build was given up holds its image until it has noticed: next time.
        const bool later = !gone && gone.error().code() == Code::kConflict;
        EXPECT_TRUE(gone || later) << gone.error().ToString();
      }
    }
  }
  // To these servers, directly and by way of proxies.
  void Connect() {
    for (ServerOptions& server : options_.servers) server.helper = operation_->helper;
    provider_ = NewBaremetalHostProvider(TestRuntime(), options_);
    BaremetalOptions through = options_;
    through.connect_timeout_ms = 2'000;
    through.reconnect_wait_max_ms = 500;
    through.wrap_channel = cutter_.Wrapper();
    for (ServerOptions& server : through.servers) {
      proxies_.push_back(
          std::make_unique<CuttingProxy>(TestRuntime().threads, server.address, server.port));
      server.address = "127.0.0.1";
      server.port = proxies_.back()->port();
    }
    through_ = NewBaremetalHostProvider(TestRuntime(), through);
  }
  void Prepare() {
    if (operation_->helper) unit_.spec.disk_bytes = kDiskBytes;
    tag_ = Word("a4c-test/cut") + ":1";
    content_.resize(kContentBytes);
    for (char& c : content_) c = static_cast<char>(TestRuntime().random.Next());
    const bool is_image = what_ == What::kSend || what_ == What::kDiscard || what_ == What::kSurvey;
    if (is_image) {
      ASSERT_TRUE(Build(*provider_));
    } else if (what_ != What::kCreate && what_ != What::kBuild) {
      ASSERT_TRUE(Ensured(*provider_, UnitWanted::kRunning));
    }
    if (what_ == What::kUpdate) Output({"sh", "-c", "echo kept >/workspace/note"});
    if (what_ == What::kStartAgain || what_ == What::kDeleteLater) {
      ASSERT_TRUE(Ensured(*provider_, UnitWanted::kStopped));
    }
  }
  Result<void> Run(HostProvider& provider) {
    const std::string& to = options_.servers[1].id;
    switch (what_) {
      case What::kCreate:
      case What::kStartAgain:
        return Ensured(provider, UnitWanted::kRunning);
      case What::kStop:
        return Ensured(provider, UnitWanted::kStopped);
      case What::kDelete:
      case What::kDeleteLater:
        ++unit_.epoch;
        return provider.Remove(Soon(), unit_.host, unit_.name, unit_.epoch);
      case What::kUpdate:
        ++unit_.epoch;
        unit_.spec.memory_bytes = kUpdatedBytes;
        return Void(provider.As<HostUpdate>()->Update(Soon(), unit_));
      case What::kBuild:
        return Build(provider);
      case What::kSend:
        return Void(
            provider.As<HostImageSupply>()->Send(Soon(), unit_.host, to, tag_, [](auto) {}));
      case What::kSurvey:
        return Void(provider.As<HostCleanup>()->Survey(Soon(), unit_.host));
      case What::kDiscard:
        return provider.As<HostCleanup>()->DiscardImage(Soon(), unit_.host, image_id_);
    }
    return {};
  }
  // What the operation is for is so.
  bool IsDone() {
    switch (what_) {
      case What::kCreate:
      case What::kStartAgain:
        return StateOf() == UnitState::kRunning;
      case What::kStop:
        return StateOf() == UnitState::kStopped;
      case What::kDelete:
      case What::kDeleteLater:
        return !StateOf();
      case What::kUpdate:
        return StateOf() == UnitState::kRunning && Memory() == kUpdatedBytes && HasNote();
      case What::kBuild:
        return HasImage(0);
      case What::kSend:
        return HasImage(1);
      case What::kDiscard:
        return !HasImage(0);
      case What::kSurvey:
        return false;  // it changes nothing
    }
    return false;
  }

  template <typename T>
  static Result<void> Void(const Result<T>& result) {
    if (!result) return result.error();
    return {};
  }
  Result<void> Ensured(HostProvider& provider, UnitWanted wanted) {
    unit_.wanted = wanted;
    ++unit_.epoch;
    return Void(provider.Ensure(Soon(), unit_));
  }
  Result<void> Build(HostProvider& provider) {
    // Cut in the middle of its answer, it is busy with its last layer.
    const std::string run = what_ != What::kBuild                 ? ""
                            : GetParam().when == When::kAnswering ? "RUN sleep 3\n"
                                                                  : "RUN echo here\n";
    const std::string tar = TarOf(
        {{"Dockerfile", "FROM " + unit_.spec.image + "\nCOPY data /\n" + run}, {"data", content_}});
    size_t at = 0;
    const auto built = provider.As<HostImages>()->Build(
        Soon(), {.host = unit_.host, .tag = tag_},
        [&]() -> Result<std::string> {
          const size_t from = std::exchange(at, std::min(tar.size(), at + kPieceBytes));
          return tar.substr(from, at - from);
        },
        [](std::string_view) {});
    if (built) image_id_ = built->digest;
    return Void(built);
  }
  std::optional<UnitState> StateOf() {
    const auto listed = provider_->List(Soon(), unit_.host);
    EXPECT_TRUE(listed) << listed.error().ToString();
    const auto found = std::ranges::find(*listed, unit_.name, &UnitStatus::name);
    if (found == listed->end()) return {};
    EXPECT_EQ(std::ranges::count(*listed, unit_.name, &UnitStatus::name), 1);
    return found->state;
  }
  int64_t Memory() {
    const auto unit = provider_->As<HostDescription>()->Describe(Soon(), unit_.host, unit_.name);
    EXPECT_TRUE(unit) << unit.error().ToString();
    return unit ? unit->spec.memory_bytes : 0;
  }
  bool HasNote() { return Output({"cat", "/workspace/note"}) == "kept\n"; }
  bool HasImage(size_t server) {
    const auto found =
        provider_->As<HostImageSupply>()->Find(Soon(), options_.servers[server].id, tag_);
    EXPECT_TRUE(found) << found.error().ToString();
    return found && found->has_value();
  }
  // A connection past the provider, kept for all tests.
  struct Looking {
    std::unique_ptr<SshSession> session;
    std::unique_ptr<DockerConnection> docker;
  };
  Looking& Look(size_t i) {
    Looking& look = looks[i];
    if (look.docker != nullptr) return look;
    look.session = *ConnectSsh(Soon(), Target(i));
    look.docker = std::make_unique<DockerConnection>(
        *look.session->OpenSocket(Soon(), options_.servers[i].docker_socket), 1 << 20);
    return look;
  }
  // All containers, images and volumes of the servers, of whomever.
  std::set<std::string> Everything() {
    std::set<std::string> things;
    for (size_t i = 0; i < options_.servers.size(); ++i) {
      DockerConnection& docker = *Look(i).docker;
      const auto add = [&](const std::string& target, const char* list, const char* key) {
        const auto json = docker.ExchangeJson(Soon(), {.method = "GET", .target = target});
        ASSERT_TRUE(json) << json.error().ToString();
        for (const Json& item : (list == nullptr ? *json : (*json)[list]).Items()) {
          things.insert(options_.servers[i].id + " " + target + " " + item[key].Text());
        }
      };
      add("/containers/json?all=1", nullptr, "Id");
      add("/images/json?all=1", nullptr, "Id");
      add("/volumes", "Volumes", "Name");
    }
    return things;
  }
  void Cut(const std::string& server) {
    const auto at = std::ranges::find(options_.servers, server, &ServerOptions::id);
    CuttingProxy& proxy = *proxies_[static_cast<size_t>(at - options_.servers.begin())];
    // What a build that was under way has left is claimed by a new connection.
    if (what_ == What::kBuild && GetParam().when == When::kAnswering) {
      proxy.BreakOnce();
    } else {
      proxy.CutAfter(0);
    }
  }

  // It says that the same again helps, and where to look.
  static void ExpectUseful(const Error& error) {
    std::printf("  %s\n", error.ToString().c_str());
    EXPECT_TRUE(error.retryable() || error.unknown_outcome()) << error.ToString();
    EXPECT_NE(error.hint(), "") << error.ToString();
  }
  // Of the first time also "nothing was done" is so.
  void ExpectHonest(const Error& error) {
    ExpectUseful(error);
    if (error.unknown_outcome()) return;
    EXPECT_FALSE(IsDone()) << "\"nothing was done\": " << error.ToString();
    if (what_ == What::kUpdate) {
      EXPECT_EQ(StateOf(), UnitState::kRunning) << "as it was";
    }
  }
  void Settle() {
    const int64_t until_ms = TestRuntime().clock.MonotonicMs() + kSettleMs;
    while (true) {
      const Result<void> again = Run(*through_);
      if (again) return;
      ExpectUseful(again.error());
      ASSERT_LT(TestRuntime().clock.MonotonicMs(), until_ms) << again.error().ToString();
    }
  }

  static std::map<size_t, Looking> looks;
  const Operation* const operation_;
  const What what_;
  std::vector<std::string> steps_;  // the table's, as many as there are now
  size_t step_ = kNowhere;          // of these
  StepCutter cutter_;
  std::vector<std::unique_ptr<CuttingProxy>> proxies_;
  std::unique_ptr<HostProvider> through_;
  std::string tag_;
  std::string content_;
  std::string image_id_;
  std::set<std::string> before_;
};

std::map<size_t, HostCuts::Looking> HostCuts::looks;

TEST_P(HostCuts, WhatWasCutIsSettledAndLeavesNothing) {
  const auto [when, then] = std::pair(GetParam().when, GetParam().then);
  cutter_.Arm(
      step_, when, [this](const std::string& server) { Cut(server); },
      what_ == What::kBuild ? "Running in" : "");
  const Result<void> first = Run(*through_);
  EXPECT_EQ(cutter_.has_cut(), step_ != kNowhere);
  if (!first) ExpectHonest(first.error());
  const std::vector<std::string> steps = cutter_.steps();
  cutter_.Disarm();
  // Up to the cut they are those of the table.
  std::vector<std::string> named = steps_;
  if (step_ != kNowhere) named.resize(step_ + 1);
  ASSERT_GE(steps.size(), named.size()) << ::testing::PrintToString(steps);
  EXPECT_TRUE(std::equal(named.begin(), named.end(), steps.begin(),
                         step_ == kNowhere ? steps.end() : steps.begin() + named.size()))
      << "the table is to name the steps as they are now: " << ::testing::PrintToString(steps);
  for (const auto& proxy : proxies_) proxy->Heal();
  if (then == Then::kNever && what_ == What::kUpdate) {
    ASSERT_TRUE(Ensured(*provider_, UnitWanted::kRunning));
    EXPECT_TRUE(HasNote()) << "of the one or the other, never without what it keeps";
  }
  if (then == Then::kNever) return;
  if (!first) Settle();
  EXPECT_TRUE(what_ == What::kSurvey || IsDone());
}

INSTANTIATE_TEST_SUITE_P(Steps, HostCuts, ::testing::ValuesIn(ChosenCases()), NameOf);

}  // namespace
}  // namespace a4c::baremetal
