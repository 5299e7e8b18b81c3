// What must hold of every batch that the application commits:
//  - of a subject there is one live lease, and its epoch never falls;
//  - a holder whose lease was taken over writes nothing more;
//  - what has finished stays so, unless a user retries it;
//  - a workspace that has a server has a reservation there, the counters of a server are the sum of
//    its reservations, and no more than it has;
//  - room is given back only when nothing of it is left on the server.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "tests/simulation/app/fleet.h"
#include "tests/simulation/cluster.h"

namespace a4c::simulation {

class AppWatcher final : public CommitWatcher {
 public:
  // writers_commit_alone: who applies a batch is who made it (no group commit).
  AppWatcher(Simulation& simulation, Cluster& cluster, Fleet& fleet, bool writers_commit_alone)
      : simulation_(simulation),
        cluster_(cluster),
        fleet_(fleet),
        writers_commit_alone_(writers_commit_alone) {}

  void Before(Store& store, const WriteBatch& batch) override;
  void After(Store& store, const WriteBatch& batch) override;

 private:
  void CheckLease(const Record* before, const Record& after);
  void CheckHolder(const WriteBatch& batch);
  void CheckJob(const Record& before, const Record& after);
  void CheckPlaced(const Record& workspace);
  void CheckServer(const std::string& server);
  void CheckGivenBack(const Delete& reservation);
  std::optional<Record> Get(const RecordRef& ref);
  void Wrong(const RecordRef& ref, const std::string& what);

  Simulation& simulation_;
  Cluster& cluster_;
  Fleet& fleet_;
  const bool writers_commit_alone_;
  std::map<RecordRef, Record> before_;                   // of the batch at hand
  std::map<std::pair<int, RecordRef>, int64_t> claims_;  // thread and lease: its epoch
};

}  // namespace a4c::simulation
