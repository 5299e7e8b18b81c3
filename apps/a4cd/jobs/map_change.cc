#include "apps/a4cd/jobs/map_change.h"

namespace a4cd {
namespace {

// One that is wrong has a fault of its own.
bool SaysNothing(const a4c::Json& value) {
  return value.IsNull() || (value.IsObject() && value.Members().empty()) ||
         (value.IsArray() && value.Items().empty());
}

}  // namespace

std::map<std::string, std::string> MapChange::Of(std::map<std::string, std::string> map) const {
  for (const auto& [name, value] : set) map[name] = value;
  for (const std::string& name : remove) map.erase(name);
  return map;
}

MapChange ReadMapChange(FieldReader& fields) {
  MapChange change{.set = fields.TextMap("set", kEntriesMax),
                   .remove = fields.TextList("remove", {.count_max = kEntriesMax})};
  for (const std::string& name : change.remove) {
    if (change.set.contains(name)) fields.Add("remove", "\"" + name + "\" stands in set too");
  }
  if (SaysNothing(fields.Any("set")) && SaysNothing(fields.Any("remove"))) {
    fields.Add("set", "is empty, and so is remove", R"(for example {"set": {"gpu": "yes"}})");
  }
  return change;
}

}  // namespace a4cd
