#include "apps/a4cd/hosts/use_reader.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "apps/at_once/at_once.h"

namespace a4cd {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Result;
using a4c::UnitActivity;

namespace {

constexpr int kServersAtOnce = 8;

// What a server says to us, or does not, is no answer to the client's key.
Error OfServer(const std::string& host, const Error& error) {
  const bool is_silent = error.code() == Code::kTimeout || error.code() == Code::kUnavailable ||
                         error.code() == Code::kDenied;
  if (!is_silent) return error;
  return Error(Code::kUnavailable, "the server " + host + " does not answer: " + error.message(),
               "try again; see what is wrong with it: a4c host get " + host);
}

}  // namespace

struct UseReader::Server {
  std::string host;
  std::vector<size_t> of;                                 // its workspaces
  std::map<std::string, UnitActivity, std::less<>> seen;  // at the last look, by unit
  int64_t seen_ms = 0;                                    // monotonic
};

std::vector<Result<WorkspaceUse>> UseReader::Read(const Call& call,
                                                  std::span<const Workspace> workspaces,
                                                  int64_t interval_ms) {
  Uses uses(workspaces.size(), WorkspaceUse{});
  std::vector<Server> servers;
  std::map<std::string_view, size_t> by_host;
  for (size_t i = 0; i < workspaces.size(); ++i) {
    const std::string& host = workspaces[i].host;
    if (host.empty()) continue;
    const auto [at, is_new] = by_host.emplace(host, servers.size());
    if (is_new) servers.emplace_back().host = host;
    servers[at->second].of.push_back(i);
    uses[i] = OfServer(host, Error(Code::kTimeout, "the time was over before it was asked"));
  }
  if (servers.empty()) return uses;
  // One server may take all the time: nobody waits behind it.
  const size_t turns = (servers.size() + kServersAtOnce - 1) / kServersAtOnce;
  const int64_t parts = servers.size() == 1 ? 1 : static_cast<int64_t>(2 * turns);
  const int64_t timeout_ms = call.RemainingMs() / parts;
  const int64_t begun_ms = call.clock.MonotonicMs();
  LookAtAll(call, servers, timeout_ms, workspaces, uses);
  std::erase_if(servers, [](const Server& server) { return server.seen.empty(); });
  if (interval_ms == 0 || servers.empty()) return uses;
  int64_t last_ms = begun_ms;
  for (const Server& server : servers) last_ms = std::max(last_ms, server.seen_ms);
  Wait(call, last_ms + interval_ms);
  LookAtAll(call, servers, timeout_ms, workspaces, uses);
  return uses;
}

void UseReader::LookAtAll(const Call& call, std::vector<Server>& servers, int64_t timeout_ms,
                          std::span<const Workspace> workspaces, Uses& uses) {
  a4c_at_once::AtOnce(runtime_, kServersAtOnce, servers.size(), [&](size_t i) {
    if (call.Expired() || call.Stopping()) return false;
    Call bounded = call;
    bounded.deadline_ms = std::min(call.deadline_ms, call.clock.MonotonicMs() + timeout_ms);
    Look(bounded, servers[i], workspaces, uses);
    return true;
  });
}

void UseReader::Look(const Call& call, Server& server, std::span<const Workspace> workspaces,
                     Uses& uses) {
  std::vector<std::string> units;
  for (const size_t i : server.of) units.push_back(UnitName(workspaces[i].id));
  const Result<void> known = know_(call, server.host);
  auto read = known ? activity_.Read(call, server.host, units)
                    : Result<std::vector<UnitActivity>>(known.error());
  const int64_t now_ms = call.clock.MonotonicMs();
  const int64_t passed_ms = now_ms - std::exchange(server.seen_ms, now_ms);
  const auto before = std::exchange(server.seen, {});
  if (!read) {
    for (const size_t i : server.of) uses[i] = OfServer(server.host, read.error());
    return;
  }
  for (UnitActivity& unit : *read) server.seen.insert_or_assign(unit.name, std::move(unit));
  for (size_t k = 0; k < units.size(); ++k) {
    WorkspaceUse use{.read_at_ms = runtime_.clock.NowMs()};
    const auto now = server.seen.find(units[k]);
    const auto was = before.find(units[k]);
    use.is_running = now != server.seen.end();
    if (use.is_running) use.now = now->second;
    const int64_t used_ms =
        use.is_running && was != before.end() ? use.now.cpu_ms - was->second.cpu_ms : -1;
    // Below 0 also if it was started anew in between.
    if (used_ms >= 0 && passed_ms > 0) {
      use.cpu_percent = static_cast<double>(used_ms) * 100 / static_cast<double>(passed_ms);
    }
    uses[server.of[k]] = std::move(use);
  }
}

void UseReader::Wait(const Call& call, int64_t until_ms) {
  const auto waiter = runtime_.threads.NewWaiter();
  a4c::Waiter::Lock lock(*waiter);
  until_ms = std::min(until_ms, call.deadline_ms);
  while (call.clock.MonotonicMs() < until_ms) waiter->Wait(until_ms);
}

}  // namespace a4cd
