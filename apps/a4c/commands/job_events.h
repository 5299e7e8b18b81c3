// Jobs as they change, from the stream of events, over its breaks.
#pragma once

#include <string>

#include "apps/a4c/commands/watch.h"
#include "apps/a4c/session.h"

namespace a4c_cli {

// All jobs, or one until it has ended: the exit code that its end means.
int WatchJobs(Session& session, const std::string& id);

// The list, and then all jobs that change, whether they are in it or not.
int WatchJobList(Session& session, const List& list);

}  // namespace a4c_cli
