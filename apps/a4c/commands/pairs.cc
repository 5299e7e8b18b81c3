// Arguments of the form name=value.
#include <utility>

#include "apps/a4c/commands/commands.h"

namespace a4c_cli {

using a4c::Json;
using a4c::Result;

namespace {

// A value that is JSON is that, anything else text: '"500"' is the text 500. What begins like an
// array or object is meant as one.
Result<Json> JsonOrText(const std::string& text) {
  Result<Json> parsed = a4c::ParseJson(text);
  if (parsed) return parsed;
  const bool is_structured = text.starts_with('[') || text.starts_with('{');
  if (!is_structured) return Result<Json>(Json(text));
  return a4c::Error(a4c::Code::kInvalid, parsed.error().message(),
                    "text that begins so is written as JSON too: '\"[...\"'");
}

}  // namespace

bool ParsePairs(Session& session, const std::vector<std::string>& pairs, Json& object,
                bool values_may_be_json) {
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      session.exit_code =
          session.Complain(a4c::Error(a4c::Code::kInvalid, "\"" + pair + "\" is not name=value"));
      return false;
    }
    const std::string text = pair.substr(equals + 1);
    const std::string name = pair.substr(0, equals);
    Result<Json> value = values_may_be_json ? JsonOrText(text) : Result<Json>(Json(text));
    if (!value) {
      session.exit_code = session.Complain(value.error().Within(name));
      return false;
    }
    object.Set(name, *std::move(value));
  }
  return true;
}

bool ReadMapChange(Session& session, const std::vector<std::string>& given, std::string_view what,
                   Json& change) {
  Json set(Json::Object{});
  Json remove(Json::Array{});
  for (const std::string& one : given) {
    const size_t equals = one.find('=');
    if (equals != std::string::npos && equals > 0) {
      set.Set(one.substr(0, equals), one.substr(equals + 1));
    } else if (equals == std::string::npos && one.size() > 1 && one.ends_with('-')) {
      remove.Append(one.substr(0, one.size() - 1));
    } else {
      session.exit_code = session.Complain(
          a4c::Error(a4c::Code::kInvalid, "\"" + one + "\" is no change of " + std::string(what),
                     "NAME=value sets NAME, NAME- removes it"));
      return false;
    }
  }
  if (!set.Members().empty()) change.Set("set", std::move(set));
  if (!remove.Items().empty()) change.Set("remove", std::move(remove));
  return true;
}

}  // namespace a4c_cli
