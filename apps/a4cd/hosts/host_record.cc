#include "apps/a4cd/hosts/host_record.h"

#include <algorithm>
#include <utility>

#include "apps/a4cd/hosts/cleanup_policy.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/texts.h"

namespace a4cd {

using a4c::FieldValues;
using a4c::Json;
using a4c::Record;
using a4c::Result;

namespace {

constexpr size_t kReasonBytesMax = 300;

const a4c::Scalar* QuietOf(const Record& record, std::string_view name) {
  const auto found = record.quiet.find(name);
  return found == record.quiet.end() ? nullptr : &found->second;
}

int64_t LongOf(const Record& record, std::string_view name) {
  const a4c::Scalar* value = QuietOf(record, name);
  const auto* number = value == nullptr ? nullptr : std::get_if<int64_t>(value);
  return number == nullptr ? 0 : *number;
}

Json SpecJson(const a4c::HostSpec& spec, int64_t pinned_at) {
  Json json(Json::Object{{"address", spec.address},
                         {"fingerprint", spec.fingerprint},
                         {"settings", MapJson(spec.settings)}});
  if (pinned_at != 0) json.AppendMember("pinned_at", pinned_at);
  return json;
}

void AppendFingerprints(const HostState& state, Json& json) {
  if (state.shown.empty()) return;
  json.AppendMember("pinned_fingerprint", state.pinned);
  json.AppendMember("shown_fingerprint", state.shown);
}

Json StateJson(const HostState& state) {
  Json json(Json::Object{{"name", state.name}, {"since", state.since}});
  AppendFingerprints(state, json);
  return json;
}

HostState ReadState(const Json& state) {
  return {.name = state["name"].Text(),
          .since = state["since"].Int(),
          .pinned = state["pinned_fingerprint"].Text(),
          .shown = state["shown_fingerprint"].Text()};
}

// What an operator does about a server in quarantine.
std::string HintOf(const HostRecord& host) {
  const std::string check = "compare " + host.state.shown +
                            " with what the server's own console says (ssh-keygen -lf "
                            "/etc/ssh/ssh_host_ed25519_key.pub); ";
  if (host.spec) {
    return check + "if it is the server's: a4c host enrol " + host.id + " --fingerprint " +
           host.state.shown;
  }
  return check + "if it is the server's, pin it in hosts.config and restart the instances";
}

void AppendState(const HostRecord& host, Json& view) {
  view.AppendMember("state", host.state.name.empty() ? "unknown" : host.state.name);
  if (host.state.name.empty()) return;
  view.AppendMember("state_since", TimeText(host.state.since));
  if (host.state.name != kQuarantined) return;
  view.AppendMember("state_reason", "host_key_changed");
  AppendFingerprints(host.state, view);
  view.AppendMember("hint", HintOf(host));
}

// Why a server does not answer may be in its own words, of any bytes; a record holds text.
std::string Plain(std::string text) {
  text.resize(std::min(text.size(), kReasonBytesMax));
  for (int cut = 0; cut < 3 && !a4c::IsUtf8(text) && !text.empty(); ++cut) text.pop_back();
  std::ranges::replace_if(
      text,
      [valid = a4c::IsUtf8(text)](char c) { return c == '\0' || (!valid && (c & 0x80) != 0); },
      '?');
  return text;
}

Json FiguresJson(const HostFigures& figures, int64_t store_time_ms) {
  const a4c::Host& host = figures.host;
  Json kept(Json::Object{{"reachable", host.reachable},
                         {"reason", Plain(host.reason)},
                         {"disk_total_bytes", host.disk_total_bytes},
                         {"disk_used_bytes", host.disk_used_bytes},
                         {"disk_free_bytes", host.disk_free_bytes},
                         {"disk_other_bytes", figures.other_bytes},
                         {"inodes_total", host.inodes_total},
                         {"inodes_free", host.inodes_free},
                         {"memory_total_bytes", host.memory_total_bytes},
                         {"cpu_total_millis", host.cpu_total_millis},
                         {"arch", host.arch},
                         {"versions", MapJson(host.versions)},
                         {"warnings", ListJson(host.warnings)},
                         {"asked_at", store_time_ms - figures.asked_ms},
                         {"apart", figures.is_apart}});
  if (!host.reachable) kept.AppendMember("silent_since", store_time_ms - figures.silent_ms);
  return kept;
}

// What an older version has written was never asked, and so is at once.
Result<HostFigures> FiguresOf(const std::string& id, const std::string& text, int64_t read_at_ms,
                              int64_t store_time_ms) {
  A4C_TRY(const Json kept, a4c::ParseJson(text));
  const Json& silent_since = kept["silent_since"];
  const auto age = [&](int64_t at_ms) { return std::max<int64_t>(0, store_time_ms - at_ms); };
  return HostFigures{.host = {.id = id,
                              .reachable = kept["reachable"].Bool(),
                              .reason = kept["reason"].Text(),
                              .disk_total_bytes = kept["disk_total_bytes"].Int(),
                              .disk_used_bytes = kept["disk_used_bytes"].Int(),
                              .disk_free_bytes = kept["disk_free_bytes"].Int(),
                              .inodes_total = kept["inodes_total"].Int(),
                              .inodes_free = kept["inodes_free"].Int(),
                              .memory_total_bytes = kept["memory_total_bytes"].Int(),
                              .cpu_total_millis = kept["cpu_total_millis"].Int(),
                              .age_ms = age(read_at_ms),
                              .arch = kept["arch"].Text(),
                              .versions = MapOf(kept["versions"]),
                              .warnings = ListOf(kept["warnings"])},
                     .other_bytes = kept["disk_other_bytes"].Int(),
                     .asked_ms = age(kept["asked_at"].Int()),
                     .silent_ms = silent_since.IsNull() ? 0 : age(silent_since.Int()),
                     .is_apart = kept["apart"].Bool()};
}

void WarnIfFull(const std::string& host, const char* what, int64_t total, int64_t used,
                std::vector<std::string>& warnings) {
  if (total <= 0) return;
  const double share = static_cast<double>(used) / static_cast<double>(total);
  if (share < CleanupPolicy().act_at) return;
  warnings.push_back(std::string(what) + " " + std::to_string(static_cast<int>(share * 100)) +
                     " % full: a4c host cleanup " + host);
}

// What it says itself, and what its figures say.
std::vector<std::string> WarningsOf(const a4c::Host& host) {
  std::vector<std::string> warnings = host.warnings;
  WarnIfFull(host.id, "disk", host.disk_total_bytes, host.disk_used_bytes, warnings);
  WarnIfFull(host.id, "inodes", host.inodes_total, host.inodes_total - host.inodes_free, warnings);
  return warnings;
}

}  // namespace

HostState StateOf(const a4c::Host& host, int64_t now_ms) {
  if (host.reachable) return {.name = kReachable, .since = now_ms};
  if (host.shown_fingerprint.empty()) return {.name = kUnreachable, .since = now_ms};
  return {.name = kQuarantined,
          .since = now_ms,
          .pinned = host.pinned_fingerprint,
          .shown = host.shown_fingerprint};
}

a4c::RecordRef HostRef(const std::string& id) {
  return {"host", {"", id}};
}

std::string HostBody(const HostRecord& host) {
  Json body(Json::Object{{"server", host.id}});
  body.AppendMember("cordoned", host.cordoned);
  body.AppendMember("draining", host.draining);
  if (host.drains_volumes) body.AppendMember("drains_volumes", true);
  if (!host.labels.empty()) body.AppendMember("labels", MapJson(host.labels));
  if (host.spec) body.AppendMember("enrolment", SpecJson(*host.spec, host.pinned_at));
  if (!host.state.name.empty()) body.AppendMember("state", StateJson(host.state));
  if (host.updated_at != 0) body.AppendMember("updated_at", host.updated_at);
  if (!host.by.empty()) body.AppendMember("by", host.by);
  return body.ToString();
}

Result<HostRecord> HostRecordOf(const Record& record, int64_t store_time_ms) {
  A4C_TRY(const Json body, a4c::ParseJson(record.body));
  HostRecord host{.id = record.ref.key.id,
                  .rev = record.rev,
                  .cordoned = body["cordoned"].Bool(),
                  .draining = body["draining"].Bool(),
                  .drains_volumes = body["drains_volumes"].Bool(),
                  .labels = MapOf(body["labels"]),
                  .spec = std::nullopt,
                  .state = ReadState(body["state"]),
                  .updated_at = body["updated_at"].Int(),
                  .by = body["by"].Text(),
                  .figures = std::nullopt,
                  .committed = {LongOf(record, kDiskCommitted), LongOf(record, kMemoryCommitted),
                                LongOf(record, kCpuCommitted)},
                  .counters = {}};
  for (const std::string_view name : {kDiskCommitted, kMemoryCommitted, kCpuCommitted}) {
    const a4c::Scalar* value = QuietOf(record, name);
    host.counters[std::string(name)] = value == nullptr ? a4c::Scalar() : *value;
  }
  if (const Json& enrolled = body["enrolment"]; enrolled.IsObject()) {
    host.spec = a4c::HostSpec{.id = host.id,
                              .address = enrolled["address"].Text(),
                              .fingerprint = enrolled["fingerprint"].Text(),
                              .settings = MapOf(enrolled["settings"])};
    host.pinned_at = enrolled["pinned_at"].Int();
  }
  const a4c::Scalar* figures = QuietOf(record, "figures");
  if (const auto* text = figures == nullptr ? nullptr : std::get_if<std::string>(figures)) {
    A4C_TRY(host.figures, FiguresOf(host.id, *text, LongOf(record, "figures_at"), store_time_ms));
  }
  return host;
}

FieldValues FiguresFields(const HostFigures& figures, int64_t store_time_ms) {
  return {{"figures", FiguresJson(figures, store_time_ms).ToString()},
          {"figures_at", store_time_ms - figures.host.age_ms}};
}

Server ServerOf(const HostRecord& host) {
  const a4c::Host figures = host.figures ? host.figures->host : a4c::Host{};
  return {.id = host.id,
          .total = {figures.disk_total_bytes, figures.memory_total_bytes, figures.cpu_total_millis},
          .committed = host.committed,
          .disk_other_bytes = host.figures ? host.figures->other_bytes : 0,
          .inodes_total = figures.inodes_total,
          .inodes_used = figures.inodes_total - figures.inodes_free,
          .arch = figures.arch,
          .labels = host.labels,
          .reachable = figures.reachable,
          .cordoned = host.cordoned || host.draining,
          .age_ms = figures.age_ms,
          .rev = host.rev};
}

Json HostView(const HostRecord& host) {
  const a4c::Host figures = host.figures ? host.figures->host : a4c::Host{};
  Json view(Json::Object{{"id", host.id}, {"reachable", figures.reachable}});
  if (!host.figures) {
    view.AppendMember("reason", "its figures have not been read yet");
  } else if (!figures.reason.empty()) {
    view.AppendMember("reason", figures.reason);
  }
  AppendState(host, view);
  view.AppendMember("cordoned", host.cordoned);
  view.AppendMember("draining", host.draining);
  view.AppendMember("drains_volumes", host.drains_volumes);
  if (host.spec) {
    view.AppendMember("address", host.spec->address);
    view.AppendMember("fingerprint", host.spec->fingerprint);
    view.AppendMember("settings", MapJson(host.spec->settings));
  }
  view.AppendMember("labels", MapJson(host.labels));
  view.AppendMember("arch", figures.arch);
  view.AppendMember("versions", MapJson(figures.versions));
  view.AppendMember("warnings", ListJson(WarningsOf(figures)));
  view.AppendMember("disk_total_bytes", figures.disk_total_bytes);
  view.AppendMember("disk_used_bytes", figures.disk_used_bytes);
  view.AppendMember("disk_free_bytes", figures.disk_free_bytes);
  view.AppendMember("inodes_total", figures.inodes_total);
  view.AppendMember("inodes_free", figures.inodes_free);
  view.AppendMember("disk_committed_bytes", host.committed.disk_bytes);
  view.AppendMember("memory_total_bytes", figures.memory_total_bytes);
  view.AppendMember("memory_committed_bytes", host.committed.memory_bytes);
  view.AppendMember("cpu_total_millis", figures.cpu_total_millis);
  view.AppendMember("cpu_committed_millis", host.committed.cpu_millis);
  view.AppendMember("age_ms", figures.age_ms);
  view.AppendMember("rev", host.rev);
  return view;
}

}  // namespace a4cd
