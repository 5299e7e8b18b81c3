// The commands of the a4cd binary: serve (without a command), bootstrap-key, migrate, plugin.
#pragma once

namespace a4cd {

// The exit code: 0, 1 (failed), 2 (usage or config).
int RunCommandLine(int argc, char** argv);

}  // namespace a4cd
