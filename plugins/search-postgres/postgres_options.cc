#include "postgres_options.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

namespace a4c::search_postgres {
namespace {

using Settings = std::map<std::string, std::string>;

// `key` is the config key that it stands under.
Result<Settings> ParseDsn(const std::string& key, const std::string& dsn) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(dsn.c_str(), &message), PQconninfoFree);
  if (!options) {
    PQfreemem(message);  // may quote the dsn, which may hold the password
    return Error(Code::kInvalid,
                 "search-postgres: " + key + " is no connection string that libpq can read",
                 "write host=... port=... dbname=... user=..., or postgresql://...");
  }
  Settings settings;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) settings[option->keyword] = option->val;
  }
  return settings;
}

std::string ToConninfo(const Settings& settings) {
  std::string text;
  for (const auto& [name, value] : settings) {
    std::string quoted;
    for (const char c : value) {
      if (c == '\'' || c == '\\') quoted += '\\';
      quoted += c;
    }
    text.append(text.empty() ? "" : " ").append(name).append("='").append(quoted).append("'");
  }
  return text;
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  size_t from = 0;
  for (size_t comma = text.find(','); comma != std::string::npos; comma = text.find(',', from)) {
    parts.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  parts.push_back(text.substr(from));
  return parts;
}

// A connection string for each server named: libpq's own list ends at the first that answers
// read-write, as a former primary does.
Result<std::vector<std::string>> ConninfosOf(const Settings& settings) {
  constexpr std::array kLists = {"host", "hostaddr", "port"};
  size_t servers = 1;
  std::map<std::string, std::vector<std::string>> lists;
  for (const char* name : kLists) {
    const auto found = settings.find(name);
    if (found == settings.end()) continue;
    lists[name] = SplitAtCommas(found->second);
    servers = std::max(servers, lists[name].size());
  }
  std::vector<std::string> conninfos;
  for (size_t i = 0; i < servers; ++i) {
    Settings one = settings;
    for (const auto& [name, values] : lists) {
      if (values.size() != 1 && values.size() != servers) {
        return Error(Code::kInvalid, "search-postgres: the connection string lists " +
                                         std::to_string(servers) + " servers and " +
                                         std::to_string(values.size()) + " values of " + name);
      }
      one[name] = values.size() == 1 ? values[0] : values[i];
    }
    conninfos.push_back(ToConninfo(one));
  }
  return conninfos;
}

void AddCommon(Settings& settings) {
  settings.try_emplace("application_name", "a4c");
  settings.try_emplace("target_session_attrs", "read-write");
  settings.try_emplace("keepalives_idle", "10");
  settings.try_emplace("keepalives_interval", "3");
  settings.try_emplace("keepalives_count", "2");
  settings["client_encoding"] = "UTF8";
}

Result<void> ReadRowSecurity(const Config& config, const Settings& settings, Options& options) {
  options.row_security = config.Bool("row_security");
  if (!options.row_security) return {};
  const auto user = settings.find("user");
  if (user == settings.end() || user->second.empty()) {
    return Error(Code::kInvalid, "search-postgres: row_security: dsn names no user");
  }
  options.user = user->second;
  if (config.String("background_dsn").empty()) {
    return Error(Code::kInvalid, "search-postgres: row_security: background_dsn is missing",
                 "give the connection string of a role that owns the tables");
  }
  A4C_TRY(Settings background, ParseDsn("background_dsn", config.String("background_dsn")));
  AddCommon(background);
  A4C_TRY(options.background_conninfos, ConninfosOf(background));
  return {};
}

bool IsName(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= 63 && std::ranges::all_of(name, fits) &&
         !name.starts_with("pg_");
}

}  // namespace

Result<Options> ReadOptions(const Config& config) {
  Options options;
  A4C_TRY(Settings settings, ParseDsn("dsn", config.String("dsn")));
  if (!config.String("password").empty()) settings["password"] = config.String("password");
  AddCommon(settings);
  A4C_TRY(options.conninfos, ConninfosOf(settings));
  A4C_CHECK(ReadRowSecurity(config, settings, options));
  options.schema = config.String("schema");
  if (!IsName(options.schema)) {
    return Error(Code::kInvalid,
                 "search-postgres: schema \"" + options.schema + "\" is no name for a schema",
                 "letters, digits and _, at most 63, not beginning with pg_");
  }
  options.sessions_max = config.Long("sessions_max");
  options.connect_timeout_ms = config.Long("connect_timeout");
  options.statement_timeout_ms = config.Long("statement_timeout");
  options.commit_documents_max = config.Long("commit_documents_max");
  options.commit_bytes_max = config.Long("commit_bytes_max");
  return options;
}

}  // namespace a4c::search_postgres
