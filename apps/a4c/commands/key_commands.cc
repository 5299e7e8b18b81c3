#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/several.h"

namespace a4c_cli {
namespace {

using a4c::Json;

const std::vector<Column>& Columns() {
  static const std::vector<Column> columns = {{"ID", "id"},
                                              {"NAME", "name"},
                                              {"SCOPES", "scopes"},
                                              {"AGE", "created_at", false, Column::As::kAge},
                                              {"EXPIRES", "expires_at", true},
                                              {"TENANT", "tenant", true},
                                              {"CREATED BY", "created_by", true}};
  return columns;
}

struct CreateOptions {
  std::string name;
  std::string tenant;
  std::string ttl;
  std::vector<std::string> scopes;
};

void Create(Session& session, const CreateOptions& options) {
  Json scopes(Json::Array{});
  for (const std::string& scope : options.scopes) scopes.Append(scope);
  Json body(Json::Object{{"name", options.name}, {"scopes", std::move(scopes)}});
  if (!options.tenant.empty()) body.AppendMember("tenant", options.tenant);
  if (!options.ttl.empty()) body.AppendMember("ttl", options.ttl);
  Reply reply;
  if (!session.Send({"POST", "/v1/keys", body.ToString()}, reply)) return;
  if (session.format() != Format::kTable && session.format() != Format::kWide) {
    return session.Show(reply.body, "key", Columns());
  }
  if (!reply.body["key"].IsText()) {
    return session.Note("the key " + reply.body["id"].Text() +
                        " was made by an earlier try, whose answer was lost: revoke it");
  }
  session.Note("the key " + reply.body["id"].Text() + " is shown once:");
  session.ShowText(reply.body["key"].Text() + "\n");
}

}  // namespace

void AddKeyCommands(CLI::App& root, Session& session) {
  CLI::App* key = root.add_subcommand("key", "API keys");
  key->require_subcommand(1);
  const auto options = std::make_shared<CreateOptions>();
  CLI::App* leaf = key->add_subcommand("create", "create a key; it is shown once");
  leaf->add_option("name", options->name, "what it is for")->required();
  leaf->add_option("--scope", options->scopes, "jobs:read, jobs:write, ...; repeatable")
      ->required()
      ->allow_extra_args(false);
  leaf->add_option("--tenant", options->tenant, "of another tenant");
  leaf->add_option("--ttl", options->ttl, "expires after: 24h, 90d");
  leaf->callback([&session, options] { Create(session, *options); });
  AddList(*key, session, "list the keys of the tenant", "key", Columns());
  const auto keys = std::make_shared<Names>(Names{"key"});
  leaf = key->add_subcommand("revoke", "revoke a key, or several");
  AddNames(*leaf, *keys);
  leaf->callback([&session, keys] {
    DoForEach(session, *keys, [&](Outcome& outcome) {
      Reply reply;
      const std::string path = "/v1/keys/" + PercentEncode(outcome.name);
      if (!session.Send({.method = "DELETE", .path = path}, reply)) return false;
      session.Note("revoked " + outcome.name);
      return true;
    });
  });
}

}  // namespace a4c_cli
