#include "apps/a4c/contexts.h"

#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "apps/a4c/whole_file.h"

namespace a4c_cli {

using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

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
    if (!file) {
      return Error(Code::kInvalid,
                   "the key file " + path + " cannot be read: " + std::strerror(errno),
                   "--api-key-file, or A4C_API_KEY_FILE, names a file whose first line is the key");
    }
    std::getline(file, key);
  }
  while (!key.empty() && (key.back() == '\r' || key.back() == ' ')) key.pop_back();
  if (key.empty()) return Error(Code::kInvalid, "there is no API key in " + path);
  return key;
}

// The one that is named, else the current one; none is a context without anything.
Result<Context> ChooseContext(const EndpointFlags& flags) {
  A4C_TRY(const Contexts contexts, ReadContexts(ContextsPath()));
  const std::string asked = flags.context.empty() ? Env("A4C_CONTEXT") : flags.context;
  const auto found = contexts.all.find(asked.empty() ? contexts.current : asked);
  if (found != contexts.all.end()) return found->second;
  if (asked.empty()) return Context{};
  return Error(Code::kInvalid, "there is no context \"" + asked + "\"",
               "list them: a4c context list");
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

Result<Context> ReadGiven(const EndpointFlags& flags) {
  Context given{.url = flags.url.empty() ? Env("A4C_URL") : flags.url,
                .api_key = flags.api_key_file.empty() ? Env("A4C_API_KEY") : "",
                .ca_file = flags.ca_file.empty() ? Env("A4C_CA_FILE") : flags.ca_file};
  if (!given.api_key.empty()) return given;
  const std::string file =
      flags.api_key_file.empty() ? Env("A4C_API_KEY_FILE") : flags.api_key_file;
  if (!file.empty()) {
    A4C_TRY(given.api_key, ReadKey(file));
  }
  return given;
}

std::string UrlOf(const Context& context) {
  std::string url = context.url.empty() ? kDefaultUrl : context.url;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Result<Endpoint> ResolveEndpoint(const EndpointFlags& flags) {
  A4C_TRY(const Context context, ChooseContext(flags));
  A4C_TRY(const Context given, ReadGiven(flags));
  const bool is_its_url = given.url.empty() || UrlOf(given) == UrlOf(context);
  if (!is_its_url && given.api_key.empty() && !context.api_key.empty()) {
    return Error(Code::kDenied,
                 "the API key of the context is for " + UrlOf(context) + ", and is not sent to " +
                     UrlOf(given),
                 "name the key for it: --api-key-file FILE or A4C_API_KEY_FILE; or keep both: a4c "
                 "--url " +
                     UrlOf(given) + " --api-key-file FILE context set NAME");
  }
  return Endpoint{.url = given.url.empty() ? UrlOf(context) : UrlOf(given),
                  .api_key = given.api_key.empty() ? context.api_key : given.api_key,
                  .timeout_ms = flags.timeout_ms,
                  .slow_timeout_ms = flags.slow_timeout_ms,
                  .ca_file = given.ca_file.empty() ? context.ca_file : given.ca_file};
}

}  // namespace a4c_cli
