#include "plugin/library.h"

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <map>
#include <mutex>
#include <set>
#include <system_error>

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
  std::string list;
  for (const fs::path& path : tried) {
    std::error_code error;
    if (fs::is_regular_file(path, error)) return fs::absolute(path);
    list += (list.empty() ? "" : ", ") + path.string();
  }
  return Error(Code::kNotFound, "no plugin \"" + name + "\"; tried " +
                                    (list.empty() ? "nothing: no plugin directories" : list));
}

std::vector<fs::path> ListFiles(const std::vector<std::string>& directories) {
  std::vector<fs::path> files;
  std::set<std::string> names;
  for (const std::string& directory : directories) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".so" || !names.insert(path.stem().string()).second) continue;
      files.push_back(fs::absolute(path));
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

}  // namespace a4c::plugin
