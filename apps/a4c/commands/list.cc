#include "apps/a4c/commands/commands.h"

namespace a4c_cli {

void AddList(CLI::App& group, Session& session, const std::string& help, const std::string& noun,
             const std::vector<Column>& columns) {
  group.add_subcommand("list", help)->callback([&session, &columns, noun] {
    a4c::Json list;
    if (session.SendForAll("/v1/" + noun + "s", {}, list)) session.Show(list, noun, columns);
  });
}

std::shared_ptr<bool> AddFresh(CLI::App& list) {
  auto fresh = std::make_shared<bool>(false);
  list.add_flag("--fresh", *fresh, "all that was written: from no replica of the store");
  return fresh;
}

std::pair<std::string, std::string> RequireFresh(bool fresh) {
  return {"require_fresh", fresh ? "true" : ""};
}

}  // namespace a4c_cli
