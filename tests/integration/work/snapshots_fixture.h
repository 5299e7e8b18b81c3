// A workspace on the first of two servers, with something kept in it; copies fail as a test says.
#pragma once

#include "apps/a4cd/hosts/host_record.h"
#include "apps/a4cd/jobs/snapshot.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {

inline const a4c::MemoryHostOptions kTwoServers{
    .servers = {{.id = "a", .disk_total_bytes = 10 * kGiB},
                {.id = "b", .disk_total_bytes = 10 * kGiB}}};

// Copies as the inner one, after the test has done something, or not at all.
class HookedVolumes final : public a4c::HostVolumes {
 public:
  explicit HookedVolumes(a4c::HostVolumes& inner) : inner_(inner) {}
  Result<int64_t> Copy(const Call& call, const a4c::VolumeCopy& copy) override {
    if (before_copy) A4C_CHECK(before_copy(copy));
    return inner_.Copy(call, copy);
  }

  std::function<Result<void>(const a4c::VolumeCopy&)> before_copy;

 private:
  a4c::HostVolumes& inner_;
};

class Snapshots : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.hosts.volumes = &volumes_;
    world_.Step("hosts");
    Mark("b", {.cordoned = true});
    workspace_ = Create("dev-1");
    Mark("b", {});
    Write(workspace_, "kept");
  }

  struct Marks {
    bool cordoned = false;
    bool draining = false;
    bool drains_volumes = false;
  };
  void Mark(const std::string& id, const Marks& marks) {
    auto host = ReadHost(world_.Within(), world_.instance.database, id);
    ASSERT_TRUE(host);
    host->cordoned = marks.cordoned;
    host->draining = marks.draining;
    host->drains_volumes = marks.drains_volumes;
    const auto done = world_.instance.database.Write(
        world_.Within(), {.changes = {{.ref = HostRef(id),
                                       .body = HostBody(*host),
                                       .expect = a4c::Expect::Rev(host->rev)}}});
    ASSERT_TRUE(done);
    ASSERT_EQ(done->outcome, a4c::Committed::Outcome::kApplied);
  }
  // Not tied to the server that it gets, unless that is named.
  std::string Create(const std::string& name, const std::string& on = "") {
    Json payload = CreatePayload(name);
    if (!on.empty()) payload.Set("host", on);
    const Job job = world_.Submit("workspace.create", std::move(payload));
    world_.Work();
    EXPECT_EQ(world_.GetWorkspace(job.workspace)->actual, "running");
    return job.workspace;
  }
  Job Snap(Json more = Json::Object{}) {
    more.Set("workspace", workspace_);
    return world_.Submit("workspace.snapshot", std::move(more));
  }
  Job Restore(const std::string& workspace, const std::string& snapshot) {
    return world_.Submit("workspace.restore",
                         Json::Object{{"workspace", workspace}, {"snapshot", snapshot}});
  }
  static std::string IdOf(const Job& job) { return job.payload["snapshot"].Text(); }
  // Nothing: it has gone.
  std::optional<Snapshot> Find(const std::string& id) {
    const auto found = ReadSnapshot(world_.Within(), world_.instance.database, kTenant, id);
    return found ? std::optional(*found) : std::nullopt;
  }
  std::string NoteIn(const std::string& workspace) {
    const auto record = world_.GetWorkspace(workspace);
    std::string output;
    const auto code = world_.memory_hosts->As<a4c::HostExec>()->Run(
        world_.Within(),
        {.host = record->host, .unit = UnitName(workspace), .command = {"cat", "note"}},
        [&](std::string_view bytes) { output += bytes; });
    return code && *code == 0 ? output : "";
  }
  // In the workspace, from now on.
  void Write(const std::string& workspace, const std::string& note) {
    const auto record = world_.GetWorkspace(workspace);
    ASSERT_TRUE(world_.memory_hosts->As<a4c::HostExec>()->Run(
        world_.Within(),
        {.host = record->host,
         .unit = UnitName(workspace),
         .command = {"sh", "-c", "echo " + note + " > note"}},
        [](std::string_view) {}));
  }
  std::optional<UnitStatus> UnitOn(const std::string& server, const std::string& name) {
    for (const UnitStatus& unit : world_.Units(server)) {
      if (unit.name == name) return unit;
    }
    return std::nullopt;
  }
  // As its loop and a worker see to it.
  void Tidy() {
    world_.fake.clock().Advance(1'000);
    world_.Step("snapshots");
    world_.Work();
  }
  void FailCopies(const a4c::Error& error) {
    volumes_.before_copy = [error](const a4c::VolumeCopy&) -> Result<void> { return error; };
  }

  // The same, and keeps in whose name it was.
  void FenceOfCopies(const a4c::Error& error) {
    volumes_.before_copy = [this, error](const a4c::VolumeCopy& copy) -> Result<void> {
      late_ = copy.fence;
      return error;
    };
  }
  // What a server makes of an order to stop that the failed attempt gave.
  std::optional<a4c::Code> ComesLate(const std::string& server, const std::string& unit) {
    const auto stopped =
        world_.memory_hosts->Ensure(world_.Within(), {.host = server,
                                                      .name = unit,
                                                      .epoch = late_.epoch,
                                                      .claim = late_.claim,
                                                      .spec = {.command = {"true"}},
                                                      .wanted = a4c::UnitWanted::kStopped});
    return stopped ? std::nullopt : std::optional(stopped.error().code());
  }

  a4c::Fence late_{0, ""};
  World world_{kTwoServers};
  HookedVolumes volumes_{*world_.memory_hosts->As<a4c::HostVolumes>()};
  std::string workspace_;
};

}  // namespace a4cd::testing
