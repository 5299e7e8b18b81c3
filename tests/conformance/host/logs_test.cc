#include "a4c/host_extensions.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderLogs : public HostTest {
 protected:
  // All that is there from `after` on, page by page; `after` is moved on.
  std::string ReadAll(const Unit& unit, std::string& after, int64_t bytes_max) {
    HostLogs* logs = provider().As<HostLogs>();
    std::string all;
    while (true) {
      const auto page = logs->Read(Within(), unit.host, unit.name, after, bytes_max);
      EXPECT_TRUE(page) << page.error().ToString();
      if (!page) return all;
      EXPECT_LE(page->bytes.size(), static_cast<size_t>(bytes_max));
      after = page->next;
      if (page->bytes.empty()) return all;
      all += page->bytes;
    }
  }
  std::string ReadAll(const Unit& unit, int64_t bytes_max) {
    std::string after;
    return ReadAll(unit, after, bytes_max);
  }
};

TEST_F(HostProviderLogs, TheExtensionIsThereUnlessAbsent) {
  EXPECT_EQ(provider().As<HostLogs>() == nullptr, Absent("logs"));
}

TEST_F(HostProviderLogs, OutputAndErrorsAreKeptAfterTheEnd) {
  if (Absent("logs")) return;
  const Unit unit = NewUnit({"sh", "-c", "echo to-output; sleep 0.1; echo to-errors >&2"});
  ASSERT_TRUE(Ensure(unit));
  WaitFor(unit, UnitState::kStopped);
  EXPECT_TRUE(Eventually([&] { return ReadAll(unit, 4096) == "to-output\nto-errors\n"; }))
      << ReadAll(unit, 4096);
}

TEST_F(HostProviderLogs, PagesOfAnySizeAddUpToTheWhole) {
  if (Absent("logs")) return;
  const Unit unit = NewUnit({"seq", "1", "500"});
  ASSERT_TRUE(Ensure(unit));
  WaitFor(unit, UnitState::kStopped);
  std::string whole;
  for (int i = 1; i <= 500; ++i) whole += std::to_string(i) + "\n";
  ASSERT_TRUE(Eventually([&] { return ReadAll(unit, 1 << 20) == whole; }));
  for (const int64_t bytes_max : {37, 256, 1891, 1892, 5000}) {
    EXPECT_EQ(ReadAll(unit, bytes_max), whole) << bytes_max;
    const auto page =
        provider().As<HostLogs>()->Read(Within(), unit.host, unit.name, "", bytes_max);
    ASSERT_TRUE(page) << page.error().ToString();
    EXPECT_EQ(page->bytes, whole.substr(0, static_cast<size_t>(bytes_max)))
        << "full unless it ends";
  }
}

TEST_F(HostProviderLogs, APositionAtTheEndGivesWhatComesLater) {
  if (Absent("logs")) return;
  Unit unit = NewUnit({"sh", "-c", "echo again"});
  ASSERT_TRUE(Ensure(unit));
  WaitFor(unit, UnitState::kStopped);
  std::string after;
  std::string all;
  ASSERT_TRUE(Eventually([&] { return (all += ReadAll(unit, after, 4096)) == "again\n"; }));
  EXPECT_EQ(ReadAll(unit, after, 4096), "");
  ASSERT_TRUE(Ensure(unit));  // runs it once more
  WaitFor(unit, UnitState::kStopped);
  ASSERT_TRUE(Eventually([&] { return (all += ReadAll(unit, after, 4096)) == "again\nagain\n"; }))
      << all;
}

TEST_F(HostProviderLogs, TimesAreThereUnlessAbsent) {
  EXPECT_EQ(provider().As<HostLogTimes>() == nullptr, Absent("log_times"));
}

TEST_F(HostProviderLogs, APositionOfATimeGivesWhatWasWrittenSince) {
  if (Absent("log_times")) return;
  const Unit unit = NewUnit({"sh", "-c", "echo first; sleep 2; echo second"});
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  ASSERT_GT(status->started_at_ms, 0);
  WaitFor(unit, UnitState::kStopped);
  ASSERT_TRUE(Eventually([&] { return ReadAll(unit, 4096) == "first\nsecond\n"; }));
  const auto since = [&](int64_t time_ms) {
    const auto position =
        provider().As<HostLogTimes>()->PositionAt(Within(), unit.host, unit.name, time_ms);
    EXPECT_TRUE(position) << position.error().ToString();
    std::string after = position ? *position : "";
    return ReadAll(unit, after, 4);
  };
  EXPECT_EQ(since(-1), "first\nsecond\n");
  EXPECT_EQ(since(0), "first\nsecond\n");
  EXPECT_EQ(since(status->started_at_ms - 60'000), "first\nsecond\n");
  EXPECT_EQ(since(status->started_at_ms + 1'001), "second\n");
  EXPECT_EQ(since(status->started_at_ms + 3'600'000), "");
}

TEST_F(HostProviderLogs, AUnitThatIsNotThereIsNotFound) {
  if (Absent("logs")) return;
  HostLogs* logs = provider().As<HostLogs>();
  const auto page = logs->Read(Within(), host(), Unique("unit"), "", 4096);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code(), Code::kNotFound) << page.error().ToString();
}

TEST_F(HostProviderLogs, NonsenseIsRefused) {
  if (Absent("logs")) return;
  HostLogs* logs = provider().As<HostLogs>();
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  for (const auto& [name, after, bytes_max] :
       {std::tuple<std::string, std::string, int64_t>{"../x", "", 10},
        {unit.name, "", 0},
        {unit.name, "no position", 10}}) {
    const auto page = logs->Read(Within(), host(), name, after, bytes_max);
    ASSERT_FALSE(page) << name << after << bytes_max;
    EXPECT_EQ(page.error().code(), Code::kInvalid) << page.error().ToString();
  }
}

TEST_F(HostProviderLogs, AUnitMadeAnewBeginsWithAnEmptyLog) {
  if (Absent("logs")) return;
  Unit unit = NewUnit({"echo", "first"});
  ASSERT_TRUE(Ensure(unit));
  WaitFor(unit, UnitState::kStopped);
  ASSERT_TRUE(Remove(unit, 1));
  unit.spec.command = {"echo", "second"};
  ASSERT_TRUE(Ensure(unit));
  WaitFor(unit, UnitState::kStopped);
  EXPECT_TRUE(Eventually([&] { return ReadAll(unit, 4096) == "second\n"; }));
}

}  // namespace
}  // namespace a4c::conformance
