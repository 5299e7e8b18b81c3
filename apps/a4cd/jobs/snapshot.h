// Snapshot: what a workspace kept at some moment, as a unit of its own that is never started. Plain
// data, and how it is read.
//
//   creating ──► ready ──► deleting ──► gone (a tombstone, once its server has confirmed it)
//       └──► failed ──────────┘
//
// Jobs that make it act with the epoch of the workspace's lease, the one that deletes it with that
// of its own, above every other: what is late comes too late. Its room is reserved like a
// workspace's. One that was not made whole, or is past its time, is deleted by a loop.
//
// A restore takes away what its workspace kept before it copies: from then on, until its job has
// ended in whatever way, the snapshot is held and nobody deletes it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/json.h"
#include "a4c/record.h"
#include "a4c/result.h"

namespace a4cd {

inline constexpr int64_t kSnapshotEndEpoch = int64_t{1} << 40;

struct Snapshot {
  std::string id = {};
  int64_t rev = 0;
  std::string workspace = {};       // id
  std::string workspace_name = {};  // as it was
  std::string job = {};             // that makes it
  std::string state = "creating";
  std::string wanted_host = {};  // where its bytes are to be; empty: where the workspace is
  std::string host = {};         // where they are
  std::string message = {};
  int64_t disk_bytes = 0;  // the limit of the workspace
  int64_t bytes = 0;       // what was copied
  int64_t created_at = 0;
  int64_t updated_at = 0;
  int64_t ready_at = 0;
  int64_t ttl_ms = 0;      // from then on; 0: for ever
  int64_t expires_at = 0;  // deleted after; 0: never
  int64_t deleted_at = 0;  // of a tombstone
  std::string created_by = {};
  std::vector<std::string> restores = {};  // jobs that have begun one; the unfinished ones hold it
};

std::string SnapshotBody(const Snapshot& snapshot);
a4c::Result<Snapshot> SnapshotOf(const a4c::Record& record);
a4c::Json SnapshotView(const Snapshot& snapshot);

a4c::RecordRef SnapshotRef(const std::string& tenant, const std::string& id);
// The unit's name on its server, and the subject of the job that deletes it.
std::string SnapshotUnitName(const std::string& id);
std::string SnapshotSubject(const std::string& id);

// kNotFound: there is none, or none any more.
a4c::Result<Snapshot> ReadSnapshot(const a4c::Call& call, a4c::Database& database,
                                   const std::string& tenant, const std::string& id);
// The write of a snapshot as it is now, where it was read.
a4c::Put SnapshotPut(const std::string& tenant, const Snapshot& snapshot);

}  // namespace a4cd
