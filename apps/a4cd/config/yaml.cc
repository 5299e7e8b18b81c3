#include <yaml-cpp/yaml.h>

#include <utility>
#include <vector>

#include "apps/a4cd/config/config_file.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::ConfigValue;
using a4c::Error;
using a4c::Result;

constexpr int kNodesMax = 10'000;
constexpr int kDepthMax = 64;

// Walks a YAML tree; aliases are walked each time they are used, so their number is bounded too,
// and one that holds itself ends at the depth.
class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  Result<ConfigValue> Read(const YAML::Node& node, const std::string& path) {
    ConfigValue value;
    value.file = file_;
    value.line = node.Mark().line + 1;
    value.path = path;
    if (++nodes_ > kNodesMax) return Error(Code::kInvalid, value.Where() + ": too many settings");
    if (node.IsScalar()) {
      value.shape = ConfigValue::Shape::kScalar;
      value.scalar = node.Scalar();
      return value;
    }
    if (depth_ >= kDepthMax) return Error(Code::kInvalid, value.Where() + ": nested too deep");
    ++depth_;
    Result<ConfigValue> read = node.IsSequence() ? ReadList(node, std::move(value))
                               : node.IsMap()    ? ReadMap(node, std::move(value))
                                                 : std::move(value);
    --depth_;
    return read;
  }

 private:
  Result<ConfigValue> ReadList(const YAML::Node& node, ConfigValue value) {
    value.shape = ConfigValue::Shape::kList;
    for (const YAML::Node& item : node) {
      const std::string path = value.path + "[" + std::to_string(value.list.size()) + "]";
      A4C_TRY(ConfigValue member, Read(item, path));
      value.list.push_back(std::move(member));
    }
    return value;
  }

  Result<ConfigValue> ReadMap(const YAML::Node& node, ConfigValue value) {
    value.shape = ConfigValue::Shape::kMap;
    for (const auto& pair : node) {
      const std::string name = pair.first.Scalar();
      A4C_TRY(ConfigValue member,
              Read(pair.second, value.path.empty() ? name : value.path + "." + name));
      const std::string where = member.Where();
      if (!value.map.emplace(name, std::move(member)).second) {
        return Error(Code::kInvalid, where + ": stands twice");
      }
    }
    return value;
  }

  std::string file_;
  int nodes_ = 0;
  int depth_ = 0;
};

// What stands behind a second "---" would be read by nobody.
Result<void> CheckIsOne(const std::vector<YAML::Node>& documents, const std::string& file) {
  for (size_t i = 1; i < documents.size(); ++i) {
    if (documents[i].IsNull()) continue;
    return Error(Code::kInvalid, file + ":" + std::to_string(documents[i].Mark().line + 1) +
                                     ": a second YAML document; a config is one: take the \"---\" "
                                     "in front of it away");
  }
  return {};
}

}  // namespace

Result<ConfigValue> ParseYaml(const std::string& text, const std::string& file) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    A4C_CHECK(CheckIsOne(documents, file));
    const YAML::Node root = documents.empty() ? YAML::Node() : documents.front();
    A4C_TRY(ConfigValue value, Reader(file).Read(root, ""));
    if (value.shape == ConfigValue::Shape::kAbsent) value.shape = ConfigValue::Shape::kMap;
    return value;
  } catch (const YAML::Exception& error) {
    return Error(Code::kInvalid,
                 file + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

}  // namespace a4cd
