// A server that is empty is forgotten; one that is gone for good with all that was there, once
// somebody has said so.
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/confirm.h"
#include "apps/a4c/commands/several.h"

namespace a4c_cli {
namespace {

using a4c::Json;

struct RemoveOptions {
  Names hosts{"host"};
  bool is_lost = false;
  bool is_sure = false;
};

std::string PathOf(const std::string& host) {
  return "/v1/hosts/" + PercentEncode(host);
}

std::string CountOf(const Json& count, const std::string& noun) {
  return std::to_string(count.Int()) + " " + noun + (count.Int() == 1 ? "" : "s");
}

bool IsLostForGood(Session& session, bool is_sure, const Json& host) {
  const std::string& id = host["id"].Text();
  const std::string what = CountOf(host["workspaces"], "workspace") + " and " +
                           CountOf(host["snapshots"], "snapshot") + " on " + id;
  return IsConfirmed(session, is_sure,
                     what + ", and what they have written, are lost: that " + id +
                         " is gone for good is your word, and cannot be taken back. Remove it?",
                     what + " would be given up", "if the server is gone for good: --yes");
}

// One that answers is left as it is: it is refused.
bool RemoveLost(Session& session, const RemoveOptions& options, Outcome& outcome) {
  if (!SendFor(session, {.path = PathOf(outcome.name)}, outcome)) return false;
  const Json host = outcome.shown;
  if (!IsLostForGood(session, options.is_sure, host)) return false;
  const std::string path = PathOf(outcome.name);
  if (!host["cordoned"].Bool() && !host["reachable"].Bool() &&
      !SendFor(session, {.method = "POST", .path = path + ":cordon"}, outcome)) {
    return false;
  }
  return SendFor(session, {.method = "DELETE", .path = path + "?lost=true", .is_slow = true},
                 outcome);
}

const std::vector<Column>& LostColumns() {
  static const std::vector<Column> columns = {{"ID", "id"},
                                              {"REMOVED", "removed", false, Column::As::kYesNo},
                                              {"WORKSPACES", "workspaces"},
                                              {"SNAPSHOTS", "snapshots"}};
  return columns;
}

void Remove(Session& session, const RemoveOptions& options) {
  if (options.is_lost) {
    ShowOutcomes(session, options.hosts,
                 DoForEach(session, options.hosts,
                           [&](Outcome& outcome) { return RemoveLost(session, options, outcome); }),
                 "host", LostColumns());
    return;
  }
  const auto remove = [&](Outcome& outcome) {
    return SendFor(session, {.method = "DELETE", .path = PathOf(outcome.name)}, outcome);
  };
  ShowOutcomes(session, options.hosts, DoForEach(session, options.hosts, remove), "host",
               {{"ID", "id"}, {"REMOVED", "removed", false, Column::As::kYesNo}});
}

}  // namespace

void AddHostRemove(CLI::App& host, Session& session) {
  const auto options = std::make_shared<RemoveOptions>();
  CLI::App* leaf =
      host.add_subcommand("remove", "forget a server that is empty, or one that is gone for good");
  AddNames(*leaf, options->hosts);
  CLI::Option* lost = leaf->add_flag("--lost", options->is_lost,
                                     "it is gone for good, and all that was there with it");
  AddYes(*leaf, options->is_sure)->needs(lost);
  leaf->callback([&session, options] { Remove(session, *options); });
}

}  // namespace a4c_cli
