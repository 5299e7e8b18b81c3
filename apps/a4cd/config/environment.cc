#include <algorithm>
#include <cctype>
#include <span>
#include <utility>
#include <vector>

#include "a4c/nearest.h"
#include "apps/a4cd/config/config_file.h"
#include "apps/a4cd/config/settings.h"
#include "apps/usage/named_file.h"

extern char** environ;

namespace a4cd {
namespace {

using a4c::Code;
using a4c::ConfigValue;
using a4c::Error;
using a4c::Result;

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

// Read by the command line, not by the service.
bool IsOfClient(const std::string& name) {
  static constexpr std::string_view kClient[] = {"A4C_URL",     "A4C_API_KEY", "A4C_API_KEY_FILE",
                                                 "A4C_CA_FILE", "A4C_CONTEXT", "A4C_CONFIG"};
  return std::ranges::find(kClient, name) != std::end(kClient);
}

// Kubernetes sets these for a Service called a4c-something.
bool IsOfKubernetes(const std::string& name) {
  return name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != std::string::npos ||
         name.find("_PORT_") != std::string::npos || name.ends_with("_PORT");
}

// "store_config_tls__ca" to {store, config, tls, ca}; empty: no setting of that name.
std::vector<std::string> PathOf(const std::string& name) {
  if (name == "data_dir") return {"data_directory"};
  for (const a4c::ConfigKey& key : RootKeys()) {
    if (name == key.name && key.type != a4c::ConfigType::kTree) return {key.name};
  }
  for (const Section& section : Sections()) {
    const std::string prefix = std::string(section.name) + "_";
    if (!name.starts_with(prefix)) continue;
    std::string rest = name.substr(prefix.size());
    for (const a4c::ConfigKey& key : section.keys) {
      if (rest == key.name && key.type != a4c::ConfigType::kTree) return {section.name, key.name};
    }
    if (!section.has_plugin || !rest.starts_with("config_")) return {};
    std::vector<std::string> path = {section.name, "config"};
    rest = rest.substr(7);
    for (size_t at = rest.find("__"); at != std::string::npos; at = rest.find("__")) {
      path.push_back(rest.substr(0, at));
      rest = rest.substr(at + 2);
    }
    path.push_back(rest);
    return path;
  }
  return {};
}

bool NamesSection(const std::string& name) {
  return std::ranges::any_of(Sections(), [&](const Section& section) {
    return name.starts_with(std::string(section.name) + "_");
  });
}

// The keys that hold a value of their own, and no tree of others.
std::vector<std::string_view> ValuesIn(std::span<const a4c::ConfigKey> keys) {
  std::vector<std::string_view> names;
  for (const a4c::ConfigKey& key : keys) {
    if (key.type != a4c::ConfigType::kTree) names.emplace_back(key.name);
  }
  return names;
}

std::string NearestSetting(const std::string& name, const Section& section) {
  const std::string prefix = std::string(section.name) + "_";
  const std::string key = a4c::Nearest(name.substr(prefix.size()), ValuesIn(section.keys));
  return key.empty() ? "" : prefix + key;
}

// The setting that was meant by a name that is none; "" if it looks like somebody else's.
std::string MeantBy(const std::string& name) {
  const size_t word = std::min(name.find('_'), name.size());
  std::vector<std::string_view> sections;
  for (const Section& section : Sections()) {
    if (name.starts_with(std::string(section.name) + "_")) return NearestSetting(name, section);
    sections.emplace_back(section.name);
  }
  std::string corrected = a4c::Nearest(name.substr(0, word), sections) + name.substr(word);
  if (!PathOf(corrected).empty()) return corrected;
  return a4c::Nearest(name, ValuesIn(RootKeys()));
}

Result<ConfigValue> ValueOf(const std::string& text, const std::string& source) {
  if (text.starts_with('[') || text.starts_with('{')) return ParseYaml(text, source);
  return ConfigValue::Scalar(text);
}

// A line about a name that is no setting; "" if it looks like somebody else's.
std::string FaultOf(const std::string& variable, const std::string& name) {
  const std::string meant = MeantBy(name);
  if (meant.empty() && !NamesSection(name)) return {};
  const std::string hint =
      meant.empty() ? "see docs/config.md" : "did you mean A4C_" + Upper(meant) + "?";
  return "environment " + variable + ": names no setting; " + hint + "\n";
}

Result<void> CheckIsMap(const ConfigValue& value) {
  if (value.shape == ConfigValue::Shape::kMap || value.shape == ConfigValue::Shape::kAbsent) {
    return {};
  }
  const bool list = value.shape == ConfigValue::Shape::kList;
  return Error(Code::kInvalid, value.Where() +
                                   ": is a map of settings, such as \"name: value\", not a " +
                                   (list ? "list" : "text"));
}

// Where the value of this path stands, making the maps that lead to it.
Result<ConfigValue*> Place(ConfigValue& root, const std::vector<std::string>& path) {
  ConfigValue* at = &root;
  for (const std::string& name : path) {
    A4C_CHECK(CheckIsMap(*at));
    at->shape = ConfigValue::Shape::kMap;
    ConfigValue& member = at->map[name];
    member.path = at->path.empty() ? name : at->path + "." + name;
    at = &member;
  }
  return at;
}

}  // namespace

Environment ReadEnvironment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const size_t equals = text.find('=');
    if (equals != std::string::npos) environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return environment;
}

Result<void> ApplyEnvironment(ConfigValue& root, const Environment& environment) {
  std::string faults;
  for (const auto& [name, text] : environment) {
    if (!name.starts_with("A4C_") || IsOfClient(name)) continue;
    const std::string lower = Lower(name.substr(4));
    const std::vector<std::string> path = PathOf(lower);
    if (path.empty()) {
      if (!IsOfKubernetes(name)) faults += FaultOf(name, lower);
      continue;
    }
    A4C_TRY(ConfigValue value, ValueOf(text, "environment " + name));
    A4C_TRY(ConfigValue* const place, Place(root, path));
    value.path = place->path;
    value.file = "environment " + name;
    value.line = 0;
    *place = std::move(value);
  }
  if (faults.empty()) return {};
  faults.pop_back();
  return Error(Code::kInvalid, faults);
}

Result<ConfigValue> ReadConfigFile(const std::string& path, const Environment& environment) {
  A4C_TRY(const std::string text, a4c::usage::ReadNamedFile(path));
  A4C_TRY(ConfigValue root, ParseYaml(text, path));
  A4C_CHECK(CheckIsMap(root));
  A4C_CHECK(ExpandSecrets(root, environment));
  return root;
}

Result<ConfigValue> LoadConfig(const std::string& path, const Environment& environment) {
  ConfigValue root = ConfigValue::Map({});
  if (!path.empty()) {
    A4C_TRY(root, ReadConfigFile(path, environment));
  }
  A4C_CHECK(ApplyEnvironment(root, environment));
  return root;
}

}  // namespace a4cd
