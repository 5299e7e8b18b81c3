#include <memory>

#include "apps/a4c/commands/commands.h"

namespace a4c_cli {
namespace {

using a4c::Json;

const std::vector<Column>& Columns() {
  static const std::vector<Column> columns = {{"ID", "id"},
                                              {"NAME", "name"},
                                              {"SHARE", "share"},
                                              {"AGE", "created_at", false, Column::As::kAge}};
  return columns;
}

struct CreateOptions {
  std::string id;
  std::string name;
  int64_t share = 1;
};

void Create(Session& session, const CreateOptions& options) {
  Json body(Json::Object{{"id", options.id}, {"share", options.share}});
  if (!options.name.empty()) body.AppendMember("name", options.name);
  Reply reply;
  if (!session.Send({"POST", "/v1/tenants", body.ToString()}, reply)) return;
  session.Show(reply.body, "tenant", Columns());
}

}  // namespace

void AddTenantCommands(CLI::App& root, Session& session) {
  CLI::App* tenant = root.add_subcommand("tenant", "who has jobs, workspaces and keys apart");
  tenant->require_subcommand(1);
  const auto options = std::make_shared<CreateOptions>();
  CLI::App* leaf = tenant->add_subcommand("create", "create a tenant");
  leaf->add_option("tenant", options->id, "its id: letters a-z, digits, hyphens")->required();
  leaf->add_option("--name", options->name, "for people");
  leaf->add_option("--share", options->share, "of the workers, against that of the others");
  leaf->callback([&session, options] { Create(session, *options); });
  AddList(*tenant, session, "list tenants", "tenant", Columns());
}

}  // namespace a4c_cli
