#include "tests/conformance/host/host_support.h"

#include <algorithm>
#include <cstdlib>

namespace a4c::conformance {
namespace {

constexpr int64_t kPatienceMs = 60'000;
constexpr int64_t kPollMs = 20;
constexpr int64_t kEpochOfTheEnd = 1'000'000'000;

}  // namespace

std::string TestImage() {
  const char* image = std::getenv("A4C_TEST_IMAGE");
  return image == nullptr || *image == '\0' ? "busybox:local" : image;
}

ByteSource InPieces(const std::string& bytes, size_t piece) {
  return [bytes, piece, at = size_t{0}]() mutable -> Result<std::string> {
    const std::string part = bytes.substr(std::min(at, bytes.size()), piece);
    at += part.size();
    return part;
  };
}

std::string TestRegistryImage() {
  const char* image = std::getenv("A4C_TEST_REGISTRY_IMAGE");
  return image == nullptr || *image == '\0' ? "registry.local/busybox:1" : image;
}

UnitSpec SpecOf(std::vector<std::string> command) {
  return {.image = Absent("image_less") ? TestImage() : "", .command = std::move(command)};
}

void HostTest::SetUp() {
  provider_ = Make<HostProvider>();
  ASSERT_NE(provider_, nullptr);
  const auto hosts = provider_->Hosts(Within());
  ASSERT_TRUE(hosts) << hosts.error().ToString();
  for (const Host& host : *hosts) {
    if (!host.reachable) continue;
    hosts_.push_back(host.id);
    if (hosts_.size() > 1) continue;
    host_ = host.id;
    host_absent_ = host.absent;
  }
  ASSERT_FALSE(host_.empty()) << "no server is reachable";
}

void HostTest::TearDown() {
  for (const auto& [host, name] : made_) {
    const auto removed = provider_->Remove(Within(), host, name, kEpochOfTheEnd);
    EXPECT_TRUE(removed) << name << ": " << removed.error().ToString();
  }
}

bool HostTest::Lacks(const std::string& capability) const {
  return Absent(capability) || host_absent_.contains(capability);
}

Unit HostTest::NewUnit(std::vector<std::string> command) {
  return {.host = host_, .name = Unique("unit"), .epoch = 1, .spec = SpecOf(std::move(command))};
}

Result<UnitStatus> HostTest::Ensure(const Unit& unit) {
  made_.emplace(unit.host, unit.name);
  return provider_->Ensure(Within(), unit);
}

Result<void> HostTest::Remove(const Unit& unit, int64_t epoch) {
  return provider_->Remove(Within(), unit.host, unit.name, epoch);
}

std::optional<UnitStatus> HostTest::Listed(const Unit& unit) {
  const auto listed = provider_->List(Within(), unit.host);
  EXPECT_TRUE(listed) << listed.error().ToString();
  if (!listed) return std::nullopt;
  for (const UnitStatus& status : *listed) {
    if (status.name == unit.name) return status;
  }
  return std::nullopt;
}

UnitStatus HostTest::WaitFor(const Unit& unit, UnitState state) {
  UnitStatus last;
  Eventually([&] {
    last = Listed(unit).value_or(UnitStatus{});
    return last.name == unit.name && last.state == state;
  });
  EXPECT_EQ(last.name, unit.name);
  EXPECT_EQ(last.state, state) << last.reason;
  return last;
}

void HostTest::DiscardUnused() {
  auto* cleanup = provider_->As<HostCleanup>();
  ASSERT_NE(cleanup, nullptr);
  for (const std::string& one : hosts_) {
    const auto use = cleanup->Survey(Within(), one);
    ASSERT_TRUE(use) << use.error().ToString();
    for (const HostItem& item : use->items) {
      if (item.kind != HostItem::Kind::kImage || item.in_use) continue;
      const auto discarded = cleanup->DiscardImage(Within(), one, item.id);
      EXPECT_TRUE(discarded) << discarded.error().ToString();
    }
  }
}

bool HostTest::Eventually(const std::function<bool()>& condition) {
  const auto waiter = TheRuntime().threads.NewWaiter();
  const Clock& clock = TheRuntime().clock;
  const int64_t end_ms = clock.MonotonicMs() + kPatienceMs;
  while (!condition()) {
    if (clock.MonotonicMs() >= end_ms) return false;
    Waiter::Lock lock(*waiter);
    waiter->Wait(clock.MonotonicMs() + kPollMs);
  }
  return true;
}

}  // namespace a4c::conformance
