// How servers come and go: probe, add, enrol again, reached in another way, removed.
#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "a4c/sinks.h"
#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/handlers/host_changes.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/api/query_rules.h"
#include "apps/a4cd/hosts/enrolments.h"
#include "apps/a4cd/jobs/map_change.h"
#include "apps/a4cd/worker.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Expect;
using a4c::Json;
using a4c::Record;
using a4c::Result;

Result<a4c::HostEnrolment*> Provider(ApiContext& api) {
  if (api.worker == nullptr) return NoHosts();
  a4c::HostEnrolment* provider = api.worker->enrolments().provider();
  if (provider != nullptr) return provider;
  return Error(Code::kUnsupported, "this host provider takes its servers from its config alone",
               "add the server to hosts.config and restart the instances one by one");
}

constexpr int kHoldersNamedMax = 5;

struct HostDraft {
  a4c::HostSpec spec;
  std::map<std::string, std::string> labels;
};

HostDraft ReadHostDraft(const Json& body, Faults& faults) {
  FieldReader fields(body, "", faults);
  HostDraft draft;
  draft.spec.id = fields.Text("id", {.required = true, .bytes_max = 63});
  draft.spec.address = fields.Text("address", {.required = true, .bytes_max = 1024});
  draft.spec.fingerprint = fields.Text("fingerprint", {.bytes_max = 256});
  if (draft.spec.fingerprint.empty() && faults.empty()) {
    fields.Add("fingerprint", "is required: nobody is trusted at first sight",
               "ask for it by POST /v1/hosts:probe, compare it with the server's own, and send it");
  }
  draft.spec.settings = fields.TextMap("settings", 32);
  draft.labels = fields.TextMap("labels");
  fields.RefuseOthers();
  if (!faults.empty()) return draft;
  if (const Result<void> checked = a4c::CheckHostSpec(draft.spec); !checked) {
    faults.push_back({"", checked.error().message(), ""});
  }
  return draft;
}

Result<void> CheckUnused(ApiContext& api, const Request& request, const a4c::HostSpec& spec) {
  A4C_TRY(const std::vector<HostRecord> hosts, ReadHosts(api.CallFor(request), api.database));
  for (const HostRecord& other : hosts) {
    if (!other.spec || other.spec->fingerprint != spec.fingerprint) continue;
    return Error(Code::kConflict, "this server is " + other.id + " already",
                 "see it: a4c host get " + other.id +
                     "; for another id or address, remove it first: a4c host remove " + other.id);
  }
  return {};
}

// A tombstone of that id is a server that was removed before.
Result<PreparedWrite> PrepareAdd(ApiContext& api, const Request& request, const HostDraft& draft) {
  const a4c::RecordRef ref = HostRef(draft.spec.id);
  A4C_TRY(const a4c::GetAnswer answer, api.database.Get(api.CallFor(request), std::span(&ref, 1)));
  const std::optional<Record>& found = answer.records.at(0);
  A4C_CHECK(CheckUnused(api, request, draft.spec));
  if (found && !found->tombstone) {
    return Error(Code::kConflict, "there is another server " + draft.spec.id + " already",
                 "choose another id, or remove it first: a4c host remove " + draft.spec.id);
  }
  HostRecord host{.id = draft.spec.id, .labels = draft.labels, .spec = draft.spec};
  host.by = request.principal.key_id;
  host.updated_at = api.database.NowMs();
  PreparedWrite write;
  write.commit.changes.push_back({.ref = ref,
                                  .body = HostBody(host),
                                  .expect = found ? Expect::Rev(found->rev) : Expect::Absent()});
  A4C_CHECK(api.worker->tokens().AdoptWith(api.CallFor(request), host.id, write.commit));
  host.rev = found ? found->rev + 1 : 1;
  write.id = host.id;
  write.rev = host.rev;
  write.view = HostView(host);
  write.decide_again = true;
  return write;
}

// Denied is what the server says to us, not what we say to the client.
Result<void> Prepared(Result<void> prepared) {
  if (prepared || prepared.error().code() != Code::kDenied) return prepared;
  return Error(Code::kConflict, prepared.error().message(),
               prepared.error().hint().empty() ? "probe it again, and compare before you accept"
                                               : prepared.error().hint());
}

// From now on the server refuses every other store, where it can.
Result<void> Claim(ApiContext& api, const Request& request, const std::string& host) {
  Result<void> adopted = api.worker->tokens().Adopt(api.CallFor(request), host);
  if (!adopted && adopted.error().code() == Code::kUnsupported) return {};
  return adopted;
}

// A server's record is new, or another key of it was accepted. The other instances follow within a
// period; this one need not wait. It follows too, should this fail.
void TakeOn(ApiContext& api, const Request& request, const std::string& id) {
  Result<void> taken = api.worker->enrolments().Renew(api.CallFor(request), id);
  if (taken) taken = api.worker->disks().Look(api.CallFor(request), id);
  if (taken) taken = Claim(api, request, id);
  if (!taken) {
    api.runtime.log.Write(a4c::LogLevel::kWarning, "hosts", "an enrolled server was not taken",
                          {{"host", id}, {"error", taken.error().ToString()}});
  }
  WakeRoomWaiters(api);
}

Result<void> CheckEnrolled(const HostRecord& host, const std::string& what_to_do) {
  if (host.spec) return {};
  return Error(Code::kConflict, "the server " + host.id + " stands in the host provider's config",
               what_to_do + " hosts.config and restart the instances one by one");
}

// The server is reached so, lets us in, and is out of quarantine from this commit on.
Result<PreparedWrite> PrepareSpec(ApiContext& api, const Request& request, const HostRecord& host,
                                  HostRecord after) {
  A4C_CHECK(a4c::CheckHostSpec(*after.spec));
  A4C_TRY(a4c::HostEnrolment * provider, Provider(api));
  A4C_CHECK(Prepared(provider->Prepare(api.CallFor(request), *after.spec)));
  after.state = {};
  return HostWrite(api, host, std::move(after), request);
}

Result<PreparedWrite> PreparePin(ApiContext& api, const Request& request, const HostRecord& host,
                                 const std::string& fingerprint) {
  A4C_CHECK(CheckEnrolled(host, "pin its fingerprint in"));
  HostRecord after = host;
  if (!fingerprint.empty() && fingerprint != host.spec->fingerprint) {
    after.spec->fingerprint = fingerprint;
    A4C_CHECK(CheckUnused(api, request, *after.spec));
  }
  after.pinned_at = api.database.NowMs();
  return PrepareSpec(api, request, host, std::move(after));
}

// How a server is reached from now on. It stays the same server: it has to show the fingerprint
// that is pinned.
struct WayChange {
  std::string address = {};  // empty: it stays
  MapChange settings = {};
};

WayChange ReadWayChange(const Json& body, Faults& faults) {
  FieldReader fields(body, "", faults);
  WayChange change{.address = fields.Text("address", {.bytes_max = 1024})};
  if (const Json& settings = fields.Any("settings"); !settings.IsNull()) {
    FieldReader members(settings, "/settings", faults);
    change.settings = ReadMapChange(members);
    members.RefuseOthers();
  }
  fields.RefuseOthers();
  if (faults.empty() && change.address.empty() && change.settings.empty()) {
    fields.Add("address", "is not there, and neither is settings",
               R"(for example {"address": "ssh://deploy@192.0.2.10"})");
  }
  return change;
}

Result<PreparedWrite> PrepareWay(ApiContext& api, const Request& request, const HostRecord& host,
                                 const WayChange& change) {
  A4C_CHECK(CheckEnrolled(host, "change it in"));
  HostRecord after = host;
  if (!change.address.empty()) after.spec->address = change.address;
  after.spec->settings = change.settings.Of(host.spec->settings);
  return PrepareSpec(api, request, host, std::move(after));
}

// What enrolment does on the server, once more: a new version of the helper, or a store that was
// restored and is the one to go on with.
Result<PreparedWrite> PrepareEnrol(ApiContext& api, const Request& request,
                                   const HostRecord& host) {
  if (host.spec) {
    A4C_TRY(a4c::HostEnrolment * provider, Provider(api));
    A4C_CHECK(Prepared(provider->Prepare(api.CallFor(request), *host.spec)));
  }
  A4C_CHECK(api.worker->enrolments().Know(api.CallFor(request), host.id));
  A4C_CHECK(Claim(api, request, host.id));
  return HostWrite(api, host, host, request);
}

// Some of what holds room there. Of another tenant's nothing is told but that it is there.
Result<std::string> WhoHoldsRoom(ApiContext& api, const Request& request, const std::string& host) {
  A4C_TRY(const a4c::ScanAnswer reserved,
          api.database.Scan(api.CallFor(request), {.kind = "reservation",
                                                   .index = "by_host",
                                                   .prefix = {host},
                                                   .limit = kHoldersNamedMax}));
  std::string named;
  bool has_others = !reserved.next.empty();
  for (const Record& record : reserved.records) {
    A4C_TRY(const Json body, a4c::ParseJson(record.body));
    const bool is_ours = body["tenant"].Text() == request.principal.tenant;
    has_others = has_others || !is_ours;
    if (!is_ours) continue;
    const char* kind = body["job"].IsText() ? "job" : "workspace";
    named += (named.empty() ? "" : ", ") + std::string(kind) + " " + body[kind].Text();
  }
  if (has_others) named += named.empty() ? "those of other tenants" : " and others";
  return named;
}

Result<void> CheckEmpty(ApiContext& api, const Request& request, const HostRecord& host) {
  A4C_TRY(const std::string holders, WhoHoldsRoom(api, request, host.id));
  if (holders.empty() && host.committed == Amounts{}) return {};
  return Error(Code::kConflict,
               "there is still room reserved on the server " + host.id +
                   (holders.empty() ? std::string() : ": by " + holders),
               "drain it, and delete what stays: a4c host get " + host.id +
                   "; if it is gone for good: a4c host remove " + host.id + " --lost");
}

// Only of a server on which nothing is left: no workspace, and nothing reserved.
Result<PreparedWrite> PrepareRemove(ApiContext& api, const Request& request) {
  A4C_TRY(const HostRecord host, FindHost(api, request));
  A4C_CHECK(CheckEnrolled(host, "take it out of"));
  A4C_CHECK(CheckEmpty(api, request, host));
  A4C_CHECK(CheckCordoned(host));
  return RemovalOf(api, request, host);
}

}  // namespace

Result<void> CheckCordoned(const HostRecord& host) {
  if (host.cordoned) return {};
  return Error(Code::kConflict, "the server " + host.id + " is not cordoned",
               "so that nothing new is placed meanwhile: a4c host cordon " + host.id);
}

Result<PreparedWrite> RemovalOf(ApiContext& api, const Request& request, const HostRecord& host) {
  PreparedWrite write = HostWrite(api, host, host, request);
  write.commit.changes[0].tombstone = true;
  A4C_CHECK(api.worker->tokens().Forget(api.CallFor(request), host.id, write.commit));
  // The counters are judged with the batch: nothing was reserved meanwhile.
  write.commit.also.emplace_back(a4c::Check{.ref = HostRef(host.id), .quiet = host.counters});
  write.view = Json::Object{{"id", host.id}, {"removed", true}};
  return write;
}

Response ProbeHost(ApiContext& api, Request& request) {
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  FieldReader fields(*body, "", faults);
  const std::string address = fields.Text("address", {.required = true, .bytes_max = 1024});
  fields.RefuseOthers();
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  const Result<a4c::HostEnrolment*> provider = Provider(api);
  if (!provider) return ErrorResponse(provider.error());
  const Result<a4c::HostProbe> probe = (*provider)->Probe(api.CallFor(request), address);
  if (!probe) return ErrorResponse(probe.error());
  return JsonResponse(200, Json::Object{{"address", probe->address},
                                        {"fingerprint", probe->fingerprint},
                                        {"summary", probe->summary}});
}

Response AddHost(ApiContext& api, Request& request) {
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  const HostDraft draft = ReadHostDraft(*body, faults);
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  const Result<a4c::HostEnrolment*> provider = Provider(api);
  if (!provider) return ErrorResponse(provider.error());
  // What has to be done on the server takes its time, and may be done twice.
  request.deadline_ms =
      api.runtime.clock.MonotonicMs() + std::max(api.settings.enrol_timeout_ms, int64_t{1});
  const WriteRules rules{.status = 201, .location_prefix = "/v1/hosts/"};
  Response response = MakeWrite(api, request, rules, [&]() -> Result<PreparedWrite> {
    A4C_TRY(PreparedWrite write, PrepareAdd(api, request, draft));
    A4C_CHECK(Prepared((*provider)->Prepare(api.CallFor(request), draft.spec)));
    return write;
  });
  if (response.status == 201) TakeOn(api, request, draft.spec.id);
  return response;
}

Response EnrolHost(ApiContext& api, Request& request) {
  request.deadline_ms =
      api.runtime.clock.MonotonicMs() + std::max(api.settings.enrol_timeout_ms, int64_t{1});
  const std::string& fingerprint = request.Query("fingerprint");
  WriteRules rules;
  if (!fingerprint.empty()) rules.body_identity = fingerprint;
  bool pins = false;
  Response response = MakeWrite(api, request, rules, [&]() -> Result<PreparedWrite> {
    A4C_TRY(const HostRecord host, FindHost(api, request));
    pins = !fingerprint.empty() || (host.spec && host.state.name == kQuarantined);
    return pins ? PreparePin(api, request, host, fingerprint) : PrepareEnrol(api, request, host);
  });
  if (pins && response.status == 200) TakeOn(api, request, request.Param("id"));
  return response;
}

Response UpdateHost(ApiContext& api, Request& request) {
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  const WayChange change = ReadWayChange(*body, faults);
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  request.deadline_ms =
      api.runtime.clock.MonotonicMs() + std::max(api.settings.enrol_timeout_ms, int64_t{1});
  Response response = MakeWrite(api, request, {.if_match = true}, [&]() -> Result<PreparedWrite> {
    A4C_TRY(const HostRecord host, FindHost(api, request));
    return PrepareWay(api, request, host, change);
  });
  if (response.status == 200) TakeOn(api, request, request.Param("id"));
  return response;
}

Response RemoveHost(ApiContext& api, Request& request) {
  if (Flag(request, "lost")) return RemoveLostHost(api, request);
  return MakeWrite(api, request, {}, [&] { return PrepareRemove(api, request); });
}

}  // namespace a4cd
