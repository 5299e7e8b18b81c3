#include "apps/a4cd/placement/reservations.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "apps/a4cd/placement/explain.h"

namespace a4cd {

using a4c::Add;
using a4c::Call;
using a4c::Commit;
using a4c::Committed;
using a4c::Expect;
using a4c::Json;
using a4c::Op;
using a4c::OpFailure;
using a4c::Result;

namespace {

struct Counter {
  std::string_view field;
  int64_t Amounts::*amount;
};
constexpr std::array<Counter, 3> kCounters = {{{kDiskCommitted, &Amounts::disk_bytes},
                                               {kMemoryCommitted, &Amounts::memory_bytes},
                                               {kCpuCommitted, &Amounts::cpu_millis}}};

std::string ReservationBody(const std::string& tenant, const std::string& server,
                            const std::string& workspace, const Amounts& amounts) {
  return Json(Json::Object{{"host", server},
                           {"workspace", workspace},
                           {"tenant", tenant},
                           {"disk_bytes", amounts.disk_bytes},
                           {"memory_bytes", amounts.memory_bytes},
                           {"cpu_millis", amounts.cpu_millis}})
      .ToString();
}

// The reservation and its amounts: at most what was committed when the choice was made, and this.
void AddReservation(const Server& server, const std::string& tenant, const std::string& workspace,
                    const Amounts& amounts, Commit& commit) {
  commit.also.emplace_back(a4c::Put{.ref = ReservationRef(server.id, workspace),
                                    .body = ReservationBody(tenant, server.id, workspace, amounts),
                                    .expect = Expect::Absent()});
  for (const Counter& counter : kCounters) {
    const int64_t amount = amounts.*counter.amount;
    if (amount == 0) continue;
    commit.also.emplace_back(Add{.ref = HostRef(server.id),
                                 .field = std::string(counter.field),
                                 .delta = amount,
                                 .max = server.committed.*counter.amount + amount});
  }
}

// Others were faster: the server's counters as they were found.
void TakeActual(const std::vector<OpFailure>& failures, Server& server) {
  for (const OpFailure& failure : failures) {
    const auto counter = std::ranges::find(kCounters, failure.field, &Counter::field);
    const auto* actual = std::get_if<int64_t>(&failure.actual);
    if (counter != kCounters.end()) {
      server.committed.*(counter->amount) = actual == nullptr ? 0 : *actual;
    }
  }
}

}  // namespace

a4c::RecordRef ReservationRef(const std::string& server, const std::string& workspace) {
  return {"reservation", {"", server + "/" + workspace}};
}

Amounts Reservations::WithDefaults(Amounts amounts) const {
  for (const Counter& counter : kCounters) {
    if (amounts.*counter.amount == 0) {
      amounts.*(counter.amount) = options_.defaults.*counter.amount;
    }
  }
  return amounts;
}

Result<Reserved> Reservations::Reserve(const Call& call, const std::string& tenant,
                                       const std::string& workspace,
                                       const PlacementRequest& request,
                                       const std::function<Commit(const Decision&)>& changes) {
  A4C_TRY(std::vector<Server> servers, disks_.Servers(call));
  for (int i = 0; i < options_.tries_max; ++i) {
    Reserved reserved;
    reserved.placement = Place(servers, request, options_.limits, runtime_.random.Next());
    if (reserved.placement.server == nullptr) return reserved;
    const auto chosen = std::ranges::find(servers, reserved.placement.server->id, &Server::id);
    reserved.decision = {chosen->id,
                         ExplainJson(servers, request, options_.limits, runtime_.clock.NowMs())};
    Commit commit = changes(reserved.decision);
    AddReservation(*chosen, tenant, workspace, request.amounts, commit);
    A4C_TRY(Committed done, database_.Write(call, commit));
    reserved.placement.server = nullptr;  // points into the snapshot
    reserved.failures = std::move(done.failures);
    if (done.outcome == Committed::Outcome::kOutOfBounds) {
      TakeActual(reserved.failures, *chosen);
      continue;
    }
    reserved.outcome = done.outcome == Committed::Outcome::kApplied ? Reserved::Outcome::kPlaced
                                                                    : Reserved::Outcome::kConflict;
    return reserved;
  }
  return Reserved{.outcome = Reserved::Outcome::kOvertaken};
}

Result<std::vector<Op>> Reservations::ReleaseOps(const Call& call, const std::string& server,
                                                 const std::string& workspace) {
  const a4c::RecordRef ref = ReservationRef(server, workspace);
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  const std::optional<a4c::Record>& record = answer.records.at(0);
  if (!record) return std::vector<Op>();
  A4C_TRY(const Json body, a4c::ParseJson(record->body));
  const Amounts amounts{body["disk_bytes"].Int(), body["memory_bytes"].Int(),
                        body["cpu_millis"].Int()};
  std::vector<Op> ops{a4c::Delete{.ref = ref, .expect = Expect::Rev(record->rev)}};
  for (const Counter& counter : kCounters) {
    const int64_t amount = amounts.*counter.amount;
    if (amount == 0) continue;
    ops.emplace_back(Add{
        .ref = HostRef(server), .field = std::string(counter.field), .delta = -amount, .min = 0});
  }
  return ops;
}

Result<Json> Reservations::ExplainNow(const Call& call, const PlacementRequest& request) {
  A4C_TRY(const std::vector<Server> servers, disks_.Servers(call));
  return ExplainJson(servers, request, options_.limits, runtime_.clock.NowMs());
}

}  // namespace a4cd
