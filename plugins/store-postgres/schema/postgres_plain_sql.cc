#include "schema/postgres_plain_sql.h"

#include <Poco/Data/RecordSet.h>
#include <Poco/Data/Session.h>
#include <Poco/Exception.h>

namespace a4c::postgres {

Result<void> PlainSql::Do(const std::string& sql) {
  try {
    session_.poco() << sql, Poco::Data::Keywords::now;
    return {};
  } catch (const Poco::Exception&) {
    return session_.CaughtError();
  }
}

Result<TextRows> PlainSql::Ask(const std::string& sql) {
  try {
    Poco::Data::RecordSet set(session_.poco(), sql);
    TextRows rows(set.rowCount());
    for (size_t row = 0; row < rows.size(); ++row) {
      for (size_t column = 0; column < set.columnCount(); ++column) {
        rows[row].push_back(set.value(column, row).convert<std::string>());
      }
    }
    return rows;
  } catch (const Poco::Exception&) {
    return session_.CaughtError();
  }
}

Result<bool> PlainSql::AskBool(const std::string& expression) {
  A4C_TRY(const TextRows rows, Ask("SELECT CASE WHEN " + expression + " THEN 'yes' ELSE 'no' END"));
  return rows.at(0).at(0) == "yes";
}

}  // namespace a4c::postgres
