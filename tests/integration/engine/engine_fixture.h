// An a4cd with workers over real Docker servers, and its command line. Workspaces are put on one
// server, whose engine is asked past a4cd.
//
// Needs A4C_TEST_BAREMETAL_HELPER_HOSTS, A4C_TEST_BAREMETAL_SOCKET and A4C_TEST_BAREMETAL_FAULT:
// dev/stack/stack up baremetal, dev/stack/baremetal/helper.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/integration/cli/sessions_fixture.h"

namespace a4cd {

// No a4cd runs until the test starts one.
class OverEngine : public WorkspaceTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  // On a store and an index in this directory of data_, which is made if it is not there.
  void StartOn(const std::string& directory, const std::string& yaml = "");
  // As root on the server.
  static std::string OnServer(const std::string& command);

  // Everything that a4cd has logged.
  std::string Logged() const;

  std::string data_;
  std::string cluster_;
};

class EngineTest : public CliOver<OverEngine> {
 protected:
  static constexpr const char* kServer = "server-1";  // the one whose socket is given

  // Deletes all workspaces.
  void TearDown() override;

  // The command line; it is to succeed.
  std::string Succeeds(const std::vector<std::string>& arguments, const std::string& input = "");
  // On the server, and waits until it runs; `flags` of a4c workspace create.
  void MakeThere(const std::string& name, std::vector<std::string> flags = {},
                 const std::string& script = "exec sleep 600");
  std::string ActualOf(const std::string& workspace);
  std::string UnitOf(const std::string& workspace);
  // What the engine says of a container, as a Go template has it.
  Ran Inspect(const std::string& unit, const std::string& format = "{{json .}}");
  // The command line, left running, its output unseen: as somebody who stays.
  pid_t Stay(const std::vector<std::string>& arguments) const;
  static void Leave(pid_t who);
};

}  // namespace a4cd
