#include <algorithm>
#include <array>

#include "a4c/host_provider.h"
#include "a4c/json.h"

namespace a4c {
namespace {

constexpr size_t kNameBytesMax = 128;
constexpr size_t kLabelsMax = 64;
constexpr size_t kLabelKeyBytesMax = 256;
constexpr size_t kLabelValueBytesMax = 4096;
constexpr size_t kArgumentsMax = 256;
constexpr size_t kArgumentBytesMax = 128u << 10;
constexpr std::array<std::string_view, 4> kReservedLabels = {"a4c.cluster", "a4c.unit", "a4c.epoch",
                                                             "a4c.labels"};

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Error Invalid(std::string message) {
  return Error(Code::kInvalid, std::move(message));
}

Result<void> CheckText(std::string_view what, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return Invalid(std::string(what) + " holds a NUL");
  if (!IsUtf8(text)) return Invalid(std::string(what) + " is not valid UTF-8");
  return {};
}

Result<void> CheckLabels(const std::map<std::string, std::string>& labels) {
  if (labels.size() > kLabelsMax) return Invalid("labels: more than 64");
  for (const auto& [key, value] : labels) {
    if (key.empty() || key.size() > kLabelKeyBytesMax) {
      return Invalid("labels: a name has 1 to 256 bytes");
    }
    A4C_CHECK(CheckText("labels: a name", key));
    const std::string what = "labels." + key;
    if (std::ranges::find(kReservedLabels, key) != kReservedLabels.end()) {
      return Invalid(what + " belongs to the host provider");
    }
    if (value.size() > kLabelValueBytesMax) return Invalid(what + " is longer than 4096 bytes");
    A4C_CHECK(CheckText(what, value));
  }
  return {};
}

Result<void> CheckWorkingDir(std::string_view dir) {
  A4C_CHECK(CheckText("working_dir", dir));
  if (dir.empty()) return {};
  if (dir.front() != '/') return Invalid("working_dir is not absolute");
  const std::string padded = std::string(dir) + "/";
  if (padded.find("/../") != std::string::npos) return Invalid("working_dir holds \"..\"");
  return {};
}

Result<void> CheckAmounts(const UnitSpec& spec) {
  const std::pair<std::string_view, int64_t> amounts[] = {{"memory_bytes", spec.memory_bytes},
                                                          {"cpu_millis", spec.cpu_millis},
                                                          {"disk_bytes", spec.disk_bytes},
                                                          {"pids", spec.pids}};
  for (const auto& [name, amount] : amounts) {
    if (amount < 0) return Invalid("spec." + std::string(name) + " is negative");
  }
  return {};
}

}  // namespace

Result<void> CheckUnitName(std::string_view name) {
  if (name.size() < 2 || name.size() > kNameBytesMax) {
    return Invalid("name: has 2 to 128 characters, this one " + std::to_string(name.size()));
  }
  const bool fits = std::ranges::all_of(
      name, [](char c) { return IsLetterOrDigit(c) || c == '_' || c == '.' || c == '-'; });
  if (!fits || !IsLetterOrDigit(name.front())) {
    return Invalid("name: letters, digits, and after the first also \"_\", \".\" and \"-\"");
  }
  return {};
}

Result<void> CheckCommand(const std::vector<std::string>& command,
                          const std::map<std::string, std::string>& env,
                          std::string_view working_dir) {
  if (command.size() > kArgumentsMax) return Invalid("command: more than 256 arguments");
  if (env.size() > kArgumentsMax) return Invalid("env: more than 256 variables");
  size_t bytes = 0;
  for (const std::string& argument : command) {
    A4C_CHECK(CheckText("command", argument));
    bytes += argument.size();
  }
  if (!command.empty() && command.front().empty())
    return Invalid("command: its first word is empty");
  for (const auto& [name, value] : env) {
    if (name.empty() || name.find('=') != std::string::npos) {
      return Invalid("env: a name is empty or holds \"=\"");
    }
    A4C_CHECK(CheckText("env", name));
    A4C_CHECK(CheckText("env." + name, value));
    bytes += name.size() + value.size();
  }
  if (bytes > kArgumentBytesMax) return Invalid("command and env: longer than 128 KiB");
  return CheckWorkingDir(working_dir);
}

Result<void> CheckFence(const Fence& fence) {
  if (fence.epoch < 0) return Invalid("epoch is negative");
  if (!fence.claim.empty() && !CheckUnitName(fence.claim)) {
    return Invalid("claim: 2 to 128 letters, digits, \"_\", \".\" and \"-\"");
  }
  return {};
}

Result<void> Admit(std::string_view unit, const Fence& fence, const Fence& highest) {
  const std::string highest_text = std::to_string(highest.epoch);
  if (fence.epoch < highest.epoch) {
    return Error(Code::kConflict, "unit " + std::string(unit) + ": epoch " +
                                      std::to_string(fence.epoch) + " is below the highest, " +
                                      highest_text);
  }
  const bool told = !fence.claim.empty() && !highest.claim.empty();
  if (fence.epoch == highest.epoch && told && fence.claim != highest.claim) {
    return Error(Code::kConflict,
                 "unit " + std::string(unit) + ": epoch " + highest_text +
                     " is the highest, and another claim has it",
                 "the store was restored or cloned: claim again, above that epoch");
  }
  return {};
}

Result<void> CheckUnit(const Unit& unit) {
  A4C_CHECK(CheckUnitName(unit.name));
  A4C_CHECK(CheckFence({unit.epoch, unit.claim}));
  A4C_CHECK(CheckLabels(unit.labels));
  A4C_CHECK(CheckText("spec.image", unit.spec.image));
  A4C_CHECK(CheckCommand(unit.spec.command, unit.spec.env, unit.spec.working_dir));
  return CheckAmounts(unit.spec);
}

}  // namespace a4c
