// A page of the workspaces that a list asks for, for the routes that list them.
#pragma once

#include <string>
#include <vector>

#include "apps/a4cd/api/api.h"

namespace a4cd {

struct WorkspacesWanted {
  std::vector<Workspace> workspaces;
  std::string list;      // for PageResponse
  std::string next;      // where the page after it begins; empty: there is none
  int64_t stale_ms = 0;  // 0: it is current
};

// By limit, cursor, token, require_fresh, actual, desired, host and labels of the query. list: its
// name in cursors. workspaces_api.cc
a4c::Result<WorkspacesWanted> ReadWorkspaces(ApiContext& api, const Request& request,
                                             std::string list);

}  // namespace a4cd
