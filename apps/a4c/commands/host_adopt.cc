#include <memory>

#include "apps/a4c/commands/commands.h"

namespace a4c_cli {
namespace {

using a4c::Json;

struct AdoptOptions {
  std::string id;
  std::vector<std::string> units;
  bool wait = false;
  int64_t timeout_s = 600;
};

const std::vector<Column>& UnitColumns() {
  static const std::vector<Column> columns = {{"UNIT", "unit"},
                                              {"ACTUAL", "actual", false, Column::As::kState}};
  return columns;
}

void Adopt(Session& session, const AdoptOptions& options) {
  Json units(Json::Object{});
  if (!ParsePairs(session, options.units, units, false)) return;
  const bool is_list = options.units.empty();
  Json payload(Json::Object{{"host", BareId(options.id, "host")}, {"units", std::move(units)}});
  Json body(Json::Object{{"type", "host.adopt"}});
  body.AppendMember("payload", std::move(payload));
  Reply reply;
  if (!session.Send({"POST", "/v1/jobs", body.ToString()}, reply)) return;
  if (!is_list && !options.wait) return session.Show(reply.body, "job", JobColumns());
  const int64_t timeout_ms = options.timeout_s * 1000;
  if (!is_list) {
    session.exit_code = WaitForJob(session, reply.body, timeout_ms);
    return;
  }
  session.exit_code = AwaitJob(session, reply.body, timeout_ms);
  if (session.exit_code != kOk) return;
  session.Show(Json(Json::Object{{"items", reply.body["result"]["unclaimed"]}}), "unit",
               UnitColumns());
}

}  // namespace

void AddHostAdopt(CLI::App& host, Session& session) {
  const auto options = std::make_shared<AdoptOptions>();
  CLI::App* leaf = host.add_subcommand(
      "adopt", "make workspaces of units that run on a server without a record");
  leaf->add_option("host", options->id, "its id")->required();
  leaf->add_option("unit", options->units, "UNIT=NAME of the workspace; none: lists what there is");
  leaf->add_flag("--wait", options->wait, "until it is done");
  AddTimeout(*leaf, options->timeout_s);
  leaf->callback([&session, options] { Adopt(session, *options); });
}

}  // namespace a4c_cli
