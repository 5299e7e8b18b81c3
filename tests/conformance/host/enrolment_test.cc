// Servers that a provider learns of while it runs.
#include <cstdlib>
#include <sstream>

#include "a4c/host_enrolment.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

std::string Setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::map<std::string, std::string> Settings() {
  std::map<std::string, std::string> settings;
  std::istringstream text(Setting("A4C_TEST_ENROL_SETTINGS"));
  for (std::string pair; std::getline(text, pair, ',');) {
    const size_t equals = pair.find('=');
    settings[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return settings;
}

class HostProviderEnrolment : public HostTest {
 protected:
  void SetUp() override {
    HostTest::SetUp();
    enrolment_ = provider().As<HostEnrolment>();
    if (enrolment_ == nullptr) return;
    const std::string address = Setting("A4C_TEST_ENROL_ADDRESS");
    ASSERT_FALSE(address.empty()) << "A4C_TEST_ENROL_ADDRESS names no server that may be enrolled";
    const auto probe = enrolment_->Probe(Within(), address);
    ASSERT_TRUE(probe) << probe.error().ToString();
    spec_ = {.id = Unique("enrolled"),
             .address = probe->address,
             .fingerprint = probe->fingerprint,
             .settings = Settings()};
  }
  void TearDown() override {
    HostTest::TearDown();
    if (enrolment_ == nullptr) return;
    EXPECT_TRUE(enrolment_->Remove(Within(), spec_.id));
  }

  void Enrol() {
    const auto prepared = enrolment_->Prepare(Within(120'000), spec_);
    ASSERT_TRUE(prepared) << prepared.error().ToString();
    const auto added = enrolment_->Add(Within(), spec_);
    ASSERT_TRUE(added) << added.error().ToString();
  }
  std::optional<Host> Find(const std::string& id) {
    const auto hosts = provider().Hosts(Within());
    EXPECT_TRUE(hosts) << hosts.error().ToString();
    if (!hosts) return std::nullopt;
    for (const Host& host : *hosts) {
      if (host.id == id) return host;
    }
    return std::nullopt;
  }

  HostEnrolment* enrolment_ = nullptr;
  HostSpec spec_;
};

TEST_F(HostProviderEnrolment, TheExtensionIsThereUnlessAbsent) {
  EXPECT_EQ(enrolment_ == nullptr, Absent("enrolment"));
}

TEST_F(HostProviderEnrolment, AProbeTellsTheSameFingerprintAgainAndAddsNothing) {
  if (Absent("enrolment")) return;
  const auto again = enrolment_->Probe(Within(), spec_.address);
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->address, spec_.address);
  EXPECT_EQ(again->fingerprint, spec_.fingerprint);
  EXPECT_FALSE(again->summary.empty());
  EXPECT_FALSE(Find(spec_.id));
}

TEST_F(HostProviderEnrolment, UnitsRunOnAServerThatWasAdded) {
  if (Absent("enrolment")) return;
  Enrol();
  const auto host = Find(spec_.id);
  ASSERT_TRUE(host);
  EXPECT_TRUE(host->reachable) << host->reason;
  EXPECT_GT(host->disk_total_bytes, 0);
  Unit unit = NewUnit();
  unit.host = spec_.id;
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->state, UnitState::kRunning) << status->reason;
}

TEST_F(HostProviderEnrolment, TheSameAgainChangesNothing) {
  if (Absent("enrolment")) return;
  Enrol();
  Unit unit = NewUnit();
  unit.host = spec_.id;
  ASSERT_TRUE(Ensure(unit));
  Enrol();
  EXPECT_TRUE(Listed(unit));
}

TEST_F(HostProviderEnrolment, AServerThatWasRemovedIsNotFoundAndItsUnitsRunOn) {
  if (Absent("enrolment")) return;
  Enrol();
  Unit unit = NewUnit();
  unit.host = spec_.id;
  ASSERT_TRUE(Ensure(unit));
  ASSERT_TRUE(enrolment_->Remove(Within(), spec_.id));
  EXPECT_FALSE(Find(spec_.id));
  const auto listed = provider().List(Within(), spec_.id);
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code(), Code::kNotFound) << listed.error().ToString();
  EXPECT_TRUE(enrolment_->Remove(Within(), spec_.id)) << "it is gone already";
  ASSERT_TRUE(enrolment_->Add(Within(), spec_));
  if (!Absent("shared_instances")) {
    const auto found = Listed(unit);
    ASSERT_TRUE(found) << "it was forgotten, not removed";
    EXPECT_EQ(found->state, UnitState::kRunning) << found->reason;
  }
}

TEST_F(HostProviderEnrolment, AnotherFingerprintIsDenied) {
  if (Absent("enrolment")) return;
  HostSpec other = spec_;
  char& middle = other.fingerprint[other.fingerprint.size() / 2];
  middle = middle == 'A' ? 'B' : 'A';
  const auto prepared = enrolment_->Prepare(Within(), other);
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code(), Code::kDenied) << prepared.error().ToString();
  EXPECT_NE(prepared.error().message().find(spec_.fingerprint), std::string::npos)
      << "names both: " << prepared.error().message();
}

TEST_F(HostProviderEnrolment, AnIdIsOfOneServerAndAServerHasOneId) {
  if (Absent("enrolment")) return;
  Enrol();
  HostSpec same_server = spec_;
  same_server.id = Unique("second");
  const auto twice = enrolment_->Add(Within(), same_server);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code(), Code::kConflict) << twice.error().ToString();
  HostSpec configured = spec_;
  configured.id = host();
  const auto taken = enrolment_->Add(Within(), configured);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code(), Code::kConflict) << taken.error().ToString();
  const auto removed = enrolment_->Remove(Within(), host());
  ASSERT_FALSE(removed) << "it stands in the config";
  EXPECT_EQ(removed.error().code(), Code::kConflict) << removed.error().ToString();
}

TEST_F(HostProviderEnrolment, WhatIsWrongWithASpecIsSaid) {
  if (Absent("enrolment")) return;
  const auto refused = [&](const HostSpec& spec, std::string_view word) {
    const auto added = enrolment_->Add(Within(), spec);
    return !added && added.error().code() == Code::kInvalid &&
           added.error().message().find(word) != std::string::npos;
  };
  HostSpec spec = spec_;
  spec.id = "../etc";
  EXPECT_TRUE(refused(spec, "id"));
  spec = spec_;
  spec.address = "nonsense://";
  EXPECT_TRUE(refused(spec, "address"));
  spec = spec_;
  spec.settings["no_such_setting"] = "1";
  EXPECT_TRUE(refused(spec, "no_such_setting"));
  const auto probe = enrolment_->Probe(Within(), "nonsense://");
  ASSERT_FALSE(probe);
  EXPECT_EQ(probe.error().code(), Code::kInvalid) << probe.error().ToString();
}

}  // namespace
}  // namespace a4c::conformance
