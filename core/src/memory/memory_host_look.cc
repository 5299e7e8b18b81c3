// HostLook of pretended servers: they answer at once.
#include "a4c/host_look.h"
#include "memory/memory_host_state.h"

namespace a4c::memory {
namespace {

class MemoryLook final : public HostLook {
 public:
  explicit MemoryLook(MemoryHosts& hosts) : hosts_(hosts) {}

  Result<std::vector<std::string>> Names(const Call& call) override {
    if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
    Waiter::Lock lock(*hosts_.waiter);
    std::vector<std::string> names;
    for (const auto& [id, server] : hosts_.servers) names.push_back(id);
    return names;
  }

  Result<Host> Look(const Call& call, const std::string& host) override {
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(const MemoryServer* server, hosts_.FindAny(call, host));
    return FiguresOf(*server);
  }

 private:
  MemoryHosts& hosts_;
};

}  // namespace

Host FiguresOf(const MemoryServer& server) {
  if (!server.foreign_key.empty()) {
    return {.id = server.options.id,
            .reason = WhyForeign(server),
            .pinned_fingerprint = server.spec->fingerprint,
            .shown_fingerprint = server.foreign_key};
  }
  const int64_t used = DiskUsed(server);
  return {.id = server.options.id,
          .reachable = true,
          .disk_total_bytes = server.options.disk_total_bytes,
          .disk_used_bytes = used,
          .disk_free_bytes = server.options.disk_total_bytes - used,
          .memory_total_bytes = server.options.memory_total_bytes,
          .cpu_total_millis = server.options.cpu_total_millis,
          .arch = server.options.arch,
          .versions = {{"memory", "1"}},
          .warnings = server.options.warnings};
}

std::unique_ptr<HostLook> NewMemoryLook(MemoryHosts& hosts) {
  return std::make_unique<MemoryLook>(hosts);
}

}  // namespace a4c::memory
