#include "memory/memory_host_state.h"

#include <algorithm>

#include "memory/memory_host_images.h"

namespace a4c::memory {
namespace {

constexpr int64_t kLogBytesMax = 1 << 20;

void TakeOutput(MemoryUnit& unit, int64_t elapsed_ms) {
  auto& output = unit.run.output;
  for (; unit.output_taken < output.size() && output[unit.output_taken].at_ms <= elapsed_ms;
       ++unit.output_taken) {
    const auto& piece = output[unit.output_taken];
    unit.log_times.emplace_back(unit.started_at_ms + piece.at_ms,
                                unit.log_start + static_cast<int64_t>(unit.log.size()));
    unit.log += piece.text;
  }
  const int64_t excess = static_cast<int64_t>(unit.log.size()) - kLogBytesMax;
  if (excess <= 0) return;
  unit.log.erase(0, static_cast<size_t>(excess));
  unit.log_start += excess;
  const auto kept = std::ranges::lower_bound(unit.log_times, unit.log_start, {},
                                             &std::pair<int64_t, int64_t>::second);
  unit.log_times.erase(unit.log_times.begin(), kept);
}

}  // namespace

void Settle(MemoryUnit& unit, int64_t now_mono_ms) {
  if (unit.state != UnitState::kRunning) return;
  const int64_t elapsed = now_mono_ms - unit.started_mono_ms;
  TakeOutput(unit, elapsed);
  if (elapsed < unit.run.ends_ms) return;
  unit.state = UnitState::kStopped;
  unit.exit_code = unit.run.exit_code;
}

std::string WhyForeign(const MemoryServer& server) {
  return server.options.id + " shows the fingerprint " + server.foreign_key + ", pinned is " +
         server.spec->fingerprint + "; nothing was sent";
}

MemoryServer NewServer(const MemoryHostOptions::Server& options) {
  const ImageInfo first{kFirstImage, "sha256:" + std::string(64, '0'), 0};
  return {.options = options, .images = {{kFirstImage, first}}};
}

MemoryHosts::MemoryHosts(const Runtime& given, const MemoryHostOptions& options)
    : runtime(given), waiter(given.threads.NewWaiter()) {
  for (const auto& server : options.servers) servers[server.id] = NewServer(server);
}

Result<MemoryServer*> MemoryHosts::FindAny(const Call& call, const std::string& host) {
  if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
  if (call.Expired()) return Error(Code::kTimeout, "no time left");
  const auto found = servers.find(host);
  if (found == servers.end()) return Error(Code::kNotFound, "no host is called " + host);
  return &found->second;
}

Result<MemoryServer*> MemoryHosts::Find(const Call& call, const std::string& host) {
  A4C_TRY(MemoryServer * server, FindAny(call, host));
  if (server->foreign_key.empty()) return server;
  return Error(Code::kDenied, WhyForeign(*server));
}

Result<MemoryUnit*> MemoryHosts::FindUnit(MemoryServer& server, const std::string& name) {
  const auto found = server.units.find(name);
  if (found == server.units.end()) {
    return Error(Code::kNotFound, "host " + server.options.id + " has no unit " + name);
  }
  Settle(found->second, runtime.clock.MonotonicMs());
  return &found->second;
}

int64_t DiskUsed(const MemoryServer& server) {
  int64_t used = 0;
  for (const auto& [name, unit] : server.units) used += unit.unit.spec.disk_bytes;
  return used;
}

Result<void> Supply(MemoryHosts& hosts, MemoryServer& server, const Unit& unit) {
  const std::string& image = unit.spec.image;
  if (image.empty() || FindImage(server, image)) return {};
  auto pulled = FakePull(image);
  if (!pulled && pulled.error().code() == Code::kUnsupported) {
    return Error(Code::kNotFound, "host " + unit.host + " has no image " + image);
  }
  if (!pulled) return pulled.error();
  Keep(server, image, *pulled, hosts.runtime.clock.MonotonicMs());
  return {};
}

void Keep(MemoryServer& server, const std::string& name, ImageInfo image, int64_t now_mono_ms) {
  server.image_since_ms[image.digest] = now_mono_ms;
  server.images[name] = std::move(image);
}

std::optional<ImageInfo> FindImage(const MemoryServer& server, const std::string& reference) {
  if (const auto found = server.images.find(reference); found != server.images.end()) {
    return found->second;
  }
  for (const auto& [tag, image] : server.images) {
    if (image.digest == reference) return ImageInfo{reference, image.digest, image.size_bytes};
  }
  return std::nullopt;
}

}  // namespace a4c::memory
