#include "apps/usage/usage.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "a4c/nearest.h"

namespace a4c::usage {
namespace {

using Words = std::vector<std::string>;

bool IsOption(const std::string& word) {
  return word.starts_with('-');
}

bool IsOfAValue(const CLI::ParseError& error) {
  return dynamic_cast<const CLI::ValidationError*>(&error) != nullptr ||
         dynamic_cast<const CLI::ConversionError*>(&error) != nullptr;
}

// The command that was named, as far as the parser came.
const CLI::App& NamedIn(const CLI::App& root) {
  const CLI::App* app = &root;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return *app;
}

std::string PathOf(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : PathOf(*parent) + " " + app.get_name();
}

const CLI::App* CommandOf(const CLI::App& app, const std::string& name) {
  const auto all = app.get_subcommands([](const CLI::App*) { return true; });
  const auto found =
      std::ranges::find_if(all, [&](const CLI::App* sub) { return sub->get_name() == name; });
  return found == all.end() ? nullptr : *found;
}

std::string Meant(const std::string& name, const Words& candidates) {
  const auto longer = std::ranges::find_if(
      candidates, [&](const std::string& candidate) { return candidate.starts_with(name); });
  return longer != candidates.end() ? *longer : Nearest(name, candidates);
}

std::string HelpOf(const CLI::App& app) {
  return app.get_formatter()->make_help(&app, PathOf(app), CLI::AppFormatMode::Normal);
}

int Say(const CLI::App& app, const std::string& what, const std::string& meant) {
  const std::string hint =
      meant.empty() ? PathOf(app) + " --help" : "did you mean \"" + meant + "\"?";
  std::fprintf(stderr, "error: %s\nhint: %s\n", what.c_str(), hint.c_str());
  return kWrongUse;
}

int UnknownOption(const CLI::App& app, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  return Say(app, "unknown option " + name, Meant(name, OptionsOf(app)));
}

int UnknownCommand(const CLI::App& group, const std::string& word) {
  return Say(group, "unknown command \"" + word + "\"", Meant(word, CommandsOf(group)));
}

int ExplainGroup(const CLI::App& group, const Words& extras, const CLI::ParseError& error) {
  if (extras.empty()) {
    const bool none_named = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    if (!none_named) return Say(group, error.what(), "");
    std::fputs(HelpOf(group).c_str(), stderr);
    return kWrongUse;
  }
  const auto command = std::ranges::find_if_not(extras, IsOption);
  if (command == extras.end()) return UnknownOption(group, extras.front());
  return UnknownCommand(group, *command);
}

// Above a command whose options stand nowhere else; null: the root's, or such a one's.
const CLI::App* AboveOf(const CLI::App& app) {
  return app.get_fallthrough() ? app.get_parent() : nullptr;
}

const CLI::Option* OptionOf(const CLI::App& app, const std::string& name) {
  for (const CLI::App* at = &app; at != nullptr; at = AboveOf(*at)) {
    if (const CLI::Option* option = at->get_option_no_throw(name); option != nullptr) return option;
  }
  return nullptr;
}

bool TakesValue(const CLI::App& app, const std::string& name) {
  const CLI::Option* option = OptionOf(app, name);
  return option != nullptr && option->get_items_expected_max() > 0;
}

// Whether its value is the word after it: "--env A=b" and "-tf file", not "--env=A=b" or "-ffile".
bool HasValueBehind(const CLI::App& app, const std::string& word) {
  if (word.starts_with("--")) return word.find('=') == word.npos && TakesValue(app, word);
  for (size_t i = 1; i < word.size(); ++i) {
    if (TakesValue(app, std::string("-") + word[i])) return i + 1 == word.size();
  }
  return false;
}

// Of a leaf, how many positionals stand before its command. Nothing: it takes none.
std::optional<size_t> PositionalsBeforeCommand(const CLI::App& app) {
  if (app.get_option_no_throw("command") == nullptr) return {};
  const auto all =
      app.get_options([](const CLI::Option* option) { return option->get_positional(); });
  return all.size() - 1;
}

}  // namespace

Words CommandsOf(const CLI::App& app) {
  Words names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  return names;
}

Words OptionsOf(const CLI::App& app) {
  Words names;
  for (const CLI::App* at = &app; at != nullptr; at = AboveOf(*at)) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::optional<Words> ValuesOf(const CLI::App& app, const std::string& option) {
  const CLI::Option* found = OptionOf(app, option);
  if (!IsOption(option) || found == nullptr || found->get_items_expected_max() == 0) return {};
  // Its check describes them so: "TEXT:{keep,recreate}".
  const std::string type = found->get_type_name();
  const size_t begin = type.find('{') + 1;
  const size_t end = type.rfind('}');
  if (begin == 0 || end == std::string::npos || end < begin) return Words();
  return CLI::detail::split(type.substr(begin, end - begin), ',');
}

std::optional<size_t> BeginOfCommand(const CLI::App& root, const Words& words) {
  const CLI::App* app = &root;
  size_t positionals = 0;
  for (size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (IsOption(words[i]) && words[i] != "-") {
      if (HasValueBehind(*app, words[i])) ++i;
      continue;
    }
    const CLI::App* sub = CommandOf(*app, words[i]);
    if (sub == nullptr && positionals == PositionalsBeforeCommand(*app)) return i;
    if (sub == nullptr) ++positionals;
    if (sub != nullptr) app = sub;
  }
  return {};
}

int Explain(const CLI::App& root, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return root.exit(error);
  const CLI::App& app = NamedIn(root);
  const Words extras = root.remaining(true);
  if (!CommandsOf(app).empty()) return ExplainGroup(app, extras, error);
  // What has not been taken yet when a value is refused is not what is wrong.
  if (IsOfAValue(error)) return Say(app, error.what(), "");
  if (const auto option = std::ranges::find_if(extras, IsOption); option != extras.end()) {
    return UnknownOption(app, *option);
  }
  if (extras.empty()) return Say(app, error.what(), "");
  // It may be the value, which must not get into a log.
  if (app.get_parent()->get_name() == "secret") return Say(app, "an argument too many", "");
  return Say(app, "unexpected argument \"" + extras.front() + "\"", "");
}

int Help(const CLI::App& root, const Words& names) {
  const CLI::App* app = &root;
  for (const std::string& name : names) {
    const CLI::App* sub = CommandOf(*app, name);
    if (sub == nullptr) return UnknownCommand(*app, name);
    app = sub;
  }
  std::fputs(HelpOf(*app).c_str(), stdout);
  return 0;
}

}  // namespace a4c::usage
