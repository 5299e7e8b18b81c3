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

// Above a command whose options stand nowhere else; null: the root's, or such a one's.
const CLI::App* AboveOf(const CLI::App& app) {
  return app.get_fallthrough() ? app.get_parent() : nullptr;
}

// Those of the commands above it may stand behind it too.
std::string GlobalOptionsOf(const CLI::App& app) {
  std::vector<const CLI::Option*> options;
  for (const CLI::App* at = AboveOf(app); at != nullptr; at = AboveOf(*at)) {
    for (const CLI::Option* option : at->get_options()) {
      const bool is_own = option == at->get_help_ptr() || option->get_positional();
      if (!is_own && !option->get_group().empty()) options.push_back(option);
    }
  }
  if (options.empty()) return "";
  const auto formatter = std::dynamic_pointer_cast<CLI::Formatter>(app.get_formatter());
  return formatter == nullptr ? "" : formatter->make_group("Global options", false, options);
}

std::string HelpOf(const CLI::App& app) {
  return app.get_formatter()->make_help(&app, PathOf(app), CLI::AppFormatMode::Normal) +
         GlobalOptionsOf(app);
}

Misuse Wrong(const CLI::App& app, const std::string& what, const std::string& meant = "") {
  return {what, meant.empty() ? PathOf(app) + " --help" : "did you mean \"" + meant + "\"?"};
}

Misuse UnknownOption(const CLI::App& app, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  return Wrong(app, "unknown option " + name, Meant(name, OptionsOf(app)));
}

Misuse UnknownCommand(const CLI::App& group, const std::string& word) {
  return Wrong(group, "unknown command \"" + word + "\"", Meant(word, CommandsOf(group)));
}

Misuse OfGroup(const CLI::App& group, const Words& extras, const CLI::ParseError& error) {
  if (extras.empty()) {
    const bool none_named = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    if (!none_named) return Wrong(group, error.what());
    Misuse misuse = Wrong(group, "a command is required");
    misuse.help = HelpOf(group);
    return misuse;
  }
  const auto command = std::ranges::find_if_not(extras, IsOption);
  if (command == extras.end()) return UnknownOption(group, extras.front());
  return UnknownCommand(group, *command);
}

Misuse OfCommand(const CLI::App& app, const Words& extras, const CLI::ParseError& error) {
  // What has not been taken yet when a value is refused is not what is wrong.
  if (IsOfAValue(error)) return Wrong(app, error.what());
  if (const auto option = std::ranges::find_if(extras, IsOption); option != extras.end()) {
    return UnknownOption(app, *option);
  }
  if (extras.empty()) return Wrong(app, error.what());
  // It may be the value, which must not get into a log.
  if (app.get_parent()->get_name() == "secret") return Wrong(app, "an argument too many");
  return Wrong(app, "unexpected argument \"" + extras.front() + "\"");
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

std::string Place::Next() const {
  if (!CommandsOf(*app).empty()) return "";
  const auto places =
      app->get_options([](const CLI::Option* option) { return option->get_positional(); });
  if (places.empty()) return "";
  const bool is_past = given.size() >= places.size();
  const CLI::Option* place = is_past ? places.back() : places[given.size()];
  return is_past && place->get_items_expected_max() <= 1 ? "" : place->get_name();
}

Place PlaceOf(const CLI::App& root, const Words& words) {
  Place place{&root};
  for (size_t i = 0; i < words.size(); ++i) {
    if (IsOption(words[i]) && words[i] != "-") {
      if (HasValueBehind(*place.app, words[i])) ++i;
      continue;
    }
    const CLI::App* sub = CommandOf(*place.app, words[i]);
    if (sub == nullptr) {
      place.given.push_back(words[i]);
    } else {
      place.app = sub;
    }
  }
  return place;
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

void SayMisuse(const Misuse& misuse) {
  if (!misuse.help.empty()) {
    std::fputs(misuse.help.c_str(), stderr);
    return;
  }
  std::fprintf(stderr, "error: %s\nhint: %s\n", misuse.what.c_str(), misuse.hint.c_str());
}

int Explain(const CLI::App& root, const CLI::ParseError& error, const TellMisuse& tell) {
  const CLI::App& app = NamedIn(root);
  if (dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr) {
    std::fputs(HelpOf(app).c_str(), stdout);
    return 0;
  }
  if (error.get_exit_code() == 0) return root.exit(error);
  const Words extras = root.remaining(true);
  const bool is_group = !CommandsOf(app).empty();
  tell(is_group ? OfGroup(app, extras, error) : OfCommand(app, extras, error));
  return kWrongUse;
}

int Help(const CLI::App& root, const Words& names, const TellMisuse& tell) {
  const CLI::App* app = &root;
  for (const std::string& name : names) {
    const CLI::App* sub = CommandOf(*app, name);
    if (sub == nullptr) {
      tell(UnknownCommand(*app, name));
      return kWrongUse;
    }
    app = sub;
  }
  std::fputs(HelpOf(*app).c_str(), stdout);
  return 0;
}

}  // namespace a4c::usage
