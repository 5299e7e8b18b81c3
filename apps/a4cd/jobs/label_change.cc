#include "apps/a4cd/jobs/label_change.h"

namespace a4cd {
namespace {

// One that is wrong has a fault of its own.
bool SaysNothing(const a4c::Json& value) {
  return value.IsNull() || (value.IsObject() && value.Members().empty()) ||
         (value.IsArray() && value.Items().empty());
}

}  // namespace

std::map<std::string, std::string> LabelChange::Of(
    std::map<std::string, std::string> labels) const {
  for (const auto& [name, value] : set) labels[name] = value;
  for (const std::string& name : remove) labels.erase(name);
  return labels;
}

LabelChange ReadLabelChange(FieldReader& fields) {
  LabelChange change{.set = fields.TextMap("set", kLabelsMax),
                     .remove = fields.TextList("remove", kLabelsMax)};
  for (const std::string& name : change.remove) {
    if (change.set.contains(name)) fields.Add("remove", "\"" + name + "\" stands in set too");
  }
  if (SaysNothing(fields.Any("set")) && SaysNothing(fields.Any("remove"))) {
    fields.Add("set", "is empty, and so is remove", R"(for example {"set": {"gpu": "yes"}})");
  }
  return change;
}

}  // namespace a4cd
