// PlainSql: statements sent one by one as text, for what is done now and then: changes of tables,
// and questions about them. Poco takes a $ before a digit for a parameter. [one thread at a time]
#pragma once

#include <string>
#include <vector>

#include "a4c/result.h"
#include "session/postgres_session.h"

namespace a4c::postgres {

using TextRows = std::vector<std::vector<std::string>>;

class PlainSql {
 public:
  explicit PlainSql(Session& session) : session_(session) {}

  Result<void> Do(const std::string& sql);
  Result<TextRows> Ask(const std::string& sql);
  Result<bool> AskBool(const std::string& expression);

 private:
  Session& session_;
};

}  // namespace a4c::postgres
