#include <utility>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/watch.h"

namespace a4c_cli {

void AddList(CLI::App& group, Session& session, const std::string& help, const std::string& noun,
             const std::vector<Column>& columns, const ListTraits& traits) {
  CLI::App* leaf = group.add_subcommand("list", help);
  const auto fresh = traits.has_fresh ? AddFresh(*leaf) : std::make_shared<bool>(false);
  const auto asked = AddListOptions(*leaf, traits.options);
  const auto watch = std::make_shared<WatchOptions>();
  if (traits.is_watched) AddWatch(*leaf, *watch);
  leaf->callback([&session, &columns, noun, fresh, asked, watch, note = traits.note] {
    std::vector<std::pair<std::string, std::string>> query = QueryOf(*asked);
    query.push_back(RequireFresh(*fresh));
    const auto read = [&] { return session.TryPages("/v1/" + noun + "s", query); };
    ShowOrWatch(session, {noun, columns, read, note}, *watch);
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
