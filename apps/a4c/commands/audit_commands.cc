#include <memory>

#include "apps/a4c/commands/commands.h"

namespace a4c_cli {
namespace {

using a4c::Json;

const std::vector<Column>& Columns() {
  static const std::vector<Column> columns = {{"AT", "at"},
                                              {"KEY", "key_id"},
                                              {"OPERATION", "operation"},
                                              {"OUTCOME", "outcome"},
                                              {"KIND", "record_kind"},
                                              {"RECORD", "record_id"},
                                              {"REMOTE", "remote", true},
                                              {"REQUEST", "request_id", true}};
  return columns;
}

struct Options {
  int limit = 50;
  bool all = false;
  std::shared_ptr<Asked> asked;
};

void List(Session& session, const Options& options) {
  std::string cursor;
  Json items(Json::Array{});
  do {
    Reply reply;
    std::vector<std::pair<std::string, std::string>> query = QueryOf(*options.asked);
    query.emplace_back("limit", std::to_string(options.limit));
    query.emplace_back("cursor", cursor);
    if (!session.Send({.path = WithQuery("/v1/audit", query)}, reply)) return;
    for (const Json& item : reply.body["items"].Items()) items.Append(item);
    cursor = reply.body["next"].Text();
  } while (options.all && !cursor.empty());
  session.Show(Json(Json::Object{{"items", std::move(items)}}), "audit", Columns());
  if (!cursor.empty()) session.Note("there are more: use --all, or a larger --limit");
}

}  // namespace

void AddAuditCommands(CLI::App& root, Session& session) {
  CLI::App* audit = root.add_subcommand("audit", "who changed what");
  audit->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  CLI::App* leaf = audit->add_subcommand("list", "the newest first");
  leaf->add_option("--limit", options->limit, "of one page");
  leaf->add_flag("--all", options->all, "all pages");
  options->asked =
      AddListOptions(*leaf, {{"--key", "key_id", "only what the key of this id did"},
                             {"--operation", "operation", "only this one, such as deleteWorkspace"},
                             {"--outcome", "outcome", "only applied, or this type of a refusal"},
                             {"--kind", "record_kind", "only about a job, workspace, host, ..."},
                             {"--record", "record_id", "only about the record of this id"}});
  leaf->callback([&session, options] { List(session, *options); });
}

}  // namespace a4c_cli
