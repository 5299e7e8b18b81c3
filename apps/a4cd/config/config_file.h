// a4cd's config: one YAML file, overlaid by the environment, as a tree that remembers where each
// value came from.
//
// Rules, in the order in which they apply:
//  1. The file, if any. Anchors and aliases are fine; a key twice in one map is an error.
//  2. `${NAME}` in a value is replaced by the environment variable, `${file:/path}` by the content
//  of
//     the file without its last line break. `$$` is a dollar sign. What is missing is an error.
//  3. `A4C_<PATH>` from the environment wins over the file: the path in capitals with `_` for `.`:
//     A4C_API_LISTEN is api.listen, A4C_STORE_CONFIG_PATH is store.config.path. Below a plugin's
//     `config`, `__` separates levels (A4C_STORE_CONFIG_TLS__CA is store.config.tls.ca). Such
//     values are taken as they are, but for one that begins with `[` or `{`: that is YAML.
//     A4C_DATA_DIR is short for data_directory.
#pragma once

#include <map>
#include <string>

#include "a4c/config.h"
#include "a4c/result.h"

namespace a4cd {

using Environment = std::map<std::string, std::string>;

// This process's environment.
Environment ReadEnvironment();

// Parses YAML text; `file` is the name used in complaints. No replacements.
a4c::Result<a4c::ConfigValue> ParseYaml(const std::string& text, const std::string& file);

// Replaces ${...} in all scalars below `value`.
a4c::Result<void> ExpandSecrets(a4c::ConfigValue& value, const Environment& environment);

// Puts A4C_* variables over `root`. kInvalid: a variable that names a section but no setting in it,
// or is nearly a setting.
a4c::Result<void> ApplyEnvironment(a4c::ConfigValue& root, const Environment& environment);

// One file, which is a map, with its ${...} replaced.
a4c::Result<a4c::ConfigValue> ReadConfigFile(const std::string& path,
                                             const Environment& environment);

// The three rules together. An empty path means no file.
a4c::Result<a4c::ConfigValue> LoadConfig(const std::string& path, const Environment& environment);

}  // namespace a4cd
