#include "units/local_state.h"

#include "a4c/json.h"

namespace a4c::local {
namespace {

Json TextMap(const std::map<std::string, std::string>& texts) {
  Json::Object members;
  for (const auto& [name, value] : texts) members.emplace_back(name, value);
  return Json(std::move(members));
}

std::map<std::string, std::string> ReadTextMap(const Json& json) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : json.Members()) texts[name] = value.Text();
  return texts;
}

}  // namespace

std::string EncodeUnit(const UnitRecord& unit) {
  Json spec;
  spec.Set("command", Json(Json::Array(unit.spec.command.begin(), unit.spec.command.end())));
  spec.Set("env", TextMap(unit.spec.env));
  spec.Set("working_dir", unit.spec.working_dir);
  spec.Set("memory_bytes", unit.spec.memory_bytes);
  spec.Set("cpu_millis", unit.spec.cpu_millis);
  spec.Set("disk_bytes", unit.spec.disk_bytes);
  spec.Set("pids", unit.spec.pids);
  Json json;
  json.Set("version", 1);
  json.Set("name", unit.name);
  json.Set("mark", unit.mark);
  json.Set("labels", TextMap(unit.labels));
  json.Set("spec", std::move(spec));
  return json.ToString() + "\n";
}

Result<UnitRecord> DecodeUnit(std::string_view text) {
  auto json = ParseJson(text);
  if (!json || (*json)["version"].Int() != 1 || !(*json)["name"].IsText() ||
      (*json)["mark"].Text().empty()) {
    return Error(Code::kInternal, "unit.json is damaged", "remove the unit");
  }
  UnitRecord unit{.name = (*json)["name"].Text(),
                  .labels = ReadTextMap((*json)["labels"]),
                  .spec = {},
                  .mark = (*json)["mark"].Text()};
  const Json& spec = (*json)["spec"];
  for (const Json& word : spec["command"].Items()) unit.spec.command.push_back(word.Text());
  unit.spec.env = ReadTextMap(spec["env"]);
  unit.spec.working_dir = spec["working_dir"].Text();
  unit.spec.memory_bytes = spec["memory_bytes"].Int();
  unit.spec.cpu_millis = spec["cpu_millis"].Int();
  unit.spec.disk_bytes = spec["disk_bytes"].Int();
  unit.spec.pids = spec["pids"].Int();
  return unit;
}

UnitStatus JudgeState(bool supervised, const std::optional<RunRecord>& run,
                      const std::optional<ExitRecord>& exit, const std::string& boot_id) {
  UnitStatus status;
  if (run) status.started_at_ms = run->started_at_ms;
  if (supervised && !exit) {
    status.state = UnitState::kRunning;
  } else if (exit) {
    status.state = exit->cannot_run ? UnitState::kBroken : UnitState::kStopped;
    status.reason = exit->reason;
    if (!exit->cannot_run) status.exit_code = exit->code;
  } else if (run) {
    status.state = UnitState::kStopped;
    status.reason = run->boot_id == boot_id ? "its supervisor was killed; the exit code is unknown"
                                            : "the machine was restarted";
  }
  return status;
}

}  // namespace a4c::local
