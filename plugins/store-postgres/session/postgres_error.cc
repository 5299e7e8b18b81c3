#include "session/postgres_error.h"

#include <algorithm>
#include <array>

namespace a4c::postgres {
namespace {

struct Entry {
  std::string_view prefix;
  Code code;
  const char* hint;
};

constexpr std::array kStates = std::to_array<Entry>({
    {"", Code::kUnavailable, "the connection to PostgreSQL was lost"},
    {"08", Code::kUnavailable, "the connection to PostgreSQL was lost"},
    {"0A", Code::kUnsupported, ""},
    {"22", Code::kInvalid, ""},
    {"23", Code::kInvalid, "a constraint that is not of a4c's making refuses the row"},
    {"23505", Code::kConflict, ""},
    {"25006", Code::kUnavailable, "the server is a standby: is the list of hosts complete?"},
    {"26", Code::kUnavailable, "a prepared statement is gone: is there a transaction-mode pooler?"},
    {"28", Code::kDenied, "check user and password"},
    {"3D000", Code::kNotFound, "create the database, or correct its name"},
    {"3F000", Code::kNotFound, "the schema is gone: restart, so that Ensure makes it"},
    {"40", Code::kUnavailable, "other transactions were in the way"},
    {"42501", Code::kDenied, "grant the user rights on the schema"},
    {"42P01", Code::kNotFound, "a table is gone: restart, so that Ensure makes it"},
    {"53", Code::kExhausted, "the server is out of connections, disk or memory"},
    {"54", Code::kInvalid, "the value is too large for PostgreSQL"},
    {"55P03", Code::kTimeout, "another transaction holds the row"},
    {"57014", Code::kTimeout, "the statement took longer than statement_timeout"},
    {"57P", Code::kUnavailable, "the server is starting, stopping or failing over"},
    {"58", Code::kUnavailable, "the server met an I/O error: see its log"},
    {"P0001", Code::kInvalid, "a trigger that is not of a4c's making refuses the row"},
});

struct Phrase {
  std::string_view text;
  Code code;
  const char* hint;
};

constexpr std::array kPhrases = std::to_array<Phrase>({
    {"authentication failed", Code::kDenied, "check user and password"},
    {"no password supplied", Code::kDenied, "set the key password, or PGPASSFILE"},
    {"no pg_hba.conf entry", Code::kDenied, "allow the user and address in pg_hba.conf"},
    {"permission denied", Code::kDenied, "grant the user the right to connect"},
    {"role \"", Code::kDenied, "create the user, or correct its name"},
    {"database \"", Code::kNotFound, "create the database, or correct its name"},
    {"certificate", Code::kDenied, "check sslmode and the certificates"},
});

std::string OneLine(std::string_view text) {
  std::string line(text);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  std::ranges::replace(line, '\n', ' ');
  return line;
}

}  // namespace

Error ErrorOf(std::string_view sqlstate, std::string_view message) {
  const Entry* best = nullptr;
  for (const Entry& entry : kStates) {
    const bool fits = entry.prefix.empty() ? sqlstate.empty() : sqlstate.starts_with(entry.prefix);
    if (fits && (best == nullptr || entry.prefix.size() > best->prefix.size())) best = &entry;
  }
  std::string text = "PostgreSQL";
  if (!sqlstate.empty()) text += " " + std::string(sqlstate);
  text += ": " + OneLine(message);
  if (best == nullptr) return Error(Code::kInternal, text);
  return Error(best->code, text, best->hint);
}

Error ConnectErrorOf(std::string_view message) {
  const std::string text = "cannot connect to PostgreSQL: " + OneLine(message);
  for (const Phrase& phrase : kPhrases) {
    if (message.find(phrase.text) != std::string_view::npos) {
      return Error(phrase.code, text, phrase.hint);
    }
  }
  return Error(Code::kUnavailable, text, "is the server up, and is one of the hosts the primary?");
}

Error Together(const std::optional<Error>& before, const Error& error) {
  if (!before) return error;
  const Error& told = before->retryable() ? error : *before;
  return Error(told.code(), before->message() + "; " + error.message(), told.hint());
}

bool EndsSession(std::string_view sqlstate) {
  return sqlstate.empty() || sqlstate == "25006" || sqlstate.starts_with("08") ||
         sqlstate.starts_with("26") || sqlstate.starts_with("57P");
}

}  // namespace a4c::postgres
