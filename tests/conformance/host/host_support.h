// What the host suites share: a provider with a server that is reachable, and units that are
// removed at the end of the test.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "a4c/host_cleanup.h"
#include "a4c/host_images.h"
#include "tests/conformance/subject.h"
#include "tests/support/tar.h"

namespace a4c::conformance {

// The image that units run in where the provider has images.
std::string TestImage();

// An image of a registry that the provider under test may pull from; no server has it beforehand.
std::string TestRegistryImage();

// Leads a script: into what the unit keeps, wherever a provider has that.
inline constexpr const char* kEnter = "cd /workspace 2>/dev/null; ";

ByteSource InPieces(const std::string& bytes, size_t piece);

// A spec that runs this command on the provider under test.
UnitSpec SpecOf(std::vector<std::string> command);

class HostTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // A unit on the first reachable server with a name of its own, wanted running.
  Unit NewUnit(std::vector<std::string> command = {"sleep", "600"});
  // Ensures it and remembers to remove it.
  Result<UnitStatus> Ensure(const Unit& unit);
  Result<void> Remove(const Unit& unit, int64_t epoch);
  // The unit as it is listed; nothing if it is not.
  std::optional<UnitStatus> Listed(const Unit& unit);
  // Lists until the unit is in that state, and says how it is listed last.
  UnitStatus WaitFor(const Unit& unit, UnitState state);
  // Images of ours that no unit is made of go from all servers.
  void DiscardUnused();
  // Asks until it is true, at most a generous while.
  bool Eventually(const std::function<bool()>& condition);

  // True if the plugin, or this server, declares that it cannot do this.
  bool Lacks(const std::string& capability) const;

  HostProvider& provider() { return *provider_; }
  const std::string& host() const { return host_; }
  // All that are reachable; host() is the first.
  const std::vector<std::string>& hosts() const { return hosts_; }

 private:
  std::unique_ptr<HostProvider> provider_;
  std::string host_;
  std::vector<std::string> hosts_;
  std::map<std::string, std::string> host_absent_;
  std::set<std::pair<std::string, std::string>> made_;
};

}  // namespace a4c::conformance
