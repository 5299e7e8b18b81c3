#include "apps/a4cd/secrets/secret_service.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <utility>

#include "apps/a4cd/jobs/job.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Expect;
using a4c::Json;
using a4c::Record;
using a4c::Result;

constexpr size_t kNameBytesMax = 128;

a4c::RecordRef SecretRef(const std::string& tenant, const std::string& name) {
  return {"secret", {tenant, name}};
}

std::string Place(const std::string& tenant, const std::string& name) {
  return tenant + '\n' + name;
}

std::string SecretBody(const Secret& secret) {
  Json body(Json::Object{{"name", secret.name}});
  if (!secret.is_gone) body.AppendMember("sealed", secret.sealed);
  body.AppendMember("created_at", secret.created_at);
  body.AppendMember("updated_at", secret.updated_at);
  body.AppendMember("updated_by", secret.updated_by);
  return body.ToString();
}

Result<Secret> SecretOf(const Record& record) {
  A4C_TRY(const Json body, a4c::ParseJson(record.body));
  return Secret{.name = record.ref.key.id,
                .rev = record.rev,
                .is_gone = record.tombstone,
                .sealed = body["sealed"].Text(),
                .created_at = body["created_at"].Int(),
                .updated_at = body["updated_at"].Int(),
                .updated_by = body["updated_by"].Text()};
}

Error NoSecret(const std::string& name) {
  return Error(Code::kNotFound, "there is no secret " + name, "list them: a4c secret list");
}

// The write that leaves the secret as given behind.
PreparedWrite WriteOf(const std::string& tenant, Secret secret) {
  PreparedWrite write;
  write.commit.changes.push_back(
      {.ref = SecretRef(tenant, secret.name),
       .body = SecretBody(secret),
       .tombstone = secret.is_gone,
       .expect = secret.rev == 0 ? Expect::Absent() : Expect::Rev(secret.rev)});
  ++secret.rev;
  write.view = SecretView(secret);
  write.id = secret.name;
  write.rev = secret.rev;
  write.decide_again = true;
  return write;
}

}  // namespace

Json SecretView(const Secret& secret) {
  return Json::Object{{"name", secret.name},
                      {"created_at", TimeText(secret.created_at)},
                      {"updated_at", TimeText(secret.updated_at)},
                      {"updated_by", secret.updated_by},
                      {"rev", secret.rev}};
}

bool IsSecretName(std::string_view name) {
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kNameBytesMax && std::ranges::all_of(name, fits);
}

std::string SecretService::ReadValue(const Json& request, Faults& faults) {
  FieldReader fields(request, "", faults);
  std::string value = fields.Text("value", {.required = true, .bytes_max = kSecretBytesMax});
  if (value.find('\0') != std::string::npos) fields.Add("value", "holds a NUL");
  fields.RefuseOthers();
  return value;
}

Result<void> SecretService::CheckBox() const {
  if (box_ != nullptr) return {};
  return Error(Code::kUnsupported, "this installation has no key for secrets",
               "set secrets.key_file, the same for all instances: docs/guides/secrets.md");
}

Result<Secret> SecretService::Find(const Call& call, const std::string& tenant,
                                   const std::string& name) {
  const a4c::RecordRef ref = SecretRef(tenant, name);
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  const std::optional<Record>& record = answer.records.at(0);
  if (!record) return Secret{.name = name};
  return SecretOf(*record);
}

Result<Secret> SecretService::Get(const Call& call, const std::string& tenant,
                                  const std::string& name) {
  if (!IsSecretName(name)) return NoSecret(name);
  A4C_TRY(Secret secret, Find(call, tenant, name));
  if (secret.rev == 0 || secret.is_gone) return NoSecret(name);
  return secret;
}

Result<PreparedWrite> SecretService::PrepareSet(const Call& call, const Principal& principal,
                                                const std::string& name, std::string_view value) {
  A4C_CHECK(CheckBox());
  if (!IsSecretName(name)) {
    return Error(Code::kInvalid, "a secret's name has letters, digits, '-', '_' and '.' only",
                 "for example registry-token");
  }
  A4C_TRY(Secret secret, Find(call, principal.tenant, name));
  const int64_t now_ms = database_.NowMs();
  if (secret.rev == 0 || secret.is_gone) secret.created_at = now_ms;
  secret.is_gone = false;
  secret.updated_at = now_ms;
  secret.updated_by = principal.key_id;
  secret.sealed = box_->Seal(runtime_.random, Place(principal.tenant, name), value);
  return WriteOf(principal.tenant, std::move(secret));
}

Result<PreparedWrite> SecretService::PrepareDelete(const Call& call, const Principal& principal,
                                                   const std::string& name) {
  A4C_TRY(Secret secret, Get(call, principal.tenant, name));
  secret.is_gone = true;
  secret.updated_at = database_.NowMs();
  secret.updated_by = principal.key_id;
  return WriteOf(principal.tenant, std::move(secret));
}

Result<SecretService::Page> SecretService::List(const Call& call, const std::string& tenant,
                                                const std::string& after, int limit) {
  A4C_TRY(
      const a4c::ScanAnswer answer,
      database_.Scan(
          call,
          {.kind = "secret", .index = "by_name", .scope = tenant, .after = after, .limit = limit}));
  Page page{.secrets = {}, .next = answer.next};
  for (const Record& record : answer.records) {
    A4C_TRY(Secret secret, SecretOf(record));
    page.secrets.push_back(std::move(secret));
  }
  return page;
}

Result<std::string> SecretService::Fingerprint(std::string_view value) const {
  A4C_CHECK(CheckBox());
  return box_->Fingerprint(value);
}

Result<std::string> SecretService::Reveal(const Call& call, const std::string& tenant,
                                          const std::string& name) {
  A4C_CHECK(CheckBox());
  const Result<Secret> secret = Get(call, tenant, name);
  // Not as kNotFound, which is what a missing image is.
  if (!secret && secret.error().code() == Code::kNotFound) {
    return Error(Code::kInvalid, secret.error().message(), "set it: a4c secret set " + name);
  }
  if (!secret) return secret.error();
  Result<std::string> value = box_->Open(Place(tenant, name), secret->sealed);
  if (value) return value;
  return Error(Code::kInvalid, "the secret " + name + ": " + value.error().message(),
               value.error().hint());
}

}  // namespace a4cd
