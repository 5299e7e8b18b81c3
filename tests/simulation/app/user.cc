// What a user does: workspaces made, changed, stopped, started and deleted, commands run, jobs
// canceled and retried, servers cleaned.
#include <utility>

#include "tests/simulation/app/app_world.h"

namespace a4c::simulation {
namespace {

constexpr int kDecisionsMax = 4;

class User {
 public:
  User(AppWorld& world, int number)
      : world_(world), simulation_(world.simulation()), number_(number) {}

  void Run() {
    for (int i = 0; i < world_.scenario().operations; ++i) {
      simulation_.Sleep(static_cast<int64_t>(
          simulation_.Below(static_cast<uint64_t>(world_.scenario().pause_ms))));
      Operate();
    }
  }

 private:
  void Operate() {
    switch (simulation_.Below(13)) {
      case 0:
      case 1:
        return About("workspace.delete");
      case 2:
        return About("workspace.stop");
      case 3:
        return About("workspace.start");
      case 4:
        return About("command.run");
      case 5:
      case 6:
        return Cancel();
      case 7:
        return Retry();
      case 8:
        return Clean();
      case 9:
        return Update();
      default:
        return Create();
    }
  }

  std::string NextKey() {
    return "u" + std::to_string(number_) + "-" + std::to_string(++requests_);
  }

  void Create() {
    const std::string key = NextKey();
    a4cd::JobDraft draft;
    draft.type = "workspace.create";
    draft.payload = Json::Object{{"name", key},
                                 {"command", Json::Array{"sleep", "infinity"}},
                                 {"disk", (5 + static_cast<int64_t>(simulation_.Below(15))) * kGiB},
                                 {"memory", kGiB},
                                 {"cpu_millis", int64_t{500}}};
    if (Make(key, draft)) world_.workspaces().push_back(key);
  }

  const std::string* AnyOf(const std::vector<std::string>& list) {
    return list.empty() ? nullptr : &list[simulation_.Below(list.size())];
  }

  void About(const std::string& type) {
    const std::string* const name = AnyOf(world_.workspaces());
    if (name == nullptr) return Create();
    a4cd::JobDraft draft;
    draft.type = type;
    draft.payload = Json::Object{{"workspace", *name}};
    if (type == "command.run") draft.payload.AppendMember("command", Json::Array{"make"});
    Make(NextKey(), draft);
  }

  // More or less than it has; its disk only grows.
  void Update() {
    const std::string* const name = AnyOf(world_.workspaces());
    if (name == nullptr) return Create();
    a4cd::JobDraft draft;
    draft.type = "workspace.update";
    draft.payload = Json::Object{{"workspace", *name}};
    if (simulation_.Below(2) == 0) {
      draft.payload.AppendMember("memory", (1 + static_cast<int64_t>(simulation_.Below(3))) * kGiB);
    } else {
      draft.payload.AppendMember("disk", (5 + static_cast<int64_t>(simulation_.Below(20))) * kGiB);
    }
    Make(NextKey(), draft);
  }

  void Clean() {
    a4cd::JobDraft draft;
    draft.type = "host.cleanup";
    draft.payload = Json::Object{{"host", *AnyOf(world_.fleet().servers())}};
    Make(NextKey(), draft);
  }

  bool Make(const std::string& key, const a4cd::JobDraft& draft) {
    const auto made = Ask(world_, key, [&draft](a4cd::JobService& jobs, const Call& call) {
      return jobs.PrepareCreate(call, kUser, draft);
    });
    simulation_.Note(draft.type + (made ? ": job " + made->id : ": not made"));
    if (made) world_.jobs().push_back(made->id);
    return made.has_value();
  }

  void Cancel() {
    Change([](a4cd::JobService& jobs, const Call& call, const a4cd::Job& job) {
      return jobs.PrepareCancel(call, kUser, job);
    });
  }

  void Retry() {
    Change([](a4cd::JobService& jobs, const Call&, const a4cd::Job& job) {
      return jobs.PrepareRetry(kUser, job);
    });
  }

  template <typename Step>
  void Change(Step step) {
    // One of the last: it may be running.
    const std::vector<std::string>& jobs = world_.jobs();
    if (jobs.empty()) return;
    const std::string id =
        jobs[jobs.size() - 1 - simulation_.Below(std::min<size_t>(3, jobs.size()))];
    const auto made =
        Ask(world_, NextKey(),
            [&](a4cd::JobService& service, const Call& call) -> Result<a4cd::PreparedWrite> {
              A4C_TRY(const a4cd::Job job, service.Get(call, "acme", id));
              return step(service, call, job);
            });
    if (made) simulation_.Note("job " + id + " is " + made->view["state"].Text());
  }

  AppWorld& world_;
  Simulation& simulation_;
  const int number_;
  int requests_ = 0;
};

std::optional<a4cd::PreparedWrite> AskAt(AppInstance& instance, const Call& call,
                                         const std::string& key, const Prepare& prepare) {
  for (int decision = 0; decision < kDecisionsMax; ++decision) {
    auto write = prepare(instance.jobs(), call);
    if (!write) return std::nullopt;
    write->commit.idempotency = Idempotency{"acme", key, "hash", "answer"};
    const auto done = instance.database().Write(call, write->commit);
    if (!done) return std::nullopt;
    if (done->outcome == Committed::Outcome::kApplied) return *std::move(write);
    if (!write->decide_again) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<a4cd::PreparedWrite> Ask(AppWorld& world, const std::string& key,
                                       const Prepare& prepare) {
  AppInstance* const instance = world.AnyInstance();
  if (instance == nullptr) {
    world.simulation().Sleep(300);
    return std::nullopt;
  }
  try {
    const Simulation::In in(world.simulation(), &instance->process());
    return AskAt(*instance, Call::Within(instance->runtime().clock(), 5'000), key, prepare);
  } catch (const Crashed&) {
    return std::nullopt;
  }
}

void AppWorld::RunUser(int number) {
  User(*this, number).Run();
}

}  // namespace a4c::simulation
