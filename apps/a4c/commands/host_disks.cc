// How full the disks of servers are, with what, and what could go.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/host_add.h"

namespace a4c_cli {
namespace {

using a4c::Json;

constexpr int kBarCells = 30;

std::string Padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

// "[#######=======.......]": used, reserved beside that, free.
std::string Bar(int64_t used, int64_t reserved, int64_t total) {
  const auto cells = [&](int64_t bytes) {
    const double share = total == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(total);
    return static_cast<size_t>(std::lround(std::clamp(share, 0.0, 1.0) * kBarCells));
  };
  const size_t full = cells(used);
  const size_t taken = std::max(full, cells(std::max(used, reserved)));
  return "[" + std::string(full, '#') + std::string(taken - full, '=') +
         std::string(kBarCells - taken, '.') + "]";
}

std::string DiskLine(const Json& host, size_t width) {
  const std::string id = Padded(host["id"].Text(), width);
  if (!host["reachable"].Bool()) return id + "  out of reach: " + host["reason"].Text() + "\n";
  const int64_t total = host["disk_total_bytes"].Int();
  const int64_t used = host["disk_used_bytes"].Int();
  char percent[16];
  std::snprintf(percent, sizeof(percent), " %3.0f %%  ",
                total == 0 ? 0.0 : 100.0 * static_cast<double>(used) / static_cast<double>(total));
  return id + "  " + Bar(used, host["disk_committed_bytes"].Int(), total) + percent +
         BytesText(used) + " of " + BytesText(total) + ", " +
         BytesText(host["disk_committed_bytes"].Int()) + " reserved, " +
         std::to_string(host["age_ms"].Int() / 1000) + " s ago\n";
}

void ShowAll(Session& session) {
  Reply reply;
  if (!session.Send({.path = "/v1/hosts"}, reply)) return;
  if (!session.IsForPeople()) return session.Show(reply.body, "host", HostColumns());
  size_t width = 0;
  for (const Json& host : reply.body["items"].Items()) {
    width = std::max(width, host["id"].Text().size());
  }
  for (const Json& host : reply.body["items"].Items()) session.ShowWords(DiskLine(host, width));
}

std::string PartLine(const char* what, int64_t bytes, int64_t total) {
  return Padded(what, 12) + Bar(bytes, 0, total) + " " + BytesText(bytes) + "\n";
}

// It has items, and is no list.
std::string UsageText(const Json& usage, Format format) {
  if (format == Format::kName) return "host/" + usage["host"].Text() + "\n";
  return format == Format::kYaml ? YamlText(usage) : usage.ToString() + "\n";
}

void ShowOne(Session& session, const std::string& id) {
  Reply reply;
  const std::string path = "/v1/hosts/" + PercentEncode(BareId(id, "host")) + "/usage";
  if (!session.Send({.path = path}, reply)) return;
  const Json& usage = reply.body;
  if (!session.IsForPeople()) return session.ShowText(UsageText(usage, session.format()));
  const int64_t total = usage["disk_total_bytes"].Int();
  const int64_t used = usage["disk_used_bytes"].Int();
  const int64_t workspaces = usage["workspaces_bytes"].Int();
  const int64_t images = usage["images_bytes"].Int();
  const int64_t cache = std::min(usage["cache_bytes"].Int(), images);
  session.ShowText(PartLine("used", used, total) + PartLine("workspaces", workspaces, total) +
                   PartLine("images", images - cache, total) + PartLine("cache", cache, total) +
                   PartLine("other", std::max<int64_t>(0, used - workspaces - images), total));
  const int64_t inodes = usage["inodes_total"].Int();
  if (inodes == 0) return;
  session.ShowText(Padded("inodes", 12) + Bar(inodes - usage["inodes_free"].Int(), 0, inodes) +
                   " " + std::to_string(usage["inodes_free"].Int()) + " free\n");
}

struct CleanupOptions {
  std::string id;
  bool is_dry = false;
  bool wait = false;
  int64_t timeout_s = 600;
};

const std::vector<Column>& ItemColumns() {
  static const std::vector<Column> columns = {
      {"KIND", "kind"}, {"NAME", "name"}, {"BYTES", "bytes", false, Column::As::kBytes}};
  return columns;
}

void Clean(Session& session, const CleanupOptions& options) {
  Json payload(Json::Object{{"host", BareId(options.id, "host")}});
  if (options.is_dry) payload.AppendMember("dry_run", true);
  Json body(Json::Object{{"type", "host.cleanup"}});
  body.AppendMember("payload", std::move(payload));
  Reply reply;
  if (!session.Send({"POST", "/v1/jobs", body.ToString()}, reply)) return;
  if (!options.is_dry && !options.wait) return session.Show(reply.body, "job", JobColumns());
  session.exit_code = WaitForJob(session, reply.body, options.timeout_s * 1000);
  if (session.exit_code != kOk || !session.IsForPeople() || WaitsInNdjson(session)) return;
  const std::string path = "/v1/jobs/" + PercentEncode(reply.body["id"].Text());
  if (!session.Send({.path = path}, reply)) return;
  const Json& result = reply.body["result"];
  session.Show(Json(Json::Object{{"items", result["items"]}}), "item", ItemColumns());
  session.Note(BytesText(result["bytes"].Int()) +
               (options.is_dry ? " would be given back" : " were given back"));
}

const std::vector<Column>& LeastUsedColumns() {
  static const std::vector<Column> columns = {
      {"ID", "id"},
      {"DISK USED AFTERWARDS", "score", false, Column::As::kPercent},
      {"RESERVED", "disk_committed_bytes", false, Column::As::kBytes},
      {"OTHER", "disk_other_bytes", false, Column::As::kBytes},
      {"DISK TOTAL", "disk_total_bytes", false, Column::As::kBytes},
      {"AGE MS", "age_ms", true}};
  return columns;
}

}  // namespace

void AddHostLeastUsed(CLI::App& host, Session& session) {
  CLI::App* leaf = host.add_subcommand(
      "least-used", "the server whose disk is the least used of those with room");
  const auto asked =
      AddListOptions(*leaf, {{"--disk", "disk", "room for 20GiB; none: the default of a workspace"},
                             {"--memory", "memory", "512MiB, 4GiB"},
                             {"--cpu-millis", "cpu_millis", "1000 is one core"},
                             {"--arch", "arch", "amd64, arm64"},
                             kByLabel});
  leaf->callback([&session, asked] {
    Reply reply;
    const std::string path = WithQuery("/v1/hosts:least-used", QueryOf(*asked));
    if (session.Send({.path = path}, reply)) session.Show(reply.body, "host", LeastUsedColumns());
  });
}

void AddHostDisks(CLI::App& host, Session& session) {
  const auto id = std::make_shared<std::string>();
  CLI::App* leaf = host.add_subcommand("disks", "how full the disks are: all, or one with what");
  leaf->add_option("host", *id, "its id");
  leaf->callback([&session, id] { id->empty() ? ShowAll(session) : ShowOne(session, *id); });
}

void AddHostCleanup(CLI::App& host, Session& session) {
  const auto options = std::make_shared<CleanupOptions>();
  CLI::App* leaf = host.add_subcommand("cleanup", "take away what nothing on a server needs");
  leaf->add_option("host", options->id, "its id")->required();
  leaf->add_flag("--dry-run", options->is_dry, "only tell what would go");
  leaf->add_flag("--wait", options->wait, "until it has ended");
  AddTimeout(*leaf, options->timeout_s);
  leaf->callback([&session, options] { Clean(session, *options); });
}

}  // namespace a4c_cli
