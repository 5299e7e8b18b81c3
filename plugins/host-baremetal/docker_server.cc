#include "docker_server.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include "a4c/sinks.h"
#include "helper_client.h"
#include "ssh/socket.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kDiskOutputBytesMax = 16u << 10;
constexpr int64_t kMillisPerCpu = 1000;
// dockerd starts a program or two to answer what it runs containers with.
constexpr int64_t kFactsAgeMaxMs = 60'000;
// One that was used so recently is alive if nothing came since.
constexpr int64_t kSurelyAliveMs = 5'000;
// a4c-host serves as long as its connection lasts, and one that was installed since only on
// another.
constexpr int64_t kHelperAgeMaxMs = 60'000;

SshTarget TargetOf(const ServerOptions& server, int64_t connect_timeout_ms,
                   int64_t keepalive_interval_ms) {
  return {.address = server.address,
          .port = server.port,
          .user = server.user,
          .host_key_fingerprint = server.host_key_fingerprint,
          .private_key_path = server.private_key_path,
          .agent = server.agent,
          .agent_key = server.agent_key,
          .connect_timeout_ms = connect_timeout_ms,
          .keepalive_interval_ms = keepalive_interval_ms,
          .jump = server.jump};
}

bool IsPlainPath(std::string_view path) {
  return path.starts_with("/") && std::ranges::all_of(path, [](unsigned char c) {
           return (c < 0x80 && std::isalnum(c) != 0) || c == '/' || c == '.' || c == '_' ||
                  c == '-';
         });
}

// What needs a4c-host.
std::map<std::string, std::string> AbsentOf(const ServerOptions& server) {
  if (server.helper) return {};
  const std::string reason = "a4c-host is not installed there";
  return {{"fencing", reason}, {"disk_limit", reason}, {"incarnation_check", reason}};
}

Result<Host> LocalDisk(const std::string& path) {
  struct statvfs figures {};
  if (statvfs(path.c_str(), &figures) != 0) {
    return Error(Code::kUnavailable, path + ": " + std::strerror(errno));
  }
  const auto block = static_cast<int64_t>(figures.f_frsize);
  return Host{.id = {},
              .disk_total_bytes = static_cast<int64_t>(figures.f_blocks) * block,
              .disk_used_bytes = static_cast<int64_t>(figures.f_blocks - figures.f_bfree) * block,
              .disk_free_bytes = static_cast<int64_t>(figures.f_bavail) * block,
              .inodes_total = static_cast<int64_t>(figures.f_files),
              .inodes_free = static_cast<int64_t>(figures.f_favail)};
}

}  // namespace

DockerServer::DockerServer(const Runtime& runtime, ServerOptions server,
                           const BaremetalOptions& options)
    : runtime_(runtime),
      server_(std::move(server)),
      connect_timeout_ms_(options.connect_timeout_ms),
      keepalive_interval_ms_(options.keepalive_interval_ms),
      reply_bytes_max_(options.reply_bytes_max),
      clock_difference_max_ms_(options.clock_difference_max_ms),
      wrap_channel_(options.wrap_channel),
      breaker_(runtime, {.failures_max = options.breaker_failures,
                         .wait_max_ms = options.reconnect_wait_max_ms}),
      requests_(runtime,
                {.routes_max = options.sessions_max, .idle_max_ms = options.session_idle_max_ms},
                [this](const Call& call) { return Connect(call); }),
      streams_(runtime,
               {.routes_max = options.streams_max, .idle_max_ms = options.session_idle_max_ms},
               [this](const Call& call) { return Connect(call); }),
      terminals_(runtime,
                 {.routes_max = options.terminals_max,
                  .idle_max_ms = options.session_idle_max_ms,
                  .wait = false},
                 [this](const Call& call) { return Connect(call); }),
      waiter_(runtime.threads.NewWaiter()),
      last_{.id = server_.id, .absent = AbsentOf(server_)} {}

// A session that was kept may have died since; a fresh one may not.
bool DockerServer::IsStale(RoutePool::Lent& route) {
  return !route.fresh() && route->session != nullptr && !route->session->Usable();
}

Result<std::unique_ptr<SshSession>> DockerServer::Connect(const Call& call) {
  if (server_.IsLocal()) return std::unique_ptr<SshSession>();
  A4C_CHECK(breaker_.Allow());
  ForeignKey foreign;
  auto session =
      ConnectSsh(call, TargetOf(server_, connect_timeout_ms_, keepalive_interval_ms_), &foreign);
  if (session) {
    breaker_.Succeeded();
  } else if (!foreign.shown.empty()) {
    breaker_.Quarantine(session.error(), foreign);
    runtime_.log.Write(LogLevel::kError, "hosts", "a server is in quarantine: its host key changed",
                       {{"host", server_.id}, {"error", session.error().message()}});
  } else {
    breaker_.Failed(session.error());
  }
  return session;
}

Result<std::unique_ptr<ByteChannel>> DockerServer::OpenDocker(const Call& call,
                                                              SshSession& session) {
  if (!socket_refused_) {
    auto channel = session.OpenSocket(call, server_.docker_socket);
    if (channel || !session.Usable()) return channel;
    // A socket that is only missing now is asked for again next time.
    if (channel.error().message().find("prohibited") != std::string::npos) socket_refused_ = true;
  }
  return session.OpenCommand(call,
                             "docker -H unix://" + server_.docker_socket + " system dial-stdio");
}

Result<std::unique_ptr<ByteChannel>> DockerServer::OpenChannel(const Call& call,
                                                               SshSession* session, Peer peer) {
  if (session == nullptr) return ConnectLocal(call, server_.LocalPath());
  if (peer == Peer::kHelper) return session->OpenCommand(call, kHelperCommand);
  return OpenDocker(call, *session);
}

Result<void> DockerServer::OpenConnection(const Call& call, Route& route, Peer peer) {
  route.connection.reset();  // one channel at a time
  route.peer = Peer::kNone;
  Call bounded = call;
  bounded.deadline_ms = std::min(call.deadline_ms, call.clock.MonotonicMs() + connect_timeout_ms_);
  auto channel = OpenChannel(bounded, route.session.get(), peer);
  if (!channel) {
    const Error& error = channel.error();
    const bool slow = error.code() == Code::kTimeout && !call.Expired();
    return Error(slow ? Code::kUnavailable : error.code(), error.message(), error.hint());
  }
  auto carrier = *std::move(channel);
  if (wrap_channel_) carrier = wrap_channel_(server_.id, std::move(carrier));
  route.connection = std::make_unique<DockerConnection>(std::move(carrier), reply_bytes_max_);
  route.peer = peer;
  route.opened_ms = runtime_.clock.MonotonicMs();
  return {};
}

void DockerServer::ForgetHelper() {
  helper_since_ms_ = runtime_.clock.MonotonicMs() + 1;
}

bool DockerServer::IsOutdated(const Route& route) const {
  if (route.peer != Peer::kHelper) return false;
  return route.opened_ms < helper_since_ms_ ||
         runtime_.clock.MonotonicMs() - route.opened_ms >= kHelperAgeMaxMs;
}

// A kept connection may have died since. One that was silent for a while is asked.
bool DockerServer::IsAlive(const Call& call, Route& route) const {
  if (!route.connection->Alive()) return false;
  if (call.clock.MonotonicMs() - route.used_ms < kSurelyAliveMs) return true;
  Call bounded = call;
  bounded.deadline_ms = std::min(call.deadline_ms, call.clock.MonotonicMs() + connect_timeout_ms_);
  const auto answer = route.connection->Exchange(bounded, {.method = "GET", .target = "/_ping"});
  return answer && answer->ok();
}

Result<DockerLink> DockerServer::OpenTo(const Call& call, RoutePool& pool, Peer peer, bool wait) {
  while (true) {
    auto route = pool.Take(call, peer, wait);
    if (!route) return route.error().Within("server " + server_.id);
    if ((*route)->peer == peer && !IsOutdated(**route) && IsAlive(call, **route)) {
      return DockerLink(*std::move(route));
    }
    const auto opened = OpenConnection(call, **route, peer);
    if (opened) return DockerLink(*std::move(route));
    if (!IsStale(*route) || call.Expired() || call.Stopping()) {
      return opened.error().Within("server " + server_.id);
    }
  }
}

Result<DockerLink> DockerServer::Open(const Call& call) {
  return OpenTo(call, requests_, Peer::kDocker);
}

Result<DockerLink> DockerServer::OpenIfFree(const Call& call) {
  return OpenTo(call, requests_, Peer::kDocker, /*wait=*/false);
}

Result<DockerLink> DockerServer::OpenStream(const Call& call) {
  return OpenTo(call, streams_, Peer::kDocker);
}

Result<DockerLink> DockerServer::OpenForTerminal(const Call& call) {
  return OpenTo(call, terminals_, Peer::kDocker);
}

Result<ChannelLink> DockerServer::OpenBare(const Call& call, RoutePool& pool, const Opener& open) {
  while (true) {
    auto route = pool.Take(call, Peer::kNone);
    if (!route) return route.error().Within("server " + server_.id);
    ChannelLink link{std::make_unique<RoutePool::Lent>(*std::move(route)), nullptr};
    Route& way = **link.route;
    way.connection.reset();  // one channel at a time
    way.peer = Peer::kNone;
    auto channel = open(*way.session);
    if (!channel && IsStale(*link.route) && !call.Expired() && !call.Stopping()) continue;
    if (!channel) return channel.error();
    link.channel = *std::move(channel);
    return link;
  }
}

Result<ChannelLink> DockerServer::OpenPort(const Call& call, const std::string& address, int port) {
  if (server_.IsLocal()) {
    A4C_TRY(Socket socket, ConnectTcp(call, address, port, keepalive_interval_ms_));
    return ChannelLink{nullptr, NewSocketChannel(std::move(socket))};
  }
  return OpenBare(call, terminals_, [&](SshSession& session) {
    auto channel = session.OpenPort(call, address, port);
    if (channel) return channel;
    return Result<std::unique_ptr<ByteChannel>>(Error(
        channel.error().code(), "port " + std::to_string(port) + ": " + channel.error().message(),
        "does something listen there, on all addresses?"));
  });
}

Result<DockerLink> DockerServer::OpenForUnits(const Call& call) {
  return OpenTo(call, requests_, server_.helper ? Peer::kHelper : Peer::kDocker);
}

std::string DockerServer::token() const {
  Waiter::Lock lock(*waiter_);
  return token_;
}

void DockerServer::SetToken(const std::string& token) {
  Waiter::Lock lock(*waiter_);
  token_ = token;
}

Result<std::string> DockerServer::DiskOutput(const Call& call, const std::string& path) {
  A4C_TRY(const ChannelLink link, OpenBare(call, requests_, [&](SshSession& session) {
            return session.OpenCommand(call,
                                       "df -B1 --output=size,used,avail,itotal,iavail " + path);
          }));
  std::string output;
  char piece[1024];
  while (output.size() < kDiskOutputBytesMax) {
    A4C_TRY(const size_t count, link.channel->Read(call, piece, sizeof(piece)));
    if (count == 0) break;
    output.append(piece, count);
  }
  return output.empty() ? "df: " + link.channel->Complaint() : output;
}

Result<Host> ReadDiskFigures(const std::string& output) {
  const size_t head_end = output.find('\n');
  std::istringstream numbers(head_end == std::string::npos ? "" : output.substr(head_end));
  Host host;
  if (!(numbers >> host.disk_total_bytes >> host.disk_used_bytes >> host.disk_free_bytes)) {
    return Error(Code::kUnavailable, "df gave no figures: " + output.substr(0, 200));
  }
  // "-" where a file system does not count them.
  if (!(numbers >> host.inodes_total >> host.inodes_free)) host.inodes_total = host.inodes_free = 0;
  return host;
}

Result<Host> DockerServer::ReadDiskOf(const Call& call, const std::string& path) {
  if (!IsPlainPath(path)) {
    return Error(Code::kUnavailable, "dockerd keeps its data at an odd path",
                 "set disk_path of the server");
  }
  if (server_.helper) {
    A4C_TRY(DockerLink docker, OpenForUnits(call));
    return ReadDisk(call, *docker, path);
  }
  if (server_.IsLocal()) return LocalDisk(path);
  A4C_TRY(const std::string output, DiskOutput(call, path));
  return ReadDiskFigures(output);
}

Result<EngineFacts> DockerServer::ReadFacts(const Call& call, DockerConnection& docker) {
  const int64_t now_ms = runtime_.clock.MonotonicMs();
  {
    Waiter::Lock lock(*waiter_);
    if (facts_read_ms_ != 0 && now_ms - facts_read_ms_ < kFactsAgeMaxMs) return facts_;
  }
  A4C_TRY(const Json version, docker.ExchangeJson(call, {.method = "GET", .target = "/version"}));
  Waiter::Lock lock(*waiter_);
  facts_ = ReadEngineFacts(version);
  facts_read_ms_ = now_ms;
  return facts_;
}

Result<void> DockerServer::CheckEngine(const Call& call) {
  A4C_TRY(DockerLink docker, OpenForUnits(call));
  A4C_TRY(const EngineFacts facts, ReadFacts(call, *docker));
  return CheckEngineApi(facts);
}

// One that speaks otherwise may have been replaced since.
Result<void> DockerServer::CheckHelperOf(const Call& call, DockerLink& docker) {
  auto checked = CheckHelper(call, *docker);
  if (!checked && checked.error().code() == Code::kUnsupported) ForgetHelper();
  return checked;
}

Result<Host> DockerServer::Read(const Call& call) {
  EngineFacts facts;
  Json info;
  int64_t asked_ms = 0;
  int64_t answered_ms = 0;
  {
    A4C_TRY(DockerLink docker, OpenForUnits(call));
    if (docker.helper()) A4C_CHECK(CheckHelperOf(call, docker));
    A4C_TRY(facts, ReadFacts(call, *docker));
    asked_ms = runtime_.clock.NowMs();
    A4C_TRY(info, docker->ExchangeJson(call, {.method = "GET", .target = "/info"}));
    answered_ms = runtime_.clock.NowMs();
  }
  const std::string path =
      server_.disk_path.empty() ? info["DockerRootDir"].Text() : server_.disk_path;
  A4C_TRY(Host host, ReadDiskOf(call, path));
  host.id = server_.id;
  host.reachable = true;
  host.memory_total_bytes = info["MemTotal"].Int();
  host.cpu_total_millis = info["NCPU"].Int() * kMillisPerCpu;
  host.absent = AbsentOf(server_);
  host.arch = std::move(facts.arch);
  host.warnings = VersionWarnings(facts.versions);
  if (const auto fit = CheckEngineApi(facts); !fit) {
    host.warnings.push_back(fit.error().message() + ": " + fit.error().hint());
  }
  host.versions = std::move(facts.versions);
  const std::string clock =
      ClockWarning(info["SystemTime"].Text(), asked_ms, answered_ms, clock_difference_max_ms_);
  for (const std::string& warning : {clock, LiveRestoreWarning(info)}) {
    if (!warning.empty()) host.warnings.push_back(warning);
  }
  return host;
}

Host DockerServer::Measure(const Call& call) {
  // One that hangs must not take the time of the others.
  Call bounded = call;
  bounded.deadline_ms = std::min(call.deadline_ms, call.clock.MonotonicMs() + connect_timeout_ms_);
  auto read = Read(bounded);
  Waiter::Lock lock(*waiter_);
  const int64_t now_ms = runtime_.clock.MonotonicMs();
  if (read) {
    last_ = *std::move(read);
    last_read_ms_ = now_ms;
  } else {
    last_.reachable = false;
    last_.reason = read.error().ToString();
    const ForeignKey foreign = breaker_.Foreign();
    last_.pinned_fingerprint = foreign.pinned;
    last_.shown_fingerprint = foreign.shown;
  }
  last_.age_ms = last_read_ms_ == 0 ? 0 : now_ms - last_read_ms_;
  return last_;
}

}  // namespace a4c::baremetal
