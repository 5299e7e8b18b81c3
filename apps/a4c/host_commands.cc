#include <memory>

#include "apps/a4c/commands.h"

namespace a4c_cli {
namespace {

using a4c::Json;

const std::vector<Column>& Columns() {
  static const std::vector<Column> columns = {
      {"ID", "id"},
      {"REACHABLE", "reachable", false, Column::As::kYesNo},
      {"CORDONED", "cordoned", false, Column::As::kYesNo},
      {"DRAINING", "draining", false, Column::As::kYesNo},
      {"DISK USED", "disk_used_bytes", false, Column::As::kBytes},
      {"DISK TOTAL", "disk_total_bytes", false, Column::As::kBytes},
      {"MEMORY", "memory_total_bytes", true, Column::As::kBytes},
      {"CPU MILLIS", "cpu_total_millis", true},
      {"REASON", "reason", true}};
  return columns;
}

void AddStep(CLI::App& host, Session& session, const char* name, const char* help) {
  const auto id = std::make_shared<std::string>();
  CLI::App* leaf = host.add_subcommand(name, help);
  leaf->add_option("host", *id, "its id")->required();
  leaf->callback([&session, id, name] {
    Reply reply;
    const std::string path = "/v1/hosts/" + PercentEncode(*id);
    if (!session.Send({.method = "POST", .path = path + ":" + name}, reply)) return;
    if (!session.Send({.path = path}, reply)) return;
    session.Show(reply.body, "host", Columns());
  });
}

void AddAdd(CLI::App& host, Session& session) {
  struct Options {
    std::string id;
    std::string address;
    std::string fingerprint;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* leaf = host.add_subcommand("add", "add a server, its host key pinned");
  leaf->add_option("host", options->id, "its id")->required();
  leaf->add_option("--address", options->address, "user@address:port")->required();
  leaf->add_option("--fingerprint", options->fingerprint, "SHA256:... of its host key")->required();
  leaf->callback([&session, options] {
    const Json body(Json::Object{
        {"id", options->id}, {"address", options->address}, {"fingerprint", options->fingerprint}});
    Reply reply;
    if (session.Send({"POST", "/v1/hosts", body.ToString()}, reply)) {
      session.Show(reply.body, "host", Columns());
    }
  });
}

}  // namespace

void AddHostCommands(CLI::App& root, Session& session) {
  CLI::App* host = root.add_subcommand("host", "servers, their disks, and what they may take");
  host->require_subcommand(1);
  CLI::App* leaf = host->add_subcommand("list", "list servers");
  leaf->callback([&session] {
    Reply reply;
    if (session.Send({.path = "/v1/hosts"}, reply)) session.Show(reply.body, "host", Columns());
  });
  const auto id = std::make_shared<std::string>();
  leaf = host->add_subcommand("get", "show one server");
  leaf->add_option("host", *id, "its id")->required();
  leaf->callback([&session, id] {
    Reply reply;
    if (!session.Send({.path = "/v1/hosts/" + PercentEncode(*id)}, reply)) return;
    session.Show(reply.body, "host", Columns());
  });
  AddAdd(*host, session);
  AddStep(*host, session, "cordon", "place nothing new on a server");
  AddStep(*host, session, "uncordon", "place on it again");
  AddStep(*host, session, "drain", "cordon it and move away what runs there");
}

}  // namespace a4c_cli
