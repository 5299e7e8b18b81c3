// One command for several names: each is done, also after one that failed, and of several each
// complaint says whose it is. The exit code is that of the first failure.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "apps/a4c/session.h"

namespace a4c_cli {

struct Names {
  const char* noun;  // "job": "job/<id>" is taken as "<id>"
  std::vector<std::string> given = {};

  bool AreSeveral() const { return given.size() > 1; }
};
// One at least, of any number.
void AddNames(CLI::App& leaf, Names& names, const char* help = "its id; several: each of them");

struct Waiting {
  bool is_wanted = false;
  int64_t timeout_s = 600;
};
// --wait and --timeout, which is for all names together.
void AddWaiting(CLI::App& leaf, Waiting& waiting, const char* help = "until it is done");

// What came of it for one name.
struct Outcome {
  std::string name;
  a4c::Json shown;
  a4c::Json first = {};  // of two jobs the one before, which has to succeed as well
};

// exit_code while it lives is that of what it is about; in the end that of the first failure.
class FirstFailure {
 public:
  explicit FirstFailure(Session& session) : session_(session), exit_code_(session.exit_code) {}
  ~FirstFailure() { session_.exit_code = exit_code_; }
  FirstFailure(const FirstFailure&) = delete;
  FirstFailure& operator=(const FirstFailure&) = delete;
  // Does it for one of the names. What it answers.
  bool Do(const Names& names, const std::string& name, const std::function<bool()>& step);

 private:
  Session& session_;
  int exit_code_;
};

// step: false: it failed and was complained about, exit_code is set. Those that succeeded.
std::vector<Outcome> DoForEach(Session& session, const Names& names,
                               const std::function<bool(Outcome& outcome)>& step);

// Sends it, as a step for one of the names: what it is answered is what comes of it.
bool SendFor(Session& session, const Ask& ask, Outcome& outcome);

// Of one name as one, of several as a list.
void ShowOutcomes(Session& session, const Names& names, std::vector<Outcome> outcomes,
                  const std::string& noun, const std::vector<Column>& columns);

// Of jobs: shown, or waited for one after the other; they go on at the same time.
void FinishJobs(Session& session, const Names& names, std::vector<Outcome> jobs,
                const Waiting& waiting);

}  // namespace a4c_cli
