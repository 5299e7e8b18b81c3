#include <algorithm>
#include <mutex>
#include <thread>

#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderImageSupply : public HostTest {
 protected:
  HostImageSupply& supply() { return *provider().As<HostImageSupply>(); }

  std::optional<ImageInfo> Find(const std::string& on, const std::string& reference) {
    auto found = supply().Find(Within(), on, reference);
    EXPECT_TRUE(found) << found.error().ToString();
    return found ? *found : std::nullopt;
  }
  Result<ImageInfo> Pull(const std::string& reference) {
    return supply().Pull(Within(120'000), host(), reference, [](std::string_view) {});
  }
  // What is said of it is in said_.
  Result<ImageInfo> Send(const std::string& from, const std::string& to,
                         const std::string& reference) {
    said_.clear();
    return supply().Send(Within(120'000), from, to, reference,
                         [&](std::string_view text) { said_ += text; });
  }
  // Built on host() alone; its tag.
  std::string Built() {
    std::string tag = Unique("a4c-conformance/sent") + ":1";
    const auto built = provider().As<HostImages>()->Build(
        Within(120'000), {.host = host(), .tag = tag},
        InPieces(TarOf({{"Dockerfile", "FROM " + TestImage() + "\nLABEL subject=" + tag + "\n"}}),
                 700),
        [](std::string_view) {});
    EXPECT_TRUE(built) << built.error().ToString();
    return tag;
  }

  std::string said_;
};

TEST_F(HostProviderImageSupply, TheExtensionIsThereUnlessAbsent) {
  EXPECT_EQ(provider().As<HostImageSupply>() == nullptr, Absent("image_supply"));
}

TEST_F(HostProviderImageSupply, AnImageIsFoundByItsTagAndItsIdOrNotAtAll) {
  if (Absent("image_supply")) return;
  const auto found = Find(host(), TestImage());
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->digest.starts_with("sha256:"));
  const auto by_id = Find(host(), found->digest);
  ASSERT_TRUE(by_id);
  EXPECT_EQ(by_id->digest, found->digest);
  EXPECT_FALSE(Find(host(), Unique("a4c-conformance/none") + ":1"));
  const auto odd = supply().Find(Within(), host(), "an image");
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().code(), Code::kInvalid) << odd.error().ToString();
}

TEST_F(HostProviderImageSupply, APulledImageRunsIsListedAndIsDiscarded) {
  if (Absent("image_supply")) return;
  DiscardUnused();
  ASSERT_FALSE(Find(host(), TestRegistryImage())) << "it is there, and not because we pulled it";
  const auto pulled = Pull(TestRegistryImage());
  ASSERT_TRUE(pulled) << pulled.error().ToString();
  EXPECT_EQ(Find(host(), TestRegistryImage())->digest, pulled->digest);
  EXPECT_TRUE(Pull(TestRegistryImage())) << "the same again";
  const auto listed = provider().As<HostImages>()->List(Within(), host());
  ASSERT_TRUE(listed);
  EXPECT_GE(std::ranges::count(*listed, pulled->digest, &ImageInfo::digest), 1);
  Unit unit = NewUnit();
  unit.spec.image = TestRegistryImage();
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  ASSERT_TRUE(Remove(unit, 1));
  DiscardUnused();
  EXPECT_FALSE(Find(host(), TestRegistryImage()));
  EXPECT_TRUE(Find(host(), TestImage())) << "an image of others was pruned";
}

TEST_F(HostProviderImageSupply, UnitsWhoseImageIsAbsentPullItAtOnce) {
  if (Absent("image_supply")) return;
  DiscardUnused();
  std::mutex mutex;
  std::vector<std::string> faults;
  std::vector<Unit> units;
  for (int i = 0; i < 6; ++i) {
    units.push_back(NewUnit());
    units.back().spec.image = TestRegistryImage();
  }
  std::vector<std::jthread> threads;
  for (const Unit& unit : units) {
    threads.emplace_back([&, unit] {
      const auto status = provider().Ensure(Within(120'000), unit);
      const std::lock_guard lock(mutex);
      if (!status) faults.push_back(status.error().ToString());
    });
  }
  threads.clear();
  for (const Unit& unit : units) EXPECT_TRUE(Ensure(unit));
  EXPECT_EQ(faults, std::vector<std::string>());
}

TEST_F(HostProviderImageSupply, WhatARegistryDoesNotGiveSaysWhy) {
  if (Absent("image_supply")) return;
  const std::string& name = TestRegistryImage();
  const auto lacking = Pull(name.substr(0, name.rfind(':')) + ":no-such-tag");
  ASSERT_FALSE(lacking);
  EXPECT_EQ(lacking.error().code(), Code::kNotFound) << lacking.error().ToString();
  const auto unknown = Pull("registry.invalid/app:1");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), Code::kUnsupported) << unknown.error().ToString();
}

TEST_F(HostProviderImageSupply, AnImageIsSentToAServerThatLacksIt) {
  if (Absent("image_supply") || hosts().size() < 2) return;
  const std::string tag = Built();
  const auto sent = Send(host(), hosts()[1], tag);
  ASSERT_TRUE(sent) << sent.error().ToString();
  EXPECT_NE(said_.find(" bytes"), std::string::npos) << "how many were sent: " << said_;
  const auto there = Find(hosts()[1], tag);
  ASSERT_TRUE(there);
  EXPECT_EQ(there->digest, Find(host(), tag)->digest);
  EXPECT_TRUE(Send(host(), hosts()[1], tag)) << "the same again";
  Unit unit = NewUnit();
  unit.host = hosts()[1];
  unit.spec.image = tag;
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  ASSERT_TRUE(Remove(unit, 1));
  DiscardUnused();
  EXPECT_FALSE(Find(hosts()[1], tag)) << "what was sent is ours";
}

TEST_F(HostProviderImageSupply, WhatCannotBeSentSaysWhy) {
  if (Absent("image_supply") || hosts().size() < 2) return;
  const auto lacking = Send(host(), hosts()[1], Unique("a4c-conformance/none") + ":1");
  ASSERT_FALSE(lacking);
  EXPECT_EQ(lacking.error().code(), Code::kNotFound) << lacking.error().ToString();
  const auto same = Send(host(), host(), TestImage());
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code(), Code::kInvalid) << same.error().ToString();
  const auto digest =
      Send(host(), hosts()[1], "registry.invalid/app@sha256:" + std::string(64, '0'));
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().code(), Code::kUnsupported) << digest.error().ToString();
  const auto nowhere = Send(host(), Unique("nowhere"), TestImage());
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code(), Code::kNotFound) << nowhere.error().ToString();
}

}  // namespace
}  // namespace a4c::conformance
