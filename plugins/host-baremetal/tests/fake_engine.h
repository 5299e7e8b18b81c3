// For tests: a dockerd of a few answers on a Unix socket of this machine, one thread for any number
// of connections. It can also be slow, talk nonsense, or talk without an end.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "a4c/clock.h"

namespace a4c::baremetal {

// kRefusing: it answers 400 to whatever begins to come, and closes.
enum class EngineMood : uint8_t { kWell, kSilent, kGarbage, kEndless, kClosing, kRefusing };

class FakeEngine {
 public:
  FakeEngine(Threads& threads, std::string path);
  ~FakeEngine();
  const std::string& path() const { return path_; }
  void SetMood(EngineMood mood) { mood_ = mood; }
  int64_t requests() const { return requests_; }
  // There is a container unit-1 of the cluster "test". An exec in it, once it has the connection,
  // says these bytes, and then ends or does not.
  void SetStream(std::string bytes, bool ends);
  void SetExitCode(int code);
  // The state of that container, as dockerd names it. It can be removed, made and started.
  void SetState(std::string state);
  // No start of it succeeds, for this reason; one of its successor does.
  void SetStartError(std::string message);
  // To requests like this ("GET /images/x/json "), of any version, before any other answer.
  void SetAnswer(const std::string& request, const std::string& status, const std::string& body);
  // The answer to requests for this, once so many of them wait for it.
  void SetAnswerToMany(const std::string& target, size_t count, const std::string& body);
  // All requests until now, heads and bodies.
  std::string Heard() const;

 private:
  struct Peer;
  void Run(const std::stop_token& stop);
  bool Serve(Peer& peer);
  bool HoldBack(const std::string& head, int fd);
  std::string SetAnswerTo(const std::string& head) const;
  std::string ContainerAnswerTo(const std::string& head);
  std::string ExecAnswerTo(const std::string& head, Peer& peer) const;
  std::string AnswerTo(const std::string& head) const;

  const std::string path_;
  const int listener_;
  std::atomic<EngineMood> mood_ = EngineMood::kWell;
  std::atomic<int64_t> requests_ = 0;
  mutable std::mutex mutex_;
  std::string heard_;  // guarded by mutex_, as are the next
  std::map<std::string, std::string> answers_;
  std::string many_target_;  // empty: none
  std::string many_answer_;
  size_t many_count_ = 0;
  std::vector<int> many_waiting_;
  std::string stream_;
  bool stream_ends_ = true;
  int exit_code_ = 0;
  std::string state_ = "running";  // empty: there is none
  std::string start_error_;
  std::unique_ptr<Thread> thread_;  // last: joined before what it uses goes
};

}  // namespace a4c::baremetal
