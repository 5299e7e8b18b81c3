#include <utility>

#include "apps/a4c/commands/commands.h"

namespace a4c_cli {

void AddList(CLI::App& group, Session& session, const std::string& help, const std::string& noun,
             const std::vector<Column>& columns, const std::vector<ListOption>& options,
             bool has_fresh) {
  CLI::App* leaf = group.add_subcommand("list", help);
  const auto fresh = has_fresh ? AddFresh(*leaf) : std::make_shared<bool>(false);
  const auto asked = AddListOptions(*leaf, options);
  leaf->callback([&session, &columns, noun, fresh, asked] {
    std::vector<std::pair<std::string, std::string>> query = QueryOf(*asked);
    query.push_back(RequireFresh(*fresh));
    a4c::Json list;
    if (session.SendForAll("/v1/" + noun + "s", query, list)) session.Show(list, noun, columns);
  });
}

std::shared_ptr<Asked> AddListOptions(CLI::App& leaf, const std::vector<ListOption>& options) {
  auto asked = std::make_shared<Asked>();
  for (const ListOption& option : options) asked->emplace_back(option.name, 0);
  for (size_t i = 0; i < options.size(); ++i) {
    CLI::Option* added = leaf.add_option(options[i].flag, (*asked)[i].second, options[i].help);
    added->allow_extra_args(false);
    if (options[i].name != std::string_view(kByLabel.name)) added->expected(1);
    if (!options[i].values.empty()) added->check(CLI::IsMember(options[i].values));
  }
  return asked;
}

std::vector<std::pair<std::string, std::string>> QueryOf(const Asked& asked) {
  std::vector<std::pair<std::string, std::string>> query;
  for (const auto& [name, values] : asked) {
    std::string joined;
    for (const std::string& value : values) joined += (joined.empty() ? "" : ",") + value;
    query.emplace_back(name, joined);
  }
  return query;
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
