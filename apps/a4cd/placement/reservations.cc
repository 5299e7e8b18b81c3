#include "apps/a4cd/placement/reservations.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "apps/a4cd/jobs/job_service.h"
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

constexpr int kPage = 500;
constexpr int64_t kEndedMs = 60'000;  // by then also the worker of a canceled job has let go

struct Counter {
  std::string_view field;
  int64_t Amounts::*amount;
  std::string_view noun;
};
constexpr std::array<Counter, 3> kCounters = {{{kDiskCommitted, &Amounts::disk_bytes, "disk"},
                                               {kMemoryCommitted, &Amounts::memory_bytes, "memory"},
                                               {kCpuCommitted, &Amounts::cpu_millis, "cpu"}}};

struct Holder {
  const std::string& tenant;
  const std::string& id;
  HolderOf kind;
};

std::string ReservationBody(const Holder& holder, const std::string& server,
                            const Amounts& amounts) {
  return Json(Json::Object{{"host", server},
                           {holder.kind == HolderOf::kJob ? "job" : "workspace", holder.id},
                           {"tenant", holder.tenant},
                           {"disk_bytes", amounts.disk_bytes},
                           {"memory_bytes", amounts.memory_bytes},
                           {"cpu_millis", amounts.cpu_millis}})
      .ToString();
}

// The reservation and its amounts.
void AddReservation(const Server& server, const Amounts& most, const Holder& holder,
                    const Amounts& amounts, Commit& commit) {
  commit.also.emplace_back(a4c::Put{.ref = ReservationRef(server.id, holder.id),
                                    .body = ReservationBody(holder, server.id, amounts),
                                    .expect = Expect::Absent()});
  // A server that was cordoned or removed meanwhile gets nothing.
  commit.also.emplace_back(a4c::Check{.ref = HostRef(server.id), .rev = server.rev});
  for (const Counter& counter : kCounters) {
    const int64_t amount = amounts.*counter.amount;
    if (amount == 0) continue;
    commit.also.emplace_back(Add{.ref = HostRef(server.id),
                                 .field = std::string(counter.field),
                                 .delta = amount,
                                 .max = most.*counter.amount});
  }
}

// From what it holds to what it is to hold; most: what the server may have committed, of one that
// may grow.
std::vector<Op> OpsTo(const HeldRoom& held, const std::string& server, const std::string& holder,
                      const Amounts& amounts, const Amounts* most) {
  if (held.amounts == amounts) return {};
  Json body = held.body;
  std::vector<Op> adds;
  for (const Counter& counter : kCounters) {
    const int64_t delta = amounts.*counter.amount - held.amounts.*counter.amount;
    if (delta == 0) continue;
    Add add{.ref = HostRef(server), .field = std::string(counter.field), .delta = delta};
    if (delta > 0 && most != nullptr) add.max = most->*counter.amount;
    adds.emplace_back(std::move(add));
  }
  body.Set("disk_bytes", amounts.disk_bytes);
  body.Set("memory_bytes", amounts.memory_bytes);
  body.Set("cpu_millis", amounts.cpu_millis);
  adds.insert(adds.begin(), a4c::Put{.ref = ReservationRef(server, holder),
                                     .body = body.ToString(),
                                     .expect = Expect::Rev(held.rev)});
  return adds;
}

// Others were faster: the server's counters as they were found.
void TakeActual(const std::vector<OpFailure>& failures, const std::string& id,
                SharedServers::Reading& seen) {
  const a4c::Waiter::Lock lock(*seen.waiter);
  Server& server = *std::ranges::find(seen.servers, id, &Server::id);
  server.disk_pending_bytes = 0;
  for (const OpFailure& failure : failures) {
    const auto counter = std::ranges::find(kCounters, failure.field, &Counter::field);
    const auto* actual = std::get_if<int64_t>(&failure.actual);
    if (counter != kCounters.end()) {
      server.committed.*(counter->amount) = actual == nullptr ? 0 : *actual;
    }
  }
}

}  // namespace

Reservations::Reservations(a4c::Database& database, DiskService& disks, const a4c::Runtime& runtime,
                           const PlacementOptions& options)
    : database_(database),
      disks_(disks),
      runtime_(runtime),
      options_(options),
      starts_(runtime),
      servers_(runtime, [this](const Call& read) { return ReadServers(read); }) {}

Result<std::vector<Server>> Reservations::ReadServers(const Call& call) {
  A4C_TRY(std::vector<Server> servers, disks_.Servers(call));
  for (Server& server : servers) server.starts_in_flight = starts_.Of(server.id);
  return servers;
}

a4c::RecordRef ReservationRef(const std::string& server, const std::string& holder) {
  return {"reservation", {"", server + "/" + holder}};
}

Amounts Reservations::WithDefaults(Amounts amounts) const {
  for (const Counter& counter : kCounters) {
    if (amounts.*counter.amount == 0) {
      amounts.*(counter.amount) = options_.defaults.*counter.amount;
    }
  }
  return amounts;
}

struct Reservations::Choice {
  Reserved reserved;             // its placement's server is null
  std::optional<Server> server;  // none fits
};

Reservations::Choice Reservations::Choose(SharedServers::Reading& seen,
                                          const PlacementRequest& request, Among among) {
  const uint64_t tie = runtime_.random.Next();
  const int64_t now_ms = database_.NowMs();
  const a4c::Waiter::Lock lock(*seen.waiter);
  Choice choice;
  Placement& placement = choice.reserved.placement;
  placement = Place(seen.servers, request, options_.limits, tie, among);
  const Server* const chosen = std::exchange(placement.server, nullptr);
  if (chosen == nullptr) return choice;
  choice.server = *chosen;
  choice.reserved.decision = {chosen->id,
                              ExplainJson(seen.servers, request, options_.limits, now_ms)};
  Server& taken = seen.servers[static_cast<size_t>(chosen - seen.servers.data())];
  taken.disk_pending_bytes += request.amounts.disk_bytes;
  ++taken.starts_in_flight;
  return choice;
}

Result<Reserved> Reservations::Reserve(const Call& call, const std::string& tenant,
                                       const std::string& holder, const PlacementRequest& request,
                                       const std::function<Commit(const Decision&)>& changes,
                                       HolderOf kind) {
  std::shared_ptr<SharedServers::Reading> seen;
  for (int i = 0; i < options_.tries_max; ++i) {
    // The second choice is made on what came out of the first; later ones, on figures read anew.
    if (i != 1) {
      A4C_TRY(seen, servers_.Take(call));
    }
    // Who was overtaken gives way: near the end of a level all want the same few servers.
    Choice choice = Choose(*seen, request, i == 0 ? Among::kLeast : Among::kNearLeast);
    Reserved& reserved = choice.reserved;
    if (!choice.server) return std::move(reserved);
    const Server& server = *choice.server;
    const Amounts& most = reserved.placement.most;
    Commit commit = changes(reserved.decision);
    AddReservation(server, most, {tenant, holder, kind}, request.amounts, commit);
    A4C_TRY(Committed done, database_.Write(call, commit));
    reserved.failures = std::move(done.failures);
    if (done.outcome == Committed::Outcome::kOutOfBounds) {
      TakeActual(reserved.failures, server.id, *seen);
      continue;
    }
    reserved.outcome = done.outcome == Committed::Outcome::kApplied ? Reserved::Outcome::kPlaced
                                                                    : Reserved::Outcome::kConflict;
    return std::move(reserved);
  }
  return Reserved{.outcome = Reserved::Outcome::kOvertaken};
}

Result<std::vector<Op>> Reservations::ReleaseOps(const Call& call, const std::string& server,
                                                 const std::string& holder) {
  A4C_TRY(const auto found, Find(call, server, holder));
  if (!found) return std::vector<Op>();
  std::vector<Op> ops{
      a4c::Delete{.ref = ReservationRef(server, holder), .expect = Expect::Rev(found->rev)}};
  for (const Counter& counter : kCounters) {
    const int64_t amount = found->amounts.*counter.amount;
    if (amount == 0) continue;
    ops.emplace_back(Add{
        .ref = HostRef(server), .field = std::string(counter.field), .delta = -amount, .min = 0});
  }
  return ops;
}

Amounts Reservations::MostOf(const Server& server) const {
  const double below =
      options_.limits.disk_watermark * static_cast<double>(server.total.disk_bytes);
  return {static_cast<int64_t>(below) - server.disk_other_bytes, server.total.memory_bytes,
          server.total.cpu_millis};
}

Result<Resized> Reservations::Resize(const Call& call, const std::string& server,
                                     const std::string& holder, const Amounts& at_least,
                                     Commit changes) {
  A4C_TRY(const auto found, Find(call, server, holder));
  if (!found) return a4c::Error(a4c::Code::kConflict, "it holds no room on server " + server);
  Amounts amounts = found->amounts;
  for (const Counter& counter : kCounters) {
    amounts.*(counter.amount) = std::max(amounts.*counter.amount, at_least.*counter.amount);
  }
  A4C_TRY(const std::vector<Server> servers, disks_.Servers(call));
  const auto its = std::ranges::find(servers, server, &Server::id);
  if (its == servers.end())
    return a4c::Error(a4c::Code::kUnavailable, "there is no server " + server);
  const Amounts most = MostOf(*its);
  Resized resized;
  for (const Counter& counter : kCounters) {
    const int64_t delta = amounts.*counter.amount - found->amounts.*counter.amount;
    if (delta <= 0 || its->committed.*counter.amount + delta <= most.*counter.amount) continue;
    resized.lacks += (resized.lacks.empty() ? "" : ", ") + std::string(counter.noun);
  }
  if (!resized.lacks.empty()) {
    resized.outcome = Resized::Outcome::kNoCapacity;
    resized.lacks = "server " + server + " has not the room: " + resized.lacks;
    return resized;
  }
  for (Op& op : OpsTo(*found, server, holder, amounts, &most))
    changes.also.push_back(std::move(op));
  A4C_TRY(Committed done, database_.Write(call, changes));
  if (done.outcome == Committed::Outcome::kApplied) return resized;
  const bool is_full = done.outcome == Committed::Outcome::kOutOfBounds;
  resized.outcome = is_full ? Resized::Outcome::kNoCapacity : Resized::Outcome::kConflict;
  if (is_full) resized.lacks = "others took the room of server " + server + " just now";
  resized.failures = std::move(done.failures);
  return resized;
}

Result<std::vector<Op>> Reservations::ResizeOps(const Call& call, const std::string& server,
                                                const std::string& holder, const Amounts& amounts) {
  A4C_TRY(const auto found, Find(call, server, holder));
  return found ? OpsTo(*found, server, holder, amounts, nullptr) : std::vector<Op>();
}

Result<std::optional<HeldRoom>> Reservations::Find(const Call& call, const std::string& server,
                                                   const std::string& holder) {
  const a4c::RecordRef ref = ReservationRef(server, holder);
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  const std::optional<a4c::Record>& record = answer.records.at(0);
  if (!record) return std::optional<HeldRoom>();
  A4C_TRY(Json body, a4c::ParseJson(record->body));
  const Amounts amounts{body["disk_bytes"].Int(), body["memory_bytes"].Int(),
                        body["cpu_millis"].Int()};
  return std::optional(HeldRoom{record->rev, amounts, std::move(body)});
}

Result<bool> Reservations::Has(const Call& call, const std::string& server,
                               const std::string& holder) {
  A4C_TRY(const auto found, Find(call, server, holder));
  return found.has_value();
}

Result<void> Reservations::ReleaseOfEndedJobs(const Call& call, const std::string& server) {
  a4c::ScanRequest scan{
      .kind = "reservation", .index = "by_host", .prefix = {server}, .limit = kPage};
  do {
    A4C_TRY(const a4c::ScanAnswer page, database_.Scan(call, scan));
    for (const a4c::Record& record : page.records) {
      A4C_TRY(const Json body, a4c::ParseJson(record.body));
      if (!body["job"].IsText()) continue;
      A4C_TRY(const bool has_ended, HasEnded(call, body["tenant"].Text(), body["job"].Text()));
      if (!has_ended) continue;
      A4C_TRY(std::vector<Op> ops, ReleaseOps(call, server, body["job"].Text()));
      // A conflict: somebody else has given it back.
      if (!ops.empty()) A4C_CHECK(database_.Write(call, {.also = std::move(ops)}));
    }
    scan.after = page.next;
  } while (!scan.after.empty());
  return {};
}

Result<bool> Reservations::HasEnded(const Call& call, const std::string& tenant,
                                    const std::string& id) {
  const a4c::RecordRef ref = JobRef(tenant, id);
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  const std::optional<a4c::Record>& record = answer.records.at(0);
  if (!record || record->tombstone) return true;
  A4C_TRY(const Job job, JobOf(*record));
  return job.finished() && job.finished_at + kEndedMs < answer.store_time_ms;
}

Result<Json> Reservations::ExplainNow(const Call& call, const PlacementRequest& request) {
  A4C_TRY(const std::vector<Server> servers, ReadServers(call));
  return ExplainJson(servers, request, options_.limits, database_.NowMs());
}

}  // namespace a4cd
