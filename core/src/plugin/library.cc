#include "plugin/library.h"

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <map>
#include <mutex>
#include <set>
#include <system_error>

#include "a4c/nearest.h"
#include "plugin/abi_tag.h"
#include "plugin/static_plugins.h"

namespace a4c::plugin {
namespace {

namespace fs = std::filesystem;
namespace dll = boost::dll;

// Never destroyed: code of a plugin may still run while statics are being destroyed.
struct OpenLibraries {
  std::mutex mutex;
  std::map<fs::path, dll::shared_library> by_path;
};

OpenLibraries& Open() {
  static auto* open = new OpenLibraries;
  return *open;
}

Result<const PluginDescriptor*> DescriptorOf(const dll::shared_library& library,
                                             const fs::path& file) {
  if (!library.has("a4c_plugin")) {
    return Error(Code::kInvalid, file.string() + " has no symbol a4c_plugin",
                 "is it a plugin? it is built with a4c_plugin() and says A4C_PLUGIN(...) once");
  }
  return &library.get<const PluginDescriptor>("a4c_plugin");
}

Error NotFound(const std::string& name, const std::vector<fs::path>& tried,
               const std::vector<std::string>& directories) {
  std::string message = "no plugin \"" + name + "\"; tried ";
  if (tried.empty()) message += "nothing: there are no plugin directories";
  for (const fs::path& path : tried) message += (path == tried[0] ? "" : ", ") + path.string();
  std::vector<std::string> known;
  for (const fs::path& file : ListFiles(directories)) known.push_back(file.stem());
  for (const PluginDescriptor* linked_in : StaticPlugins()) known.emplace_back(linked_in->name);
  const std::string nearest = Nearest(name, known);
  return Error(Code::kNotFound, message,
               nearest.empty() ? "" : "did you mean \"" + nearest + "\"?");
}

}  // namespace

Result<fs::path> FindFile(const std::string& name, const std::vector<std::string>& directories) {
  std::vector<fs::path> tried;
  if (name.find('/') != std::string::npos) {
    tried.emplace_back(name);
  } else {
    for (const std::string& directory : directories) {
      tried.push_back(fs::path(directory) / (name + ".so"));
    }
  }
  for (const fs::path& path : tried) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) continue;
    const fs::path real = fs::canonical(path, error);
    if (!error) return real;
  }
  return NotFound(name, tried, directories);
}

std::vector<fs::path> ListFiles(const std::vector<std::string>& directories) {
  std::vector<fs::path> files;
  std::set<std::string> names;
  for (const std::string& directory : directories) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".so" || !entry.is_regular_file(error)) continue;
      if (names.insert(path.stem().string()).second) files.push_back(path);
    }
  }
  std::ranges::sort(files, {}, [](const fs::path& path) { return path.stem().string(); });
  return files;
}

Result<const PluginDescriptor*> OpenDescriptor(const fs::path& file) {
  OpenLibraries& open = Open();
  const std::lock_guard lock(open.mutex);
  const auto found = open.by_path.find(file);
  if (found != open.by_path.end()) return DescriptorOf(found->second, file);
  try {
    dll::shared_library library(file, dll::load_mode::rtld_now | dll::load_mode::rtld_local);
    return DescriptorOf(open.by_path.emplace(file, std::move(library)).first->second, file);
  } catch (const std::exception& failure) {
    return Error(Code::kInvalid, "cannot open " + file.string() + ": " + failure.what());
  }
}

Result<void> CheckDescriptor(const PluginDescriptor& descriptor, const std::string& path) {
  if (descriptor.abi_tag == nullptr || descriptor.kind == nullptr || descriptor.name == nullptr ||
      descriptor.version == nullptr || descriptor.summary == nullptr) {
    return Error(Code::kInvalid, path + " has an incomplete descriptor");
  }
  const std::string_view ours = TagOf(descriptor.kind);
  if (ours.empty() || ours != descriptor.abi_tag) {
    return Error(Code::kInvalid,
                 path + " says that it is a " + descriptor.kind + " built for " +
                     descriptor.abi_tag + ", which this release does not know",
                 "rebuild the plugin against this release of a4c");
  }
  if (descriptor.factory == nullptr) return Error(Code::kInvalid, path + " has no factory");
  return {};
}

Result<void> CheckName(const PluginDescriptor& descriptor, const fs::path& file) {
  if (file.stem() == descriptor.name) return {};
  const std::string name = descriptor.name;
  return Error(Code::kInvalid,
               file.string() + " says that it is the plugin \"" + name + "\", not \"" +
                   file.stem().string() + "\"",
               "a copy? change the name in its A4C_PLUGIN(...) too; otherwise name the file " +
                   name + ".so again");
}

}  // namespace a4c::plugin
