// Units that no record names go for good: looked at first, named, and confirmed.
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/confirm.h"

namespace a4c_cli {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;

struct PurgeOptions {
  std::string id;
  std::vector<std::string> units;
  bool is_all = false;
  bool is_dry = false;
  bool is_sure = false;
  int64_t timeout_s = 600;
};

const std::vector<Column>& UnitColumns() {
  static const std::vector<Column> columns = {
      {"UNIT", "unit"},
      {"ACTUAL", "actual", false, Column::As::kState},
      {"STARTED", "started_at", false, Column::As::kAge},
      {"DISK", "disk_used_bytes", false, Column::As::kBytes},
      {"TENANT", "tenant"},
      {"WORKSPACE", "workspace", true},
      {"SNAPSHOT", "snapshot", true},
      {"STAYS", "stays"}};
  return columns;
}

const std::vector<Column>& ResultColumns() {
  static const std::vector<Column> columns = {
      {"UNIT", "unit"},
      {"RESULT", "result"},
      {"DISK", "disk_used_bytes", false, Column::As::kBytes},
      {"TENANT", "tenant", true},
      {"REASON", "reason"}};
  return columns;
}

void ShowUnits(Session& session, const Json& units, const std::vector<Column>& columns) {
  session.Show(Json(Json::Object{{"items", units}}), "unit", columns);
}

// A host.purge job at its end; it has no result if exit_code is set, unless it has failed in part.
Json RunJob(Session& session, const PurgeOptions& options, Json payload) {
  Json body(Json::Object{{"type", "host.purge"}});
  body.AppendMember("payload", std::move(payload));
  Reply reply;
  if (!session.Send({"POST", "/v1/jobs", body.ToString()}, reply)) return nullptr;
  session.exit_code = AwaitJob(session, reply.body, options.timeout_s * 1000);
  return reply.body;
}

Json Payload(const PurgeOptions& options) {
  return Json(Json::Object{{"host", BareId(options.id, "host")}});
}

// Of those that are there the ones that are meant. False: exit_code is set.
bool Choose(Session& session, const PurgeOptions& options, const Json& unclaimed, Json& chosen) {
  chosen = Json::Array{};
  for (const Json& unit : unclaimed.Items()) {
    const std::string& stays = unit["stays"].Text();
    if (options.is_all && stays.empty()) chosen.Append(unit);
    if (options.is_all && !stays.empty()) session.Note(unit["unit"].Text() + " stays: " + stays);
  }
  for (const std::string& name : options.units) {
    const auto is_it = [&](const Json& unit) { return unit["unit"].Text() == name; };
    const auto& items = unclaimed.Items();
    const auto found = std::ranges::find_if(items, is_it);
    if (found == items.end()) {
      session.exit_code =
          session.Complain(Error(Code::kNotFound, options.id + " has no unclaimed unit " + name,
                                 "list them: a4c host purge " + options.id));
      return false;
    }
    chosen.Append(*found);
  }
  return true;
}

// False: exit_code is set.
bool IsMeantFor(Session& session, const PurgeOptions& options, const Json& chosen) {
  const std::string what = std::to_string(chosen.Items().size()) +
                           (chosen.Items().size() == 1 ? " unit" : " units") + " of " + options.id;
  const Style style{Format::kTable, ColorWanted(STDERR_FILENO), session.runtime.clock.NowMs()};
  return IsConfirmed(session, options.is_sure,
                     Render(chosen, "unit", UnitColumns(), style, false) + what +
                         " and all that they keep would be gone for good. Purge?",
                     what + " would be purged", "look with --dry-run, then: --yes");
}

void ShowUnclaimed(Session& session, const PurgeOptions& options, const Json& listed) {
  ShowUnits(session, listed["unclaimed"], UnitColumns());
  const auto shown = static_cast<int64_t>(listed["unclaimed"].Items().size());
  const int64_t more = listed["unclaimed_count"].Int() - shown;
  if (more > 0) session.Note("and " + std::to_string(more) + " more, shown once these are gone");
  if (shown == 0) return session.Note("every unit on " + options.id + " has a record");
  session.Note("keep one: a4c host adopt " + options.id +
               " UNIT=NAME\ntake some away: a4c host purge " + options.id +
               " --unit UNIT, or --all");
}

void PurgeChosen(Session& session, const PurgeOptions& options, Json units) {
  Json payload = Payload(options);
  payload.AppendMember("units", std::move(units));
  if (options.is_dry) payload.AppendMember("dry_run", true);
  const Json job = RunJob(session, options, std::move(payload));
  const Json& result = job["result"];
  if (result["units"].IsNull()) return;
  ShowUnits(session, result["units"], ResultColumns());
  session.Note(BytesText(result["bytes"].Int()) +
               (options.is_dry ? " would be given back" : " were given back") + ": job " +
               job["id"].Text());
}

Json NamesOf(const Json& units) {
  Json names(Json::Array{});
  for (const Json& unit : units.Items()) names.Append(unit["unit"].Text());
  return names;
}

void Purge(Session& session, const PurgeOptions& options) {
  const bool is_list = options.units.empty() && !options.is_all;
  const bool asks = !options.is_sure && !options.is_dry;
  if (!is_list && !options.is_all && !asks) {
    Json names(Json::Array{});
    for (const std::string& unit : options.units) names.Append(unit);
    return PurgeChosen(session, options, std::move(names));
  }
  const Json look = RunJob(session, options, Payload(options));
  if (session.exit_code != kOk) return;
  const Json& listed = look["result"];
  if (is_list) return ShowUnclaimed(session, options, listed);
  Json chosen;
  if (!Choose(session, options, listed["unclaimed"], chosen)) return;
  if (chosen.Items().empty()) {
    return session.Note("there is nothing to purge on " + options.id);
  }
  if (asks && !IsMeantFor(session, options, chosen)) return;
  PurgeChosen(session, options, NamesOf(chosen));
}

}  // namespace

void AddHostPurge(CLI::App& host, Session& session) {
  const auto options = std::make_shared<PurgeOptions>();
  CLI::App* leaf = host.add_subcommand(
      "purge", "take away units that run on a server without a record, for good");
  leaf->add_option("host", options->id, "its id")->required();
  CLI::Option* units =
      leaf->add_option("--unit", options->units, "one of them, repeatable; none: lists them")
          ->allow_extra_args(false);
  leaf->add_flag("--all", options->is_all, "all that are listed")->excludes(units);
  leaf->add_flag("--dry-run", options->is_dry, "only tell what would go");
  AddYes(*leaf, options->is_sure);
  AddTimeout(*leaf, options->timeout_s);
  leaf->callback([&session, options] {
    options->id = BareId(options->id, "host");
    for (std::string& unit : options->units) unit = BareId(unit, "unit");
    Purge(session, *options);
  });
}

}  // namespace a4c_cli
