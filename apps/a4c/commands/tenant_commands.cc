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

struct UpdateOptions {
  std::string id;
  std::string name;
  int64_t share = 0;  // 0: it stays
};

void Update(Session& session, const UpdateOptions& options) {
  Json body(Json::Object{});
  if (!options.name.empty()) body.AppendMember("name", options.name);
  if (options.share != 0) body.AppendMember("share", options.share);
  if (body.Members().empty()) {
    session.exit_code = session.Complain(
        a4c::Error(a4c::Code::kInvalid, "nothing is to change", "give --name, --share, or both"));
    return;
  }
  const std::string path = "/v1/tenants/" + PercentEncode(BareId(options.id, "tenant"));
  Reply reply;
  if (session.Patch(path, body, reply)) session.Show(reply.body, "tenant", Columns());
}

}  // namespace

void AddTenantCommands(CLI::App& root, Session& session) {
  CLI::App* tenant = root.add_subcommand("tenant", "who has jobs, workspaces and keys apart");
  tenant->require_subcommand(1);
  const auto options = std::make_shared<CreateOptions>();
  CLI::App* leaf = tenant->add_subcommand("create", "create a tenant");
  leaf->add_option("id", options->id, "its id: letters a-z, digits, hyphens")->required();
  leaf->add_option("--name", options->name, "for people");
  leaf->add_option("--share", options->share, "of the workers, against that of the others");
  leaf->callback([&session, options] { Create(session, *options); });
  const auto update = std::make_shared<UpdateOptions>();
  leaf = tenant->add_subcommand("update", "change a tenant's name or share");
  leaf->add_option("tenant", update->id, "its id")->required();
  leaf->add_option("--name", update->name, "for people");
  leaf->add_option("--share", update->share, "of the workers, against that of the others")
      ->check(CLI::Range(1, 1000));
  leaf->callback([&session, update] { Update(session, *update); });
  AddList(*tenant, session, "list tenants", "tenant", Columns());
}

}  // namespace a4c_cli
