#include "session/postgres_probe.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include "a4c/batch_rules.h"
#include "a4c/resolve.h"
#include "session/postgres_error.h"
#include "session/postgres_options.h"

namespace a4c::postgres {
namespace {

constexpr int64_t kStopPollMs = 50;

struct Refusal {
  Error error;
  bool answered = false;  // a server said so: its other addresses would say the same
};

std::string NameOf(const PGconn* connecting) {
  const std::string host = PQhost(connecting);
  const std::string address = PQhostaddr(connecting);
  const std::string name = host + ":" + PQport(connecting);
  return address.empty() || address == host ? name : name + " (" + address + ")";
}

// Waits until the server that is being connected to answers.
Result<void> AwaitServer(const Call& call, PGconn* connecting, short events) {
  pollfd waited{PQsocket(connecting), events, 0};
  for (;;) {
    if (call.Stopping()) return Error(Code::kCanceled, "asked to stop");
    const int64_t left = call.RemainingMs();
    if (left == 0) return ConnectErrorOf(NameOf(connecting) + " did not answer in time");
    const int64_t slice = call.stop.stop_possible() ? kStopPollMs : 1000;
    if (poll(&waited, 1, static_cast<int>(std::min(left, slice))) > 0) return {};
  }
}

std::optional<Refusal> ProbeOne(const Call& call, const std::string& conninfo) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> probe(PQconnectStart(conninfo.c_str()),
                                                           PQfinish);
  bool connected = false;  // to something: what is sent is waited to be answered
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (PQstatus(probe.get()) != CONNECTION_BAD && status != PGRES_POLLING_FAILED) {
    const bool reading = status == PGRES_POLLING_READING;
    const Result<void> ready = AwaitServer(call, probe.get(), reading ? POLLIN : POLLOUT);
    if (!ready) return Refusal{ready.error()};
    connected = connected || reading;
    status = PQconnectPoll(probe.get());
    if (status == PGRES_POLLING_OK) return std::nullopt;
  }
  return Refusal{ConnectErrorOf(PQerrorMessage(probe.get())), connected};
}

// The host that libpq would resolve.
Result<std::string> HostIn(const std::string& conninfo) {
  A4C_TRY(const Settings settings, ParseDsn(conninfo));
  const auto host = settings.find("host");
  const bool is_left = host == settings.end() || host->second.find_first_of("/@") == 0 ||
                       settings.contains("hostaddr") || settings.contains("service") ||
                       std::getenv("PGHOSTADDR") != nullptr;
  return is_left ? std::string() : host->second;
}

// The connection string, once for each address.
Result<std::vector<std::string>> PerAddress(const Call& call, const std::string& conninfo) {
  A4C_TRY(const std::string host, HostIn(conninfo));
  if (host.empty()) return std::vector<std::string>{conninfo};
  auto resolved = ResolveHost(call, host);
  if (!resolved && resolved.error().code() == Code::kCanceled) return resolved;
  if (!resolved) {
    const Error because = ConnectErrorOf(resolved.error().message());
    return Error(because.code(), because.message(), resolved.error().hint());
  }
  for (std::string& address : *resolved) {
    address = std::string(conninfo).append(" hostaddr='").append(address).append("'");
  }
  return resolved;
}

Call ShareOf(Call call, size_t shares) {
  const int64_t share_ms = call.RemainingMs() / static_cast<int64_t>(shares);
  call.deadline_ms = call.clock.MonotonicMs() + share_ms;
  return call;
}

}  // namespace

Result<std::string> Probe(const Call& call, const std::string& conninfo) {
  A4C_TRY(const std::vector<std::string> addresses, PerAddress(call, conninfo));
  std::optional<Error> failure;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const auto refusal = ProbeOne(ShareOf(call, addresses.size() - i), addresses[i]);
    if (!refusal) return addresses[i];
    failure = Together(failure, refusal->error);
    if (refusal->answered || !CheckCall(call)) break;
  }
  return *failure;
}

}  // namespace a4c::postgres
