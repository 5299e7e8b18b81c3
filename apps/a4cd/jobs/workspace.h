// Workspace: what a user wants to run somewhere, and what is known of it. Plain data, no I/O.
//
// `desired` is set by users' jobs, `actual` and `host` by workers and the reconciler. A workspace
// that was deleted becomes a tombstone once the server has confirmed that nothing of it is left.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "a4c/record.h"
#include "a4c/result.h"
#include "apps/a4cd/jobs/fields.h"
#include "apps/a4cd/placement/constraints.h"

namespace a4cd {

struct Workspace {
  std::string id;
  int64_t rev = 0;
  std::string name;
  std::string image;         // empty: a plain process group, no container
  std::string image_digest;  // what the tenant had built under that name; see jobs/built_image.h
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  std::map<std::string, std::string> secrets;  // variable of env -> name of the secret
  std::map<std::string, std::string> labels;
  int64_t memory_bytes = 0;  // 0: the host provider's default
  int64_t cpu_millis = 0;
  int64_t disk_bytes = 0;
  int64_t pids = 0;
  std::string wanted_host;          // a constraint: only there; empty: the least used disk
  Constraints constraints;          // of servers; judged when it is placed, or moved
  std::string on_drain = "keep";    // keep, or recreate: elsewhere, without what was on its disk
  std::string restart = "never";    // never, on_failure, always: once its process has ended
  std::string desired = "running";  // running, stopped, deleted
  // pending, running, stopped, failed; lost: its server is silent, or gone for good (lost_with)
  std::string actual = "pending";
  std::string host;                  // where it was placed
  std::vector<std::string> also_on;  // see work/other_servers.h
  std::string message;
  int64_t restarts = 0;  // by `restart`, in a row
  int64_t created_at = 0;
  int64_t updated_at = 0;
  int64_t expires_at = 0;    // deleted after; 0: never
  int64_t idle_stop_ms = 0;  // stopped once it was idle for so long; 0: never
  int64_t deleted_at = 0;    // of a tombstone: since when nothing of it is left
  std::string restoring;     // the snapshot of which it may hold only a part; empty: it is whole
  std::string updating;    // the job that changes what it is made of; see work/workspace_update.cc
  std::string paused_for;  // the job for which it stands still although it is to run
  std::string lost_with;   // the server that is gone for good with what it kept; see lost_server.h
  int64_t lost_epoch = 0;  // what servers have of it below this epoch is of a life that was lost
  bool anew = false;      // since then it has not run where it is: nothing that is there is its own
  bool removing = false;  // a delete has begun: part of it may be gone, and nothing brings it back
  std::string created_by;
  // Beside the body.
  int64_t session_at = 0;  // when somebody was in it last; known only of one with idle_stop
};

// Letters a-z, digits and inner hyphens; at most 63.
bool IsWorkspaceName(const std::string& name);

// Reads {"name", "image", "command", "env", "secrets", "labels", "memory", "cpu_millis", "disk",
// "pids", "host", "constraints", "on_drain", "restart", "ttl", "idle_stop"}; what is wrong goes to
// faults.
Workspace ReadWorkspace(const a4c::Json& request, const std::string& pointer, int64_t now_ms,
                        Faults& faults);

// Members that may be said later too (spec_change.h). Empty: it is not said.
std::string ReadRestart(FieldReader& fields);
std::string ReadOnDrain(FieldReader& fields);
void CheckIdleStop(int64_t idle_stop_ms, FieldReader& fields);
void CheckTtl(int64_t ttl_ms, FieldReader& fields);

// {"VARIABLE": "secret"} as JSON, and back, for a unit's label.
std::string SecretsText(const Workspace& workspace);
bool SecretsFit(const Workspace& workspace);  // into that label
std::map<std::string, std::string> SecretsOf(const std::string& text);

// What a job of this type, due now, makes of `desired`. One that is being deleted stays so.
void Intend(std::string_view type, Workspace& workspace);
// Takes that back, where the job did nothing: `desired` is what the workspace is, as far as known.
// Not of one that is being removed, whichever delete began it.
void Unintend(std::string_view type, Workspace& workspace);

// kConflict: what it kept is gone with its server, and a job of this type needs it.
a4c::Result<void> CheckNotLost(const Workspace& workspace, std::string_view type,
                               const a4c::Json& payload);

// What its unit is made of.
const std::string& ImageOf(const Workspace& workspace);

std::string WorkspaceBody(const Workspace& workspace);
a4c::Result<Workspace> WorkspaceOf(const a4c::Record& record);
a4c::Json WorkspaceView(const Workspace& workspace);

// The unit's name on its server, and the subject of its jobs.
std::string UnitName(const std::string& workspace_id);
std::string WorkspaceSubject(const std::string& workspace_id);

}  // namespace a4cd
