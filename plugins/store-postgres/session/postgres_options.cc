#include "session/postgres_options.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <memory>

namespace a4c::postgres {
namespace {

// libpq's own quoting. Poco 1.11 splits the string at every space, so none may be left inside.
Result<std::string> ToConninfo(const Settings& settings) {
  std::string text;
  for (const auto& [name, value] : settings) {
    if (value.empty()) continue;
    if (value.find_first_of(" \t\n") != std::string::npos) {
      return Error(Code::kInvalid, "the connection setting \"" + name + "\" holds a space",
                   "a password with a space goes into PGPASSFILE");
    }
    std::string quoted;
    for (const char c : value) {
      if (c == '\'' || c == '\\') quoted += '\\';
      quoted += c;
    }
    if (!text.empty()) text += ' ';
    text.append(name).append("='").append(quoted).append("'");
  }
  return text;
}

void SetHosts(const std::vector<std::string>& hosts, int64_t port, Settings& settings) {
  std::string names;
  std::string ports;
  for (const std::string& host : hosts) {
    const size_t colon = host.rfind(':');
    const bool has_port = colon != std::string::npos && host.find(':') == colon && host[0] != '/';
    if (!names.empty()) {
      names += ',';
      ports += ',';
    }
    names += host.substr(0, has_port ? colon : std::string::npos);
    ports += has_port ? host.substr(colon + 1) : std::to_string(port);
  }
  settings["host"] = names;
  settings["port"] = ports;
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

// A connection string for each server named, so that one which is of no use (down, a standby, a
// former primary that still answers read-write) does not hide those behind it.
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
        return Error(Code::kInvalid, "the connection string lists " + std::to_string(servers) +
                                         " servers and " + std::to_string(values.size()) +
                                         " values of " + name);
      }
      one[name] = values.size() == 1 ? values[0] : values[i];
    }
    A4C_TRY(std::string conninfo, ToConninfo(one));
    conninfos.push_back(std::move(conninfo));
  }
  return conninfos;
}

Result<Durability> DurabilityOf(const std::string& text) {
  if (text == "replicated") return Durability::kReplicated;
  if (text == "single_server") return Durability::kSingleServer;
  return Error(Code::kInvalid, "durability is replicated or single_server, not \"" + text + "\"");
}

void AddCommon(const Config& config, Settings& settings) {
  const int64_t connect_s = (config.Long("connect_timeout") + 999) / 1000;
  settings["connect_timeout"] = std::to_string(connect_s);
  settings.try_emplace("application_name", "a4c");
  settings.try_emplace("tcp_user_timeout", std::to_string(config.Long("commit_timeout")));
  settings.try_emplace("keepalives_idle", "10");
  settings.try_emplace("keepalives_interval", "3");
  settings.try_emplace("keepalives_count", "2");
  settings["client_encoding"] = "UTF8";
}

Result<Settings> BaseSettings(const Config& config) {
  Settings settings;
  if (!config.String("dsn").empty()) {
    A4C_TRY(settings, ParseDsn(config.String("dsn")));
  } else {
    SetHosts(config.StringList("hosts"), config.Long("port"), settings);
    settings["dbname"] = config.String("database");
    settings["user"] = config.String("user");
    settings["sslmode"] = config.String("sslmode");
  }
  if (!config.String("password").empty()) settings["password"] = config.String("password");
  AddCommon(config, settings);
  return settings;
}

Result<void> ReadRowSecurity(const Config& config, const Settings& settings, Options& options) {
  options.row_security = config.Bool("row_security");
  if (!options.row_security) return {};
  const auto user = settings.find("user");
  if (user == settings.end() || user->second.empty()) {
    return Error(Code::kInvalid, "row_security: the connection string names no user");
  }
  options.user = user->second;
  if (config.String("background_dsn").empty()) {
    return Error(Code::kInvalid, "row_security: background_dsn is missing",
                 "give the connection string of a role that owns the tables");
  }
  A4C_TRY(Settings background, ParseDsn(config.String("background_dsn")));
  AddCommon(config, background);
  background["target_session_attrs"] = "read-write";
  A4C_TRY(options.background_conninfos, ConninfosOf(background));
  return {};
}

}  // namespace

Result<Settings> ParseDsn(const std::string& dsn) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(dsn.c_str(), &message), PQconninfoFree);
  if (!options) {
    PQfreemem(message);  // may quote the dsn, which may hold the password
    return Error(Code::kInvalid, "dsn is no connection string that libpq can read",
                 "write host=... port=... dbname=... user=..., or postgresql://...");
  }
  Settings settings;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) settings[option->keyword] = option->val;
  }
  return settings;
}

Result<Options> ReadOptions(const Config& config) {
  Options options;
  A4C_TRY(Settings settings, BaseSettings(config));
  settings["target_session_attrs"] = "read-write";
  A4C_TRY(options.conninfos, ConninfosOf(settings));
  if (!config.StringList("replica_hosts").empty()) {
    SetHosts(config.StringList("replica_hosts"), config.Long("port"), settings);
    settings["target_session_attrs"] = "standby";
    A4C_TRY(options.replica_conninfos, ConninfosOf(settings));
  }
  A4C_TRY(options.durability, DurabilityOf(config.String("durability")));
  A4C_CHECK(ReadRowSecurity(config, settings, options));
  options.schema = config.String("schema");
  if (options.schema.empty() || options.schema.size() > 63 || options.schema.starts_with("pg_")) {
    return Error(Code::kInvalid, "schema \"" + options.schema + "\" is no name for a schema");
  }
  options.sessions_max = config.Long("sessions_max");
  options.connect_timeout_ms = config.Long("connect_timeout");
  options.statement_timeout_ms = config.Long("statement_timeout");
  options.lock_timeout_ms = config.Long("lock_timeout");
  options.commit_timeout_ms = config.Long("commit_timeout");
  options.replica_staleness_max_ms = config.Long("replica_staleness_max");
  return options;
}

}  // namespace a4c::postgres
