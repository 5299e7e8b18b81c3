// The log of a job as it grows, until the job has ended, over breaks and long silence.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "apps/a4c/session.h"

namespace a4c_cli {

struct JobLogFollower {
  Session& session;
  std::string job;
  std::vector<std::pair<std::string, std::string>> begin;  // query parameters: tail, since
  std::function<void(const std::string& text)> show;
  std::function<void()> answered;  // it is open; again after each break
  // It ended before the job did: whether to ask again, from where it was.
  std::function<bool(const a4c::Result<Reply>& ended)> go_on;

  // True: it was all shown. False: go_on or goes_on has given up.
  bool Run() const;
  // Looked at with each event and each sign of life.
  std::function<bool()> goes_on = [] { return true; };
};

}  // namespace a4c_cli
