#include "apps/a4c/commands/commands.h"

namespace a4c_cli {

void AddList(CLI::App& group, Session& session, const std::string& help, const std::string& noun,
             const std::vector<Column>& columns, bool has_fresh) {
  CLI::App* leaf = group.add_subcommand("list", help);
  const auto fresh = has_fresh ? AddFresh(*leaf) : std::make_shared<bool>(false);
  leaf->callback([&session, &columns, noun, fresh] {
    a4c::Json list;
    if (session.SendForAll("/v1/" + noun + "s", {RequireFresh(*fresh)}, list)) {
      session.Show(list, noun, columns);
    }
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
