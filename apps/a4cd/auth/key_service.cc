#include "apps/a4cd/auth/key_service.h"

#include <algorithm>
#include <span>
#include <utility>

#include "apps/a4cd/auth/api_key.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Expect;
using a4c::Json;
using a4c::Record;
using a4c::Result;

constexpr size_t kRememberedMax = 10'000;
constexpr size_t kGetMax = 100;  // records at once
constexpr int64_t kShareMax = 1'000;

a4c::RecordRef KeyRef(const std::string& id) {
  return {"api_key", {"", id}};
}
a4c::RecordRef TenantRef(const std::string& id) {
  return {"tenant", {"", id}};
}

std::string TenantBody(const Tenant& tenant) {
  Json body(Json::Object{});
  body.AppendMember("name", tenant.name);
  body.AppendMember("share", tenant.share);
  body.AppendMember("created_at", tenant.created_at);
  return body.ToString();
}

Result<Tenant> TenantOf(const Record& record) {
  A4C_TRY(const Json body, a4c::ParseJson(record.body));
  return Tenant{.id = record.ref.key.id,
                .rev = record.rev,
                .name = body["name"].Text(),
                .share = body["share"].Int(1),
                .created_at = body["created_at"].Int()};
}

Tenant FirstTenant() {
  return {.id = kDefaultTenant, .name = "the first tenant"};
}

Json ScopesJson(const std::vector<std::string>& scopes) {
  Json list(Json::Array{});
  for (const std::string& scope : scopes) list.Append(scope);
  return list;
}

std::string KeyBody(const ApiKey& key) {
  Json body(Json::Object{});
  body.AppendMember("tenant", key.tenant);
  body.AppendMember("name", key.name);
  body.AppendMember("hash", key.hash);
  body.AppendMember("scopes", ScopesJson(key.scopes));
  body.AppendMember("created_at", key.created_at);
  if (key.expires_at != 0) body.AppendMember("expires_at", key.expires_at);
  body.AppendMember("created_by", key.created_by);
  return body.ToString();
}

Result<ApiKey> KeyOf(const Record& record) {
  A4C_TRY(const Json body, a4c::ParseJson(record.body));
  ApiKey key;
  key.id = record.ref.key.id;
  key.rev = record.rev;
  key.tenant = body["tenant"].Text();
  key.name = body["name"].Text();
  key.hash = body["hash"].Text();
  for (const Json& scope : body["scopes"].Items()) key.scopes.push_back(scope.Text());
  key.created_at = body["created_at"].Int();
  key.expires_at = body["expires_at"].Int();
  key.created_by = body["created_by"].Text();
  return key;
}

Error Refused() {
  return Error(Code::kDenied, "the API key is not known, or was revoked, or has expired",
               "make one: a4c key create; the first one, or when none is left: a4cd bootstrap-key");
}

// What the store has against a4cd is not what we have against the key.
Error NotAsked(const Error& error) {
  if (error.code() != Code::kDenied) return error;
  return Error(Code::kUnavailable, "the store refuses a4cd: " + error.message(), error.hint());
}

bool IsScope(const std::string& scope) {
  return std::ranges::any_of(kKnownScopes,
                             [&](const KnownScope& known) { return scope == known.name; });
}

std::string ScopeNames() {
  std::string names;
  for (const KnownScope& known : kKnownScopes) {
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  return names;
}

}  // namespace

Json ApiKeyView(const ApiKey& key) {
  Json view(Json::Object{});
  view.AppendMember("id", key.id);
  view.AppendMember("name", key.name);
  view.AppendMember("tenant", key.tenant);
  view.AppendMember("scopes", ScopesJson(key.scopes));
  view.AppendMember("created_at", TimeText(key.created_at));
  if (key.expires_at != 0) view.AppendMember("expires_at", TimeText(key.expires_at));
  view.AppendMember("created_by", key.created_by);
  view.AppendMember("rev", key.rev);
  return view;
}

std::optional<Principal> KeyService::Recall(const std::string& hash) {
  std::lock_guard lock(mutex_);
  const auto found = cache_.find(hash);
  if (found == cache_.end()) return std::nullopt;
  const Remembered& remembered = found->second;
  if (HasExpired(remembered.principal.expires_at) ||
      remembered.until_ms <= runtime_.clock.MonotonicMs()) {
    cache_.erase(found);
    return std::nullopt;
  }
  return remembered.principal;
}

void KeyService::Remember(const std::string& hash, const Principal& principal) {
  if (cache_ms_ <= 0) return;
  std::lock_guard lock(mutex_);
  if (cache_.size() >= kRememberedMax) cache_.clear();
  cache_[hash] = {principal, runtime_.clock.MonotonicMs() + cache_ms_};
}

void KeyService::Forget(const std::string& id) {
  std::lock_guard lock(mutex_);
  std::erase_if(cache_, [&](const auto& entry) { return entry.second.principal.key_id == id; });
}

Result<std::set<std::string>> KeyService::Good(const Call& call, const std::set<std::string>& ids) {
  std::vector<a4c::RecordRef> refs;
  for (const std::string& id : ids) refs.push_back(KeyRef(id));
  std::set<std::string> good;
  for (size_t at = 0; at < refs.size(); at += kGetMax) {
    const auto some = std::span(refs).subspan(at, std::min(kGetMax, refs.size() - at));
    A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, some));
    for (const std::optional<Record>& record : answer.records) {
      if (!record || record->tombstone) continue;
      A4C_TRY(const ApiKey key, KeyOf(*record));
      if (!HasExpired(key.expires_at)) good.insert(key.id);
    }
  }
  return good;
}

Result<Principal> KeyService::Authenticate(const Call& call, const std::string& key) {
  if (!IsApiKey(key)) return Refused();
  const std::string hash = ApiKeyHash(key);
  if (std::optional<Principal> principal = Recall(hash)) return *std::move(principal);
  const a4c::RecordRef ref = KeyRef(ApiKeyId(hash));
  const Result<a4c::GetAnswer> answer = database_.Get(call, std::span(&ref, 1));
  if (!answer) return NotAsked(answer.error());
  const std::optional<Record>& record = answer->records.at(0);
  if (!record || record->tombstone) return Refused();
  A4C_TRY(const ApiKey known, KeyOf(*record));
  if (!SameHash(hash, known.hash)) return Refused();
  if (HasExpired(known.expires_at)) return Refused();
  Principal principal{
      known.tenant, known.id, {known.scopes.begin(), known.scopes.end()}, known.expires_at};
  Remember(hash, principal);
  return principal;
}

KeyDraft KeyService::ReadDraft(const Json& request, const Principal& principal,
                               Faults& faults) const {
  FieldReader fields(request, "", faults);
  KeyDraft draft;
  draft.name = fields.Text("name", {.required = true, .bytes_max = 200});
  draft.tenant = fields.Text("tenant", {.bytes_max = 63});
  if (draft.tenant.empty()) draft.tenant = principal.tenant;
  if (draft.tenant != principal.tenant && !principal.Allows("tenants:admin")) {
    fields.Add("tenant", "is another tenant: that needs the scope tenants:admin");
  }
  draft.scopes = fields.TextList("scopes", {.count_max = 32});
  if (draft.scopes.empty()) fields.Add("scopes", "is required", "for example [\"jobs:read\"]");
  for (const std::string& scope : draft.scopes) {
    if (!IsScope(scope)) {
      fields.Add("scopes", "\"" + scope + "\" is no scope", "one of " + ScopeNames());
    } else if (!principal.Allows(scope)) {
      fields.Add("scopes", "\"" + scope + "\" is not yours to give");
    }
  }
  draft.ttl_ms = fields.DurationMs("ttl");
  CheckTtl(draft.ttl_ms, fields);
  if (principal.expires_at != 0) {
    const int64_t left_ms = principal.expires_at - database_.NowMs();
    if (draft.ttl_ms == 0 || draft.ttl_ms > left_ms) {
      fields.Add("ttl", "is longer than your own key has",
                 "it expires at " + TimeText(principal.expires_at));
    }
  }
  fields.RefuseOthers();
  return draft;
}

KeyService::NewKey KeyService::PrepareCreate(const KeyDraft& draft, const std::string& created_by) {
  NewKey made;
  made.key = NewApiKey(runtime_.random);
  ApiKey key;
  key.hash = ApiKeyHash(made.key);
  key.id = ApiKeyId(key.hash);
  key.tenant = draft.tenant;
  key.name = draft.name;
  key.scopes = draft.scopes;
  key.created_at = database_.NowMs();
  if (draft.ttl_ms > 0) key.expires_at = key.created_at + draft.ttl_ms;
  key.created_by = created_by;
  made.write.commit.changes.push_back(
      {.ref = KeyRef(key.id), .body = KeyBody(key), .expect = Expect::Absent()});
  key.rev = 1;
  made.write.view = ApiKeyView(key);
  made.write.id = key.id;
  made.write.rev = 1;
  return made;
}

Result<ApiKey> KeyService::Get(const Call& call, const std::string& tenant, const std::string& id) {
  const Error missing(Code::kNotFound, "there is no API key " + id, "list them: a4c key list");
  const a4c::RecordRef ref = KeyRef(id);
  if (!a4c::CheckKey(ref.key)) return missing;
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  const std::optional<Record>& record = answer.records.at(0);
  if (!record || record->tombstone) return missing;
  A4C_TRY(ApiKey key, KeyOf(*record));
  if (key.tenant != tenant) return missing;
  return key;
}

Result<KeyService::Page> KeyService::List(const Call& call, const std::string& tenant,
                                          const std::string& after, int limit) {
  A4C_TRY(const a4c::ScanAnswer answer, database_.Scan(call, {.kind = "api_key",
                                                              .index = "by_tenant",
                                                              .prefix = {tenant},
                                                              .after = after,
                                                              .limit = limit}));
  Page page{.keys = {}, .next = answer.next};
  for (const Record& record : answer.records) {
    A4C_TRY(ApiKey key, KeyOf(record));
    page.keys.push_back(std::move(key));
  }
  return page;
}

PreparedWrite KeyService::PrepareRevoke(const ApiKey& key) {
  PreparedWrite write;
  write.commit.changes.push_back({.ref = KeyRef(key.id),
                                  .body = KeyBody(key),
                                  .tombstone = true,
                                  .expect = Expect::Rev(key.rev)});
  write.id = key.id;
  write.rev = key.rev + 1;
  write.view = Json::Object{{"id", key.id}, {"revoked", true}};
  write.decide_again = true;
  return write;
}

// Nobody asked the API for it: else only the key itself would tell.
a4c::Put KeyService::AuditOfBootstrap(const std::string& tenant, const PreparedWrite& key) const {
  const Json row(Json::Object{{"at", database_.NowMs()},
                              {"key_id", "bootstrap"},
                              {"operation", "a4cd bootstrap-key --again"},
                              {"outcome", "applied"},
                              {"record_kind", "api_key"},
                              {"record_id", key.id}});
  return {.ref = {"audit", {tenant, "bootstrap-" + key.id}},
          .body = row.ToString(),
          .expect = Expect::Absent()};
}

Result<bool> KeyService::HasAny(const Call& call) {
  A4C_TRY(const a4c::ScanAnswer answer, database_.Scan(call, {.kind = "api_key", .limit = 1}));
  return !answer.records.empty();
}

Result<std::optional<std::string>> KeyService::Bootstrap(const Call& call,
                                                         const std::string& tenant, Again again) {
  A4C_TRY(const bool has_one, HasAny(call));
  if (has_one && again == Again::kNo) return std::optional<std::string>();
  NewKey made =
      PrepareCreate({.name = "bootstrap", .tenant = tenant, .scopes = {"*"}}, "bootstrap");
  if (has_one) made.write.commit.also.emplace_back(AuditOfBootstrap(tenant, made.write));
  A4C_TRY(const a4c::Committed done, database_.Write(call, made.write.commit));
  if (done.outcome != a4c::Committed::Outcome::kApplied) {
    return Error(Code::kConflict, "another process makes the first key at this moment");
  }
  return std::optional<std::string>(made.key);
}

Json TenantView(const Tenant& tenant) {
  Json view(Json::Object{{"id", tenant.id}, {"name", tenant.name}, {"share", tenant.share}});
  if (tenant.created_at != 0) view.AppendMember("created_at", TimeText(tenant.created_at));
  return view;
}

TenantChange ReadTenantChange(const Json& request, Faults& faults) {
  FieldReader fields(request, "", faults);
  TenantChange change;
  const auto is_given = [&](const char* name) { return request.Find(name) != nullptr; };
  if (is_given("name")) change.name = fields.Text("name", {.required = true, .bytes_max = 200});
  if (is_given("share")) {
    if (request["share"].IsNull()) fields.Add("share", "is a number");
    change.share = fields.Long("share", {.fallback = 1, .min = 1, .max = kShareMax});
  }
  if (request.IsObject() && !is_given("name") && !is_given("share")) {
    fields.Any("name");
    fields.Any("share");
    if (request.Members().empty()) faults.push_back({"", "changes nothing", "name or share"});
  }
  fields.RefuseOthers();
  return change;
}

PreparedWrite KeyService::PrepareTenant(const Json& request, Faults& faults) {
  FieldReader fields(request, "", faults);
  const std::string id = fields.Text("id", {.required = true, .bytes_max = 63});
  const std::string name = fields.Text("name", {.bytes_max = 200});
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (!std::ranges::all_of(id, fits)) fields.Add("id", "has letters a-z, digits and hyphens only");
  if (id == kDefaultTenant) fields.Add("id", "is there already");
  const int64_t share = fields.Long("share", {.fallback = 1, .min = 1, .max = kShareMax});
  fields.RefuseOthers();
  const Tenant tenant{.id = id,
                      .rev = 1,
                      .name = name.empty() ? id : name,
                      .share = share,
                      .created_at = database_.NowMs()};
  PreparedWrite write;
  write.commit.changes.push_back(
      {.ref = TenantRef(id), .body = TenantBody(tenant), .expect = Expect::Absent()});
  write.id = id;
  write.rev = 1;
  write.view = TenantView(tenant);
  return write;
}

Result<Tenant> KeyService::GetTenant(const Call& call, const std::string& id) {
  if (id == kDefaultTenant) return FirstTenant();
  const Error missing(Code::kNotFound, "there is no tenant " + id, "list them: a4c tenant list");
  const a4c::RecordRef ref = TenantRef(id);
  if (!a4c::CheckKey(ref.key)) return missing;
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  const std::optional<Record>& record = answer.records.at(0);
  if (!record || record->tombstone) return missing;
  return TenantOf(*record);
}

Result<PreparedWrite> KeyService::PrepareUpdate(const Tenant& tenant, const TenantChange& change) {
  if (tenant.rev == 0) {
    return Error(Code::kConflict, "the tenant " + tenant.id + " has a share of 1, for good",
                 "give the others more, or use tenants of your own");
  }
  Tenant after = tenant;
  after.rev = tenant.rev + 1;
  after.name = change.name.value_or(tenant.name);
  after.share = change.share.value_or(tenant.share);
  PreparedWrite write;
  write.commit.changes.push_back(
      {.ref = TenantRef(tenant.id), .body = TenantBody(after), .expect = Expect::Rev(tenant.rev)});
  write.id = tenant.id;
  write.rev = after.rev;
  write.view = TenantView(after);
  write.decide_again = true;
  return write;
}

Result<Json> KeyService::ListTenants(const Call& call) {
  A4C_TRY(const a4c::ScanAnswer answer,
          database_.Scan(call, {.kind = "tenant", .scope = "", .limit = 10'000}));
  Json items(Json::Array{});
  items.Append(TenantView(FirstTenant()));
  for (const Record& record : answer.records) {
    A4C_TRY(const Tenant tenant, TenantOf(record));
    items.Append(TenantView(tenant));
  }
  return Json(Json::Object{{"items", std::move(items)}});
}

Result<bool> KeyService::TenantExists(const Call& call, const std::string& tenant) {
  if (tenant == kDefaultTenant) return true;
  const a4c::RecordRef ref = TenantRef(tenant);
  if (!a4c::CheckKey(ref.key)) return false;
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  return answer.records.at(0).has_value() && !answer.records[0]->tombstone;
}

}  // namespace a4cd
