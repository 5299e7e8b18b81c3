#include "docker_server.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace a4c::baremetal {
namespace {

constexpr size_t kDiskOutputBytesMax = 16u << 10;
constexpr int64_t kMillisPerCpu = 1000;

SshTarget TargetOf(const ServerOptions& server, const BaremetalOptions& options) {
  return {.address = server.address,
          .port = server.port,
          .user = server.user,
          .host_key_fingerprint = server.host_key_fingerprint,
          .private_key_path = server.private_key_path,
          .connect_timeout_ms = options.connect_timeout_ms,
          .keepalive_interval_ms = options.keepalive_interval_ms};
}

bool IsPlainPath(std::string_view path) {
  return path.starts_with("/") && std::ranges::all_of(path, [](unsigned char c) {
           return (c < 0x80 && std::isalnum(c) != 0) || c == '/' || c == '.' || c == '_' ||
                  c == '-';
         });
}

}  // namespace

DockerServer::DockerServer(const Runtime& runtime, ServerOptions server,
                           const BaremetalOptions& options)
    : clock_(runtime.clock),
      server_(std::move(server)),
      connect_timeout_ms_(options.connect_timeout_ms),
      reply_bytes_max_(options.reply_bytes_max),
      pool_(runtime, TargetOf(server_, options),
            {.sessions_max = options.sessions_max, .idle_max_ms = options.session_idle_max_ms}),
      waiter_(runtime.threads.NewWaiter()),
      last_{.id = server_.id} {}

Result<std::unique_ptr<ByteChannel>> DockerServer::OpenChannel(const Call& call,
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

Result<DockerLink> DockerServer::Open(const Call& call) {
  while (true) {
    auto session = pool_.Take(call);
    if (!session) return session.error().Within("server " + server_.id);
    Call bounded = call;
    bounded.deadline_ms =
        std::min(call.deadline_ms, call.clock.MonotonicMs() + connect_timeout_ms_);
    auto channel = OpenChannel(bounded, **session);
    if (channel) {
      return DockerLink(*std::move(session),
                        std::make_unique<DockerConnection>(*std::move(channel), reply_bytes_max_));
    }
    // A connection that was kept may have died since; a fresh one may not.
    const bool stale = !session->fresh() && !(*session)->Usable();
    if (stale && !call.Expired() && !call.Stopping()) continue;
    const Error& error = channel.error();
    const bool slow = error.code() == Code::kTimeout && !call.Expired();
    return Error(slow ? Code::kUnavailable : error.code(), error.message(), error.hint())
        .Within("server " + server_.id);
  }
}

Result<std::string> DockerServer::DiskOutput(const Call& call, const std::string& path) {
  if (!IsPlainPath(path)) {
    return Error(Code::kUnavailable, "dockerd keeps its data at an odd path",
                 "set disk_path of the server");
  }
  A4C_TRY(SshPool::Lent session, pool_.Take(call));
  A4C_TRY(const auto channel,
          session->OpenCommand(call, "df -B1 --output=size,used,avail " + path));
  std::string output;
  char piece[1024];
  while (output.size() < kDiskOutputBytesMax) {
    A4C_TRY(const size_t count, channel->Read(call, piece, sizeof(piece)));
    if (count == 0) break;
    output.append(piece, count);
  }
  return output.empty() ? "df: " + channel->Complaint() : output;
}

Result<Host> ReadDiskFigures(const std::string& output) {
  const size_t head_end = output.find('\n');
  std::istringstream numbers(head_end == std::string::npos ? "" : output.substr(head_end));
  Host host;
  if (numbers >> host.disk_total_bytes >> host.disk_used_bytes >> host.disk_free_bytes) return host;
  return Error(Code::kUnavailable, "df gave no figures: " + output.substr(0, 200));
}

Result<Host> DockerServer::Read(const Call& call) {
  Json info;
  {
    A4C_TRY(DockerLink docker, Open(call));
    A4C_TRY(info, docker->ExchangeJson(call, {.method = "GET", .target = "/info"}));
  }
  const std::string& path =
      server_.disk_path.empty() ? info["DockerRootDir"].Text() : server_.disk_path;
  A4C_TRY(const std::string output, DiskOutput(call, path));
  A4C_TRY(Host host, ReadDiskFigures(output));
  host.id = server_.id;
  host.reachable = true;
  host.memory_total_bytes = info["MemTotal"].Int();
  host.cpu_total_millis = info["NCPU"].Int() * kMillisPerCpu;
  return host;
}

Host DockerServer::Measure(const Call& call) {
  auto read = Read(call);
  Waiter::Lock lock(*waiter_);
  const int64_t now_ms = clock_.MonotonicMs();
  if (read) {
    last_ = *std::move(read);
    last_read_ms_ = now_ms;
  } else {
    last_.reachable = false;
    last_.reason = read.error().ToString();
  }
  last_.age_ms = last_read_ms_ == 0 ? 0 : now_ms - last_read_ms_;
  return last_;
}

}  // namespace a4c::baremetal
