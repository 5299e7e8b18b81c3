#include "tests/conformance/config_file.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "a4c/json.h"

namespace a4c::conformance {
namespace {

class Reader {
 public:
  Reader(const std::string& file, const std::map<std::string, std::string>& given)
      : file_(file), given_(given) {}

  ConfigValue Read(const Json& json, const std::string& path) {
    ConfigValue value;
    value.file = file_;
    value.path = path;
    if (json.IsObject()) {
      value.shape = ConfigValue::Shape::kMap;
      for (const auto& [name, member] : json.Members()) {
        value.map[name] = Read(member, path.empty() ? name : path + "." + name);
      }
    } else if (json.IsArray()) {
      value.shape = ConfigValue::Shape::kList;
      for (const Json& item : json.Items()) {
        value.list.push_back(Read(item, path + "[" + std::to_string(value.list.size()) + "]"));
      }
    } else if (!json.IsNull()) {
      value.shape = ConfigValue::Shape::kScalar;
      value.scalar = json.IsText() ? Replace(json.Text()) : json.ToString();
    }
    return value;
  }

  std::vector<std::string> TakeMissing() { return std::move(missing_); }

 private:
  std::string Replace(const std::string& text) {
    std::string result;
    size_t at = 0;
    for (size_t open; (open = text.find("${", at)) != std::string::npos;) {
      const size_t close = text.find('}', open);
      if (close == std::string::npos) break;
      result += text.substr(at, open - at) + Lookup(text.substr(open + 2, close - open - 2));
      at = close + 1;
    }
    return result + text.substr(at);
  }

  std::string Lookup(const std::string& name) {
    const auto found = given_.find(name);
    if (found != given_.end()) return found->second;
    if (const char* value = std::getenv(name.c_str())) return value;
    missing_.push_back(name);
    return {};
  }

  const std::string& file_;
  const std::map<std::string, std::string>& given_;
  std::vector<std::string> missing_;
};

}  // namespace

Result<ConfigFile> ReadConfigFile(const std::string& file,
                                  const std::map<std::string, std::string>& given) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error(Code::kNotFound, "cannot read " + file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto json = ParseJson(text);
  if (!json) return json.error().Within(file);
  if (!json->IsObject()) return Error(Code::kInvalid, file + ": is an object of settings");
  Reader reader(file, given);
  ConfigFile result;
  result.value = reader.Read(*json, {});
  result.missing = reader.TakeMissing();
  return result;
}

}  // namespace a4c::conformance
