// What a metric is, in a line: the `# HELP` of /metrics.
#pragma once

#include <string_view>

namespace a4cd {

// Empty: one of a plugin that is not the project's own. [any thread]
std::string_view HelpOf(std::string_view name);

}  // namespace a4cd
