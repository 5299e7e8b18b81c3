// Finding and opening a plugin's file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "a4c/plugin_host.h"

namespace a4c::plugin {

// The file that a name stands for: a path if it has a slash, else NAME.so in the first directory
// that has it; absolute, without symbolic links. kNotFound lists every path tried and the nearest
// name.
Result<std::filesystem::path> FindFile(const std::string& name,
                                       const std::vector<std::string>& directories);

// Every *.so in the directories, by name; of one name the first directory's.
std::vector<std::filesystem::path> ListFiles(const std::vector<std::string>& directories);

// Opens the file for good: a library once open stays so until the process ends, and opening it
// again gives the same descriptor. kInvalid: it cannot be opened, or has no descriptor.
Result<const PluginDescriptor*> OpenDescriptor(const std::filesystem::path& file);

// kInvalid: the descriptor lacks what every plugin has, or its tag is not the one of its kind.
Result<void> CheckDescriptor(const PluginDescriptor& descriptor, const std::string& path);

// kInvalid: its file has another name, by which config, log and metrics would know it.
Result<void> CheckName(const PluginDescriptor& descriptor, const std::filesystem::path& file);

}  // namespace a4c::plugin
