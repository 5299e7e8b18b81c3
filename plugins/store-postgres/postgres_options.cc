#include "postgres_options.h"

#include <libpq-fe.h>

#include <map>
#include <memory>

namespace a4c::postgres {
namespace {

using Settings = std::map<std::string, std::string>;

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
    text += name + "='" + quoted + "'";
  }
  return text;
}

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
  const int64_t connect_s = (config.Long("connect_timeout") + 999) / 1000;
  settings["connect_timeout"] = std::to_string(connect_s);
  settings.try_emplace("application_name", "a4c");
  settings.try_emplace("tcp_user_timeout", std::to_string(config.Long("commit_timeout")));
  settings.try_emplace("keepalives_idle", "10");
  settings["client_encoding"] = "UTF8";
  return settings;
}

}  // namespace

Result<Options> ReadOptions(const Config& config) {
  Options options;
  A4C_TRY(Settings settings, BaseSettings(config));
  settings["target_session_attrs"] = "read-write";
  A4C_TRY(options.conninfo, ToConninfo(settings));
  if (!config.StringList("replica_hosts").empty()) {
    SetHosts(config.StringList("replica_hosts"), config.Long("port"), settings);
    settings["target_session_attrs"] = "any";
    A4C_TRY(options.replica_conninfo, ToConninfo(settings));
  }
  options.schema = config.String("schema");
  if (options.schema.empty() || options.schema.size() > 63 || options.schema.starts_with("pg_")) {
    return Error(Code::kInvalid, "schema \"" + options.schema + "\" is no name for a schema");
  }
  options.sessions_max = config.Long("sessions_max");
  options.flushers = config.Long("flushers");
  options.group_batches_max = config.Long("group_batches_max");
  options.group_bytes_max = config.Long("group_bytes_max");
  options.queue_batches_max = config.Long("queue_batches_max");
  options.queue_bytes_max = config.Long("queue_bytes_max");
  options.connect_timeout_ms = config.Long("connect_timeout");
  options.statement_timeout_ms = config.Long("statement_timeout");
  options.lock_timeout_ms = config.Long("lock_timeout");
  options.commit_timeout_ms = config.Long("commit_timeout");
  return options;
}

}  // namespace a4c::postgres
