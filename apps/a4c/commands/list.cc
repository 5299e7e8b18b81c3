#include "apps/a4c/commands/commands.h"

namespace a4c_cli {

void AddList(CLI::App& group, Session& session, const std::string& help, const std::string& noun,
             const std::vector<Column>& columns) {
  group.add_subcommand("list", help)->callback([&session, &columns, noun] {
    a4c::Json list;
    if (session.SendForAll("/v1/" + noun + "s", {}, list)) session.Show(list, noun, columns);
  });
}

}  // namespace a4c_cli
