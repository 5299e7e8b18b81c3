// Instances of a4cd's work side over shared back ends, without sockets and plugins. Time is the
// test's: a worker does what is due when it is stepped.
//
//   World world;
//   const Job created = world.Submit("workspace.create", CreatePayload("dev-1"));
//   world.Work();
//   EXPECT_EQ(world.GetJob(created.id).state, JobState::kSucceeded);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "a4c/collection.h"
#include "a4c/host_activity.h"
#include "a4c/host_cleanup.h"
#include "a4c/host_description.h"
#include "a4c/host_extensions.h"
#include "a4c/host_images.h"
#include "a4c/host_update.h"
#include "a4c/host_volumes.h"
#include "a4c/memory.h"
#include "a4c/replicas.h"
#include "a4c/retention.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/worker.h"
#include "tests/integration/support/hooked_store.h"
#include "tests/support/fake_clock.h"

namespace a4cd::testing {

using a4c::Call;
using a4c::Json;
using a4c::RecordRef;
using a4c::Result;
using a4c::Unit;
using a4c::UnitStatus;

inline constexpr const char* kTenant = "acme";
inline constexpr int64_t kGiB = 1LL << 30;
inline const a4c::MemoryHostOptions kOneServer{
    .servers = {{.id = "one", .disk_total_bytes = 10 * kGiB}}};

// Does something of the test's before an effect; hides extensions.
class HookedHosts final : public a4c::HostProvider,
                          public a4c::HostActivity,
                          public a4c::HostUpdate {
 public:
  explicit HookedHosts(a4c::HostProvider& inner) : inner_(inner) {}

  Result<std::vector<a4c::Host>> Hosts(const Call& call) override {
    A4C_TRY(std::vector<a4c::Host> hosts, inner_.Hosts(call));
    for (a4c::Host& host : hosts) {
      if (host.id != silent) continue;
      host.reachable = false;
      host.reason = "no route to host";
    }
    return hosts;
  }
  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override {
    if (before_ensure) A4C_CHECK(before_ensure(unit));
    return inner_.Ensure(call, unit);
  }
  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      const a4c::Fence& fence) override {
    if (before_remove) A4C_CHECK(before_remove());
    return inner_.Remove(call, host, name, fence);
  }
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override {
    if (before_list) A4C_CHECK(before_list(call, host));
    return inner_.List(call, host);
  }

  Result<std::vector<a4c::UnitActivity>> Read(const Call& call, const std::string& host,
                                              const std::vector<std::string>& units) override {
    if (before_activity) A4C_CHECK(before_activity(units));
    return inner_.As<a4c::HostActivity>()->Read(call, host, units);
  }

  Result<UnitStatus> Update(const Call& call, const Unit& unit) override {
    if (before_update) A4C_CHECK(before_update(unit));
    Result<UnitStatus> status = inner_.As<a4c::HostUpdate>()->Update(call, unit);
    if (after_update) A4C_CHECK(after_update(unit));
    return status;
  }

  std::function<Result<void>(const Call&, const std::string&)> before_list;
  std::function<Result<void>(const Unit&)> before_ensure;
  std::function<Result<void>(const Unit&)> before_update;
  std::function<Result<void>(const Unit&)> after_update;
  std::function<Result<void>(const std::vector<std::string>&)> before_activity;
  std::function<Result<void>()> before_remove;
  std::string silent;  // this server does not answer
  bool has_extensions = true;
  a4c::HostExec* exec = nullptr;        // instead of the inner one
  a4c::HostImages* images = nullptr;    // instead of the inner ones
  a4c::HostCleanup* cleanup = nullptr;  // the same
  a4c::HostVolumes* volumes = nullptr;  // the same

 protected:
  void* Extension(std::string_view name) override {
    if (!has_extensions) return nullptr;
    if (name == a4c::HostExec::kExtension) {
      return exec != nullptr ? exec : inner_.As<a4c::HostExec>();
    }
    if (name == a4c::HostImages::kExtension) {
      return images != nullptr ? images : inner_.As<a4c::HostImages>();
    }
    if (name == a4c::HostImageSupply::kExtension) return inner_.As<a4c::HostImageSupply>();
    if (name == a4c::HostActivity::kExtension) return static_cast<a4c::HostActivity*>(this);
    if (name == a4c::HostVolumes::kExtension) {
      return volumes != nullptr ? volumes : inner_.As<a4c::HostVolumes>();
    }
    if (name == a4c::HostUpdate::kExtension) return static_cast<a4c::HostUpdate*>(this);
    if (name == a4c::HostDescription::kExtension) return inner_.As<a4c::HostDescription>();
    if (name == a4c::HostCleanup::kExtension) {
      return cleanup != nullptr ? cleanup : inner_.As<a4c::HostCleanup>();
    }
    return nullptr;
  }

 private:
  a4c::HostProvider& inner_;
};

// One process.
struct Instance {
  Instance(const a4c::Runtime& runtime, a4c::Store& store, a4c::HostProvider& hosts,
           const WorkerOptions& options)
      : ids(runtime.clock, runtime.random),
        database({.store = store}, runtime),
        jobs(database, runtime, ids, 5 * 60'000, store.As<a4c::Replicas>()),
        worker(database, store, hosts, jobs, ids, runtime, options) {
    const Result<void> opened =
        database.Open(Call::Within(runtime.clock, 60'000), AllCollections());
    EXPECT_TRUE(opened) << opened.error().ToString();
  }

  a4c::IdSource ids;
  a4c::Database database;
  JobService jobs;
  Worker worker;
};

inline Json CreatePayload(const std::string& name, int64_t disk_bytes = kGiB,
                          const std::string& command = "sleep infinity") {
  Json payload(Json::Object{{"name", name}, {"disk", disk_bytes}});
  payload.AppendMember("command", Json::Array{"sh", "-c", command});
  return payload;
}

// Writes a job as the API does.
inline Result<Job> Submit(const a4c::Runtime& runtime, Instance& instance, const JobDraft& draft) {
  const Call call = Call::Within(runtime.clock, 30'000);
  const Principal principal{.tenant = kTenant, .key_id = "key", .scopes = {"*"}};
  A4C_TRY(const PreparedWrite write, instance.jobs.PrepareCreate(call, principal, draft));
  A4C_TRY(const a4c::Committed done, instance.database.Write(call, write.commit));
  if (done.outcome != a4c::Committed::Outcome::kApplied) {
    return a4c::Error(a4c::Code::kConflict, "the job was not written");
  }
  return instance.jobs.Get(call, kTenant, write.id);
}

class World {
 public:
  explicit World(const a4c::MemoryHostOptions& servers = {}, const WorkerOptions& options = {})
      : store(a4c::NewMemoryStore(fake.runtime())),
        memory_hosts(a4c::NewMemoryHostProvider(fake.runtime(), servers)),
        hosts(*memory_hosts),
        instance(fake.runtime(), *store, hosts, options) {
    for (auto& loop : instance.worker.NewSingletons()) loops.push_back(std::move(loop));
    for (auto& loop : instance.worker.NewWorkLoops()) loops.push_back(std::move(loop));
  }

  Call Within() const { return fake.Within(30'000); }

  Job Submit(const std::string& type, Json payload,
             const std::function<void(JobDraft&)>& more = {}) {
    JobDraft draft;
    draft.type = type;
    draft.payload = std::move(payload);
    if (more) more(draft);
    const Result<Job> job = testing::Submit(fake.runtime(), instance, draft);
    EXPECT_TRUE(job) << job.error().ToString();
    return job ? *job : Job{};
  }
  Job SubmitFor(const std::string& type, const std::string& workspace) {
    return Submit(type, Json::Object{{"workspace", workspace}});
  }

  // One step of a loop; the milliseconds until the next.
  int64_t Step(const std::string& name, const std::stop_token& stop = {}) {
    for (const auto& loop : loops) {
      if (loop->name() != name) continue;
      Call call = Within();
      call.stop = stop;
      const Result<int64_t> step = loop->Step(call);
      EXPECT_TRUE(step) << step.error().ToString();
      return step ? *step : -1;
    }
    ADD_FAILURE() << "there is no loop " << name;
    return -1;
  }
  // What is due, until nothing is.
  void Work() {
    for (int i = 0; i < 1'000 && Step("worker-1") == 0; ++i) {
    }
  }
  void WorkAfter(int64_t ms) {
    fake.clock().Advance(ms);
    Work();
  }

  Job GetJob(const std::string& id) {
    const Result<Job> job = instance.jobs.Get(Within(), kTenant, id);
    EXPECT_TRUE(job) << job.error().ToString();
    return job ? *job : Job{};
  }
  std::optional<Workspace> GetWorkspace(const std::string& id) {
    const Result<Workspace> workspace = instance.jobs.FindWorkspace(Within(), kTenant, id);
    return workspace ? std::optional(*workspace) : std::nullopt;
  }
  std::string LogOf(const std::string& job) {
    const Result<LogPage> page = instance.jobs.Logs(Within(), kTenant, job, 0);
    EXPECT_TRUE(page) << page.error().ToString();
    return page ? page->text : "";
  }
  Result<void> Cancel(const std::string& id) {
    const Principal principal{.tenant = kTenant, .key_id = "key", .scopes = {"*"}};
    A4C_TRY(const Job job, instance.jobs.Get(Within(), kTenant, id));
    A4C_TRY(const PreparedWrite write, instance.jobs.PrepareCancel(Within(), principal, job));
    A4C_CHECK(instance.database.Write(Within(), write.commit));
    return {};
  }

  std::optional<a4c::Record> Find(const RecordRef& ref) {
    const auto answer = instance.database.Get(Within(), std::span(&ref, 1));
    return answer ? answer->records.at(0) : std::nullopt;
  }
  int64_t Committed(const std::string& server) {
    const auto record = Find(HostRef(server));
    if (!record) return -1;
    const auto found = record->quiet.find(std::string(kDiskCommitted));
    return found == record->quiet.end() ? 0 : std::get<int64_t>(found->second);
  }
  std::vector<UnitStatus> Units(const std::string& server) {
    const auto units = memory_hosts->List(Within(), server);
    EXPECT_TRUE(units) << units.error().ToString();
    return units ? *units : std::vector<UnitStatus>();
  }

  a4c::testing::FakeRuntime fake;
  const std::unique_ptr<a4c::Store> store;
  const std::unique_ptr<a4c::HostProvider> memory_hosts;
  HookedHosts hosts;
  Instance instance;
  std::vector<std::unique_ptr<a4c::Loop>> loops;
};

}  // namespace a4cd::testing
