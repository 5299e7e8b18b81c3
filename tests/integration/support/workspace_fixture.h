// An a4cd with workers, and a workspace dev-1 that runs: pretended, or of processes of this
// machine.
#pragma once

#include <functional>
#include <string>

#include "tests/integration/support/api_fixture.h"

namespace a4cd {

class WorkspaceTest : public ApiTest {
 protected:
  void SetUp() override { StartWith(""); }
  // With these lines more in its config.
  void StartWith(const std::string& yaml);
  void Make(const std::string& name, const std::string& more = "",
            const std::string& command = R"(["sleep","600"])");
  // Asks until it is true, at most a generous while.
  static bool Eventually(const std::function<bool()>& condition);
};

// Over host-local: what runs is real.
class LocalWorkspaceTest : public WorkspaceTest {
 protected:
  void SetUp() override { StartLocal(""); }
  void TearDown() override;
  // With these settings more: "a: 1, ".
  void StartLocal(const std::string& settings);

  std::string directory_;  // others may read it
};

}  // namespace a4cd
