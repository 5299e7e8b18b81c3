#include <unistd.h>

#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "apps/plugin_tool/plugin_tool.h"
#include "apps/plugin_tool/report.h"

namespace a4c {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kInto = "--into=";

struct Names {
  std::string plugin;  // store-foo-bar
  std::string kind;    // store: the template's directory
  std::string space;   // foo_bar: leads the names of files, and of the namespace
  std::string type;    // FooBar: leads the names of classes
};

// kInvalid if it is no name of a plugin: <kind>-<what>, in lower case.
Result<Names> NamesOf(const std::string& plugin) {
  const size_t dash = plugin.find('-');
  const bool plain =
      plugin.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (!plain || dash == std::string::npos || dash == 0 || dash + 1 == plugin.size() ||
      plugin.back() == '-' || !std::isalpha(static_cast<unsigned char>(plugin[dash + 1]))) {
    return Error(Code::kInvalid, "\"" + plugin + "\" is no name for a plugin",
                 "a kind, a dash and what it is built on, in lower case: store-foo");
  }
  Names names{plugin, plugin.substr(0, dash), {}, {}};
  bool upper = true;
  for (const char c : plugin.substr(dash + 1)) {
    names.space += c == '-' ? '_' : c;
    if (c != '-') names.type += upper ? static_cast<char>(std::toupper(c)) : c;
    upper = c == '-';
  }
  return names;
}

std::string Filled(std::string text, const Names& names) {
  const std::array<std::pair<std::string, std::string>, 3> values = {
      {{"@plugin@", names.plugin}, {"@space@", names.space}, {"@Type@", names.type}}};
  for (const auto& [mark, value] : values) {
    for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size()) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

Result<void> CopyFilled(const fs::path& from, const fs::path& to, const Names& names) {
  std::ifstream in(from, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::ofstream file(to, std::ios::binary);
  file << Filled(text, names);
  file.close();
  if (!in || !file) return Error(Code::kUnavailable, "cannot write " + to.string());
  return {};
}

Error NoTemplate(const std::string& kind, const fs::path& looked_at) {
  if (kind == "store") {
    return Error(Code::kUnsupported, "there is no template at " + looked_at.string(),
                 "set A4C_TEMPLATE_DIR to where a4c's templates are");
  }
  if (kind == "bus" || kind == "search" || kind == "host") {
    return Error(Code::kUnsupported, "only a store has a template so far, a " + kind + " has none",
                 "copy plugins/" + kind + "-memory of a4c's sources; docs/plugins/guide.md says " +
                     "what to rename");
  }
  return Error(Code::kInvalid, "\"" + kind + "\" is no kind of plugin",
               "store, bus, search or host: store-foo");
}

// Refuses a directory that exists: nothing of the author's is ever overwritten.
Result<void> WriteAll(const fs::path& from, const fs::path& to, const Names& names,
                      std::ostream& out) {
  std::error_code error;
  if (!fs::is_directory(from, error)) return NoTemplate(names.kind, from);
  if (!fs::create_directories(to, error)) {
    return Error(Code::kConflict, error ? "cannot make " + to.string() + ": " + error.message()
                                        : to.string() + " exists already");
  }
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path file = to / Filled(entry.path().filename().string(), names);
    A4C_CHECK(CopyFilled(entry.path(), file, names));
    out << "wrote " << file.string() << "\n";
  }
  return {};
}

}  // namespace

int PluginNew(const PluginTool& tool, std::span<const std::string> args, std::ostream& out,
              std::ostream& err) {
  const bool has_into = args.size() == 2 && args[1].starts_with(kInto);
  if (args.empty() || (args.size() > 1 && !has_into)) {
    return Usage("new <kind>-<what> [--into=DIRECTORY]", err);
  }
  const auto names = NamesOf(args[0]);
  if (!names) return Report(names.error(), err);
  const fs::path into = has_into ? args[1].substr(kInto.size()) : names->plugin;
  const auto written = WriteAll(fs::path(tool.template_directory) / names->kind, into, *names, out);
  if (!written) return Report(written.error(), err);
  out << "next: cmake -S " << into.string() << " -B " << (into / "build").string()
      << " && cmake --build " << (into / "build").string() << " && ctest --test-dir "
      << (into / "build").string() << "\n";
  return kToolDone;
}

std::string FindTemplateDirectory() {
  if (const char* given = std::getenv("A4C_TEMPLATE_DIR")) return given;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path().parent_path() / "share/a4c/templates";
  if (fs::is_directory(installed, error)) return installed.string();
  return A4C_SOURCE_TEMPLATES;
}

}  // namespace a4c
