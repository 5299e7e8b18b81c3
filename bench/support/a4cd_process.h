// The service as users run it: an a4cd of this build, with a directory and a port of its own.
//
//   A4cdProcess a4cd("store: {plugin: store-sqlite, config: {path: @/a4cd.db}}\n");
//   RunHttpLoad({.port = a4cd.port(), ...});
//
// `@` in the config stands for its directory, which goes when it goes; further files are put there
// before the start. Dies if a4cd does not start.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace a4c::bench {

class A4cdProcess {
 public:
  explicit A4cdProcess(std::string config, const std::map<std::string, std::string>& files = {});
  ~A4cdProcess();
  A4cdProcess(const A4cdProcess&) = delete;
  A4cdProcess& operator=(const A4cdProcess&) = delete;

  int port() const { return port_; }
  const std::string& key() const { return key_; }
  const std::filesystem::path& directory() const { return directory_; }

  // The body of a good answer, with the first key; dies of another.
  std::string Ask(std::string_view method, std::string_view path, std::string_view body = {}) const;
  // The sum of a metric's series whose labels hold `labels`; dies if there is none.
  double Metric(std::string_view name, std::string_view labels) const;
  int64_t PeakMemoryBytes() const;

 private:
  void Launch();
  int ReadPort() const;

  std::filesystem::path directory_;
  pid_t pid_ = -1;
  int port_ = 0;
  std::string key_;
};

}  // namespace a4c::bench
