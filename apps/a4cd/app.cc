#include "apps/a4cd/app.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "a4c/replicas.h"
#include "a4c/sinks.h"
#include "apps/a4cd/api/api.h"
#include "apps/a4cd/api/event_feed.h"
#include "apps/a4cd/api/server.h"
#include "apps/a4cd/api/stream_hub.h"
#include "apps/a4cd/auth/key_service.h"
#include "apps/a4cd/backends.h"
#include "apps/a4cd/hosts/host_gauges.h"
#include "apps/a4cd/index_start.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/loop_runner.h"
#include "apps/a4cd/secrets/secret_service.h"
#include "apps/a4cd/upkeep/clock_watch.h"
#include "apps/a4cd/upkeep/retention_loop.h"
#include "apps/a4cd/upkeep/singletons.h"
#include "apps/a4cd/work/job_gauges.h"
#include "apps/a4cd/worker.h"

namespace a4cd {

using a4c::Call;
using a4c::Code;
using a4c::Database;
using a4c::Error;
using a4c::Json;
using a4c::LogLevel;
using a4c::Result;

namespace {

constexpr int64_t kProbeTimeoutMs = 2'000;
constexpr int64_t kProbeKeptMs = 1'000;
constexpr int64_t kKeyWatchMinMs = 1'000;

// There before the key is made: a key that cannot be written down is one that nobody has, and it
// keeps a first one from being made again. Goes if nothing was written.
class KeyFile {
 public:
  explicit KeyFile(const std::string& path)
      : path_(path), fd_(open(path.c_str(), kFlags, 0600)), opened_(errno) {}
  ~KeyFile() {
    if (fd_ < 0) return;
    close(fd_);
    if (!is_written_) unlink(path_.c_str());
  }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;

  Result<void> Made() const {
    if (fd_ >= 0) return {};
    return Error(
        Code::kUnavailable, "the key file " + path_ + " cannot be made: " + std::strerror(opened_),
        opened_ == EEXIST ? "a file is there already: remove it, or keep using its key" : "");
  }
  Result<void> Write(const std::string& key) {
    const std::string line = key + "\n";
    is_written_ = write(fd_, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                  fsync(fd_) == 0;
    if (is_written_) return {};
    return Error(Code::kUnavailable, "the key file " + path_ + " cannot be written");
  }

 private:
  static constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  const std::string path_;
  const int fd_;
  const int opened_;
  bool is_written_ = false;
};

class RunningApp final : public App, public ProcessView {
 public:
  RunningApp(const Settings& settings, const a4c::Runtime& runtime, Metrics& metrics)
      : settings_(settings),
        runtime_(runtime),
        metrics_(metrics),
        ids_(runtime.clock, runtime.random),
        started_ms_(runtime.clock.MonotonicMs()),
        loops_(runtime) {}

  ~RunningApp() override { Drain(); }

  Result<void> Start() {
    A4C_TRY(backends_, LoadBackends(settings_, runtime_));
    a4c::DatabaseOptions options = settings_.database;
    A4C_TRY(options.index_identity, IndexIdentity(*backends_.plugins, settings_.search));
    database_.emplace(backends_.ForDatabase(), runtime_, options);
    A4C_CHECK(
        database_->Open(Call::Within(runtime_.clock, settings_.open_timeout_ms), AllCollections()));
    jobs_.emplace(*database_, runtime_, ids_, settings_.worker.work.context_wait_ms,
                  backends_.store->As<a4c::Replicas>());
    A4C_CHECK(OpenSecrets());
    if (backends_.hosts != nullptr) {
      A4C_TRY(const WorkerOptions of_worker, OptionsOfWorker());
      worker_.emplace(*database_, *backends_.store, *backends_.hosts, *jobs_, ids_, runtime_,
                      of_worker);
    }
    singletons_.emplace(*database_, *backends_.store, runtime_, ids_.Next(), settings_.singletons);
    keys_.emplace(*database_, runtime_, settings_.api.auth_cache_ms);
    clock_watch_.emplace(*database_, runtime_);
    if (!settings_.api.bootstrap_key_file.empty()) A4C_CHECK(WriteBootstrapKey());
    StartLoops();
    if (settings_.HasRole("api")) A4C_CHECK(StartApi());
    return {};
  }

  int port() const override { return server_ == nullptr ? 0 : server_->port(); }

  void Drain() override {
    std::call_once(drained_, [this] { DrainOnce(); });
  }

  std::string WhyNotReady(const Call& call, const std::string& role) override {
    if (draining_) return "draining";
    if (role.empty() || role == "api") return StoreTrouble(call);
    std::string trouble;
    for (const LoopHealth& loop : loops_.Health()) {
      if (loop.role == role && !loop.healthy) trouble += loop.name + ": " + loop.error + "; ";
    }
    if (role == "sync") trouble += LagTrouble(call);
    if (!trouble.empty()) return trouble.substr(0, trouble.size() - 2);
    return settings_.HasRole(role) ? "" : "this process does not have the role " + role;
  }

  Json Status(const Call& call) override {
    Json status(Json::Object{{"version", A4C_VERSION}});
    Json roles(Json::Array{});
    for (const std::string& role : settings_.roles) roles.Append(role);
    status.AppendMember("roles", std::move(roles));
    status.AppendMember("uptime_ms", runtime_.clock.MonotonicMs() - started_ms_);
    const std::string trouble = WhyNotReady(call, "");
    status.AppendMember("ready", trouble.empty());
    if (!trouble.empty()) status.AppendMember("not_ready_because", trouble);
    if (const std::optional<int64_t> ahead_ms = clock_watch_->AheadMs()) {
      status.AppendMember("clock_ahead_ms", *ahead_ms);
    }
    status.AppendMember("backends", Json::Object{{"store", settings_.store.plugin},
                                                 {"bus", settings_.bus.plugin},
                                                 {"search", settings_.search.plugin},
                                                 {"hosts", settings_.hosts.plugin}});
    status.AppendMember("plugins", PluginsJson());
    status.AppendMember("loops", LoopsJson());
    status.AppendMember("search", SearchJson(call));
    return status;
  }

  std::string MetricsText() override { return metrics_.Text(); }

 private:
  Result<void> WriteBootstrapKey() {
    const Call call = Call::Within(runtime_.clock, settings_.open_timeout_ms);
    A4C_TRY(const bool has_one, keys_->HasAny(call));
    if (has_one) {
      runtime_.log.Write(LogLevel::kInfo, "a4cd",
                         "there are API keys: api.bootstrap_key_file is left as it is",
                         {{"file", settings_.api.bootstrap_key_file}});
      return {};
    }
    KeyFile file(settings_.api.bootstrap_key_file);
    A4C_CHECK(file.Made());
    A4C_TRY(const std::optional<std::string> key, keys_->Bootstrap(call, kDefaultTenant));
    if (!key) return {};
    A4C_CHECK(file.Write(*key));
    runtime_.log.Write(LogLevel::kInfo, "a4cd", "the first API key was made",
                       {{"file", settings_.api.bootstrap_key_file}});
    return {};
  }

  Result<WorkerOptions> OptionsOfWorker() {
    WorkerOptions options = settings_.worker;
    options.secrets = &*secrets_;
    int64_t& memory = options.placement.defaults.memory_bytes;
    if (memory == 0) {
      A4C_TRY(memory, MemoryOfUnnamed(*backends_.plugins, settings_.hosts));
    }
    return options;
  }

  Result<void> OpenSecrets() {
    std::shared_ptr<const SecretBox> box;
    if (!settings_.secrets_key_file.empty()) {
      A4C_TRY(SecretBox read, SecretBox::Read(settings_.secrets_key_file));
      box = std::make_shared<const SecretBox>(std::move(read));
    }
    secrets_.emplace(*database_, runtime_, std::move(box));
    return {};
  }

  void StartLoops() {
    const std::string& kind = JobKind().name;
    loops_.Start("upkeep", clock_watch_->NewLoop());
    if (worker_ && settings_.HasRole("worker")) {
      for (auto& loop : worker_->NewWorkLoops()) loops_.Start("worker", std::move(loop));
      for (auto& loop : worker_->NewSingletons()) StartSingleton("worker", std::move(loop));
    }
    if (worker_) {
      loops_.Start("hosts", worker_->NewEnrolmentLoop());
      loops_.Start("hosts", worker_->NewTokenLoop());
      loops_.Start("hosts", NewHostGauges(*database_, runtime_, settings_.worker.disks.period_ms));
      loops_.Start("hosts", NewJobGauges(*database_, runtime_));
    }
    if (settings_.HasRole("poller")) {
      StartSingleton("poller", NewRetentionLoop(*database_, runtime_, settings_.retention));
      StartSingleton("poller", database_->NewPurgeLoop(kind));
    }
    if (backends_.index == nullptr) return;
    loops_.Start("sync",
                 NewIndexStart(*database_, *backends_.index, settings_.index_start, runtime_));
    if (settings_.HasRole("sync")) loops_.Start("sync", database_->NewSyncLoop(kind));
    if (settings_.HasRole("poller")) {
      const int parts = settings_.poll_loops;
      for (int part = 0; part < parts; ++part) {
        loops_.Start("poller", database_->NewPollLoop(kind, part, parts));
      }
      loops_.Start("poller", database_->NewVerifyLoop(kind));
      loops_.Start("poller", database_->NewRepairLoop(kind));
      loops_.Start("poller", database_->NewRebuildLoop(kind));
      loops_.Start("poller", database_->NewStatusLoop(kind));
    }
    if (backends_.bus == nullptr) {
      runtime_.log.Write(LogLevel::kInfo, "a4cd",
                         "no bus: searches lag behind writes by up to the poller's period",
                         {{"poll_period_ms", std::to_string(settings_.database.poll_period_ms)}});
    }
  }

  void StartSingleton(const std::string& role, std::unique_ptr<a4c::Loop> loop) {
    loops_.Start(role, singletons_->Wrap(std::move(loop)));
  }

  Result<void> StartApi() {
    feed_.emplace(
        *database_, runtime_,
        EventFeedOptions{
            .part_bytes_max = static_cast<size_t>(settings_.api.stream_buffer_bytes_max),
            .scan_period_ms = backends_.bus == nullptr ? 0 : settings_.api.events_scan_ms});
    if (backends_.bus != nullptr) {
      loops_.Start("api", feed_->NewTail(*backends_.bus, "job-sync", "a4c-events-" + ids_.Next()));
    }
    key_watch_.emplace(*keys_, std::max(kKeyWatchMinMs, settings_.api.auth_cache_ms));
    loops_.Start("api", key_watch_->NewLoop());
    context_.reset(new ApiContext{
        runtime_, settings_.api, *database_, *jobs_, *keys_, *key_watch_, *secrets_,
        backends_.hosts.get(), *feed_, *this, ids_,
        RateLimiter(runtime_.clock, settings_.api.rate_per_s, settings_.api.rate_burst),
        InFlight(runtime_), worker_ ? &*worker_ : nullptr});
    api_.emplace(*context_);
    streams_ = NewStreamHub(runtime_, {.buffer_bytes_max = settings_.api.stream_buffer_bytes_max,
                                       .answers_bytes_max = settings_.api.slow_answers_bytes_max,
                                       .stall_ms = settings_.api.request_timeout_ms,
                                       .period_ms = settings_.api.events_period_ms});
    sessions_ = NewSessionHub(runtime_);
    A4C_TRY(server_, StartApiServer(runtime_, settings_.api, *api_, *streams_, *sessions_));
    runtime_.log.Write(LogLevel::kInfo, "api", "listening",
                       {{"listen", settings_.api.listen}, {"port", std::to_string(port())}});
    return {};
  }

  void DrainOnce() {
    const int64_t deadline_ms = runtime_.clock.MonotonicMs() + settings_.drain_timeout_ms;
    runtime_.log.Write(LogLevel::kInfo, "a4cd", "draining", {});
    if (server_ != nullptr) StopServing(deadline_ms);
    loops_.Stop();
    FlushBus(deadline_ms);
    server_.reset();
    streams_.reset();
    runtime_.log.Write(LogLevel::kInfo, "a4cd", "drained", {});
  }

  void StopServing(int64_t deadline_ms) {
    server_->SendAway();
    draining_ = true;
    Pause(std::min(deadline_ms, runtime_.clock.MonotonicMs() + settings_.drain_not_ready_ms));
    server_->StopAccepting();
    sessions_->End();
    const int left = server_->WaitIdle(deadline_ms);
    const int unsent = streams_->AwaitAnswers(deadline_ms);
    streams_->Close();
    if (worker_) worker_->StopBuilds();
    if (left + unsent == 0) return;
    runtime_.log.Write(LogLevel::kWarning, "api", "requests were not done in time",
                       {{"requests", std::to_string(left + unsent)}});
  }

  void FlushBus(int64_t deadline_ms) {
    if (backends_.bus == nullptr) return;
    const Result<int64_t> left = backends_.bus->Flush(Call{runtime_.clock, deadline_ms});
    if (left && *left == 0) return;
    runtime_.log.Write(LogLevel::kWarning, "a4cd",
                       "not all hints reached the bus: the poller finds them",
                       {{"left", left ? std::to_string(*left) : left.error().ToString()}});
  }

  void Pause(int64_t until_ms) {
    const std::unique_ptr<a4c::Waiter> waiter = runtime_.threads.NewWaiter();
    a4c::Waiter::Lock lock(*waiter);
    while (runtime_.clock.MonotonicMs() < until_ms) waiter->Wait(until_ms);
  }

  // The bus or the index may be in trouble that no loop of ours sees: what lags, says so.
  std::string LagTrouble(const Call& call) {
    if (backends_.index == nullptr) return "";
    const Result<int64_t> lag_ms = database_->LagMs(call, JobKind().name);
    if (!lag_ms) return "the lag cannot be read: " + lag_ms.error().ToString() + "; ";
    if (*lag_ms <= settings_.ready_lag_max_ms) return "";
    return "a change has waited for " + std::to_string(*lag_ms) + " ms, more than " +
           std::to_string(settings_.ready_lag_max_ms) + " ms; ";
  }

  // Reads a record that need not be there; the answer is kept for a second, for eager probes.
  std::string StoreTrouble(const Call& call) {
    {
      std::lock_guard lock(probe_mutex_);
      if (runtime_.clock.MonotonicMs() < probe_until_ms_) return probe_;
    }
    const a4c::RecordRef ref{TenantKind().name, {"", "probe"}};
    Call bounded = call;
    bounded.deadline_ms =
        std::min(call.deadline_ms, runtime_.clock.MonotonicMs() + kProbeTimeoutMs);
    const Result<a4c::GetAnswer> answer = database_->Get(bounded, std::span(&ref, 1));
    std::lock_guard lock(probe_mutex_);
    probe_ = answer ? "" : "store: " + answer.error().ToString();
    probe_until_ms_ = runtime_.clock.MonotonicMs() + kProbeKeptMs;
    return probe_;
  }

  Json PluginsJson() const {
    Json list(Json::Array{});
    for (const a4c::PluginHealth& plugin : backends_.plugins->Health()) {
      Json item(Json::Object{{"name", plugin.name}, {"healthy", plugin.healthy}});
      if (!plugin.reason.empty()) item.AppendMember("reason", plugin.reason);
      list.Append(std::move(item));
    }
    return list;
  }

  Json LoopsJson() const {
    Json list(Json::Array{});
    for (const LoopHealth& loop : loops_.Health()) {
      Json item(Json::Object{{"name", loop.name}, {"role", loop.role}, {"healthy", loop.healthy}});
      if (!loop.error.empty()) item.AppendMember("error", loop.error);
      list.Append(std::move(item));
    }
    return list;
  }

  Json SearchJson(const Call& call) {
    if (backends_.index == nullptr) return Json::Object{{"available", false}};
    const Result<a4c::Found> found =
        database_->Search(call, {.request = {.kind = JobKind(), .limit = 1}});
    if (!found) return Json::Object{{"available", false}, {"error", found.error().ToString()}};
    Json search(Json::Object{{"available", true}, {"lag_ms", found->lag_ms}});
    const auto dead = database_->DeadLetters(call, JobKind().name);
    if (!dead) return search;
    search.AppendMember("dead_letters", static_cast<int64_t>(dead->letters.size()));
    search.AppendMember("dead_letters_more", !dead->next.empty());
    return search;
  }

  const Settings settings_;
  const a4c::Runtime runtime_;
  Metrics& metrics_;
  a4c::IdSource ids_;
  const int64_t started_ms_;
  std::atomic<bool> draining_{false};
  std::once_flag drained_;
  std::mutex probe_mutex_;
  std::string probe_;  // guarded by probe_mutex_
  int64_t probe_until_ms_ = INT64_MIN;
  // In the order in which they need one another: the last is destroyed first.
  LoadedBackends backends_;
  std::optional<Database> database_;
  std::optional<JobService> jobs_;
  std::optional<Worker> worker_;  // nothing: there is no host provider
  std::optional<Singletons> singletons_;
  std::optional<ClockWatch> clock_watch_;
  std::optional<KeyService> keys_;
  std::optional<KeyWatch> key_watch_;
  std::optional<SecretService> secrets_;
  std::optional<EventFeed> feed_;
  std::unique_ptr<ApiContext> context_;
  std::optional<Api> api_;
  LoopRunner loops_;
  std::unique_ptr<StreamHub> streams_;
  std::unique_ptr<SessionHub> sessions_;
  std::unique_ptr<ApiServer> server_;
};

}  // namespace

Result<std::unique_ptr<App>> App::Start(const Settings& settings, const a4c::Runtime& runtime,
                                        Metrics& metrics) {
  auto app = std::make_unique<RunningApp>(settings, runtime, metrics);
  A4C_CHECK(app->Start());
  return std::unique_ptr<App>(std::move(app));
}

Result<std::string> MakeFirstKey(const Settings& settings, const a4c::Runtime& runtime,
                                 KeyService::Again again) {
  Settings store_only = settings;
  store_only.bus.plugin = "none";
  store_only.search.plugin = "none";
  store_only.hosts.plugin = "none";
  A4C_TRY(const LoadedBackends backends, LoadBackends(store_only, runtime));
  const Call call = Call::Within(runtime.clock, settings.open_timeout_ms);
  Database database(backends.ForDatabase(), runtime, settings.database);
  A4C_CHECK(database.Open(call, AllCollections()));
  KeyService keys(database, runtime, 0);
  A4C_TRY(const std::optional<std::string> key, keys.Bootstrap(call, kDefaultTenant, again));
  if (key) return *key;
  return Error(Code::kConflict, "there are API keys already",
               "use one of them to make another: a4c key create; if none that can is left: a4cd "
               "bootstrap-key --again");
}

Result<void> MakeFirstKeyFile(const Settings& settings, const a4c::Runtime& runtime,
                              KeyService::Again again) {
  KeyFile file(settings.api.bootstrap_key_file);
  A4C_CHECK(file.Made());
  A4C_TRY(const std::string key, MakeFirstKey(settings, runtime, again));
  return file.Write(key);
}

}  // namespace a4cd
