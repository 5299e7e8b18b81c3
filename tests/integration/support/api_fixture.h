// A whole a4cd in this process, over the memory plugins, on a free port; and a client that does
// exactly what it is told.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "a4c/clock.h"
#include "a4c/json.h"
#include "apps/a4cd/app.h"
#include "apps/a4cd/telemetry/metrics.h"
#include "tests/support/recording_sinks.h"

namespace a4cd {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string text;
  a4c::Json body;

  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

using Headers = std::vector<std::pair<std::string, std::string>>;

class ApiTest : public testing::Test {
 protected:
  void SetUp() override { StartApp(""); }
  void TearDown() override;

  // Starts it (again) with these lines more in its config.
  void StartApp(const std::string& yaml);
  // What it runs by.
  virtual a4c::Runtime NewRuntime() { return a4c::SystemRuntime(log_, *metrics_); }

  // With the key of the first tenant, unless the headers have an Authorization.
  Answer Send(const std::string& method, const std::string& path, const std::string& body = "",
              const Headers& headers = {});
  Answer Get(const std::string& path, const Headers& headers = {}) {
    return Send("GET", path, "", headers);
  }
  Answer Post(const std::string& path, const std::string& body, const Headers& headers = {}) {
    return Send("POST", path, body, headers);
  }
  // Bytes as they are, and all that comes back until the connection ends or `until` has come.
  std::string Raw(const std::string& bytes, const std::string& until = "");
  // The same of a client that has said all that it has to say.
  std::string RawEnded(const std::string& bytes);
  // Bytes, then one after the other with little time between; all that comes back until the end.
  std::string Drip(const std::string& bytes);

  void WriteSecretsKey();
  // Key of a tenant that is made if it is not there.
  std::string KeyFor(const std::string& tenant, const std::string& scopes = "\"*\"");
  Answer CreateWorkspaceJob(const std::string& name, const Headers& headers = {});

  std::string key_;
  int port_ = 0;
  std::string key_file_;
  std::string secrets_key_file_;  // seals secrets, unless the config says otherwise
  a4c::testing::RecordingLog log_;
  std::unique_ptr<Metrics> metrics_ = NewMetrics();
  std::unique_ptr<App> app_;
};

Headers Bearer(const std::string& key);

}  // namespace a4cd
