#include "apps/a4c/contexts.h"

#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "apps/a4c/whole_file.h"

namespace a4c_cli {

using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

constexpr const char* kDefaultUrl = "http://127.0.0.1:7070";

std::string Env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> ReadKey(const std::string& path) {
  std::string key;
  if (path == "-") {
    std::getline(std::cin, key);
  } else {
    std::ifstream file(path);
    if (!file) return Error(Code::kInvalid, "the key file " + path + " cannot be read");
    std::getline(file, key);
  }
  while (!key.empty() && (key.back() == '\r' || key.back() == ' ')) key.pop_back();
  if (key.empty()) return Error(Code::kInvalid, "there is no API key in " + path);
  return key;
}

}  // namespace

std::string ContextsPath() {
  if (!Env("A4C_CONFIG").empty()) return Env("A4C_CONFIG");
  if (!Env("XDG_CONFIG_HOME").empty()) return Env("XDG_CONFIG_HOME") + "/a4c/config.yaml";
  return Env("HOME") + "/.config/a4c/config.yaml";
}

Result<Contexts> ReadContexts(const std::string& path) {
  Contexts contexts;
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return contexts;
  if ((info.st_mode & 077) != 0) {
    return Error(Code::kDenied, path + " holds API keys and can be read by others",
                 "chmod 600 " + path);
  }
  try {
    const YAML::Node root = YAML::LoadFile(path);
    if (root["current"]) contexts.current = root["current"].as<std::string>();
    for (const auto& entry : root["contexts"]) {
      Context& context = contexts.all[entry.first.as<std::string>()];
      context.url = entry.second["url"].as<std::string>("");
      context.api_key = entry.second["api_key"].as<std::string>("");
      context.ca_file = entry.second["ca_file"].as<std::string>("");
    }
    return contexts;
  } catch (const YAML::Exception& error) {
    return Error(Code::kInvalid, path + ": " + error.what());
  }
}

Result<void> WriteContexts(const std::string& path, const Contexts& contexts) {
  YAML::Node root;
  root["current"] = contexts.current;
  for (const auto& [name, context] : contexts.all) {
    root["contexts"][name]["url"] = context.url;
    root["contexts"][name]["api_key"] = context.api_key;
    if (!context.ca_file.empty()) root["contexts"][name]["ca_file"] = context.ca_file;
  }
  YAML::Emitter text;
  text << root;
  return WriteWhole(path, {text.c_str(), text.size()});
}

Result<Endpoint> ResolveEndpoint(const EndpointFlags& flags) {
  A4C_TRY(const Contexts contexts, ReadContexts(ContextsPath()));
  std::string name = flags.context.empty() ? Env("A4C_CONTEXT") : flags.context;
  const bool asked = !name.empty();
  if (!asked) name = contexts.current;
  const auto found = contexts.all.find(name);
  if (asked && found == contexts.all.end()) {
    return Error(Code::kInvalid, "there is no context \"" + name + "\"",
                 "list them: a4c context list");
  }
  Endpoint endpoint{.url = kDefaultUrl, .api_key = "", .timeout_ms = flags.timeout_ms};
  if (found != contexts.all.end()) {
    if (!found->second.url.empty()) endpoint.url = found->second.url;
    endpoint.api_key = found->second.api_key;
    endpoint.ca_file = found->second.ca_file;
  }
  if (!Env("A4C_URL").empty()) endpoint.url = Env("A4C_URL");
  if (!flags.url.empty()) endpoint.url = flags.url;
  if (!Env("A4C_CA_FILE").empty()) endpoint.ca_file = Env("A4C_CA_FILE");
  if (!flags.ca_file.empty()) endpoint.ca_file = flags.ca_file;
  const std::string env_file = Env("A4C_API_KEY").empty() ? Env("A4C_API_KEY_FILE") : "";
  if (!Env("A4C_API_KEY").empty()) endpoint.api_key = Env("A4C_API_KEY");
  const std::string file = flags.api_key_file.empty() ? env_file : flags.api_key_file;
  if (!file.empty()) {
    A4C_TRY(endpoint.api_key, ReadKey(file));
  }
  while (endpoint.url.ends_with('/')) endpoint.url.pop_back();
  return endpoint;
}

}  // namespace a4c_cli
