#include "apps/a4cd/jobs/texts.h"

namespace a4cd {

using a4c::Json;

Json ListJson(const std::vector<std::string>& list) {
  Json array(Json::Array{});
  for (const std::string& item : list) array.Append(item);
  return array;
}

Json MapJson(const std::map<std::string, std::string>& map) {
  Json object(Json::Object{});
  for (const auto& [name, value] : map) object.AppendMember(name, value);
  return object;
}

std::vector<std::string> ListOf(const Json& array) {
  std::vector<std::string> list;
  for (const Json& item : array.Items()) list.push_back(item.Text());
  return list;
}

std::map<std::string, std::string> MapOf(const Json& object) {
  std::map<std::string, std::string> map;
  for (const auto& [name, value] : object.Members()) map[name] = value.Text();
  return map;
}

}  // namespace a4cd
