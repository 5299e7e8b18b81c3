// Reservations: room on a server that belongs to a workspace from the moment it is placed, or to a
// job (an image build) while it is at work, until the server has confirmed that nothing is left.
//
// A reservation is a record (scope "", id "<server>/<workspace or job>"), put together with bounded
// additions to the server's counters, whose bound comes from the figures that the choice was made
// on. Of several that choose a server on the same figures two get it; the others are told the
// figures that came out, and choose again: no server is ever given more than it has, and of equal
// servers none gets more than two requests ahead (docs/design/reservations.md).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/json.h"
#include "apps/a4cd/hosts/disk_service.h"
#include "apps/a4cd/placement/placement.h"
#include "apps/a4cd/placement/shared_servers.h"
#include "apps/a4cd/placement/starts.h"

namespace a4cd {

a4c::RecordRef ReservationRef(const std::string& server, const std::string& holder);

enum class HolderOf : uint8_t { kWorkspace, kJob };

struct PlacementOptions {
  PlacementLimits limits;
  Amounts defaults{256LL << 20, 128LL << 20, 100};  // for amounts that a workspace leaves open
  int64_t build_disk_bytes = 1LL << 30;             // for an image build that names none
  int tries_max = 16;  // choices that were overtaken by others, then it waits
};

struct Decision {
  std::string server;
  a4c::Json figures;  // of all servers at that moment: ExplainJson
};

struct Reserved {
  enum class Outcome : uint8_t {
    kPlaced,
    kNoCapacity,  // see placement
    kConflict,    // a change or check of the caller failed: read and decide anew
    kOvertaken,   // tries_max times
  };
  Outcome outcome = Outcome::kNoCapacity;
  Decision decision = {};
  Placement placement = {};                   // kNoCapacity; its server is null
  std::vector<a4c::OpFailure> failures = {};  // kConflict
};

// A reservation as it is recorded.
struct HeldRoom {
  int64_t rev = 0;
  Amounts amounts = {};
  a4c::Json body = {};
};

struct Resized {
  enum class Outcome : uint8_t {
    kApplied,
    kNoCapacity,  // see lacks
    kConflict,    // a change or check of the caller failed, or the reservation has moved on
  };
  Outcome outcome = Outcome::kApplied;
  std::string lacks = {};                     // for people
  std::vector<a4c::OpFailure> failures = {};  // kConflict
};

// [any thread]
class Reservations {
 public:
  Reservations(a4c::Database& database, DiskService& disks, const a4c::Runtime& runtime,
               const PlacementOptions& options);

  // The amounts with defaults for those that are 0.
  Amounts WithDefaults(Amounts amounts) const;

  // Chooses a server and commits the reservation together with what `changes` makes of the choice
  // (job, workspace, the check of the lease).
  a4c::Result<Reserved> Reserve(const a4c::Call& call, const std::string& tenant,
                                const std::string& holder, const PlacementRequest& request,
                                const std::function<a4c::Commit(const Decision&)>& changes,
                                HolderOf kind = HolderOf::kWorkspace);

  // Makes a reservation that is there at least this large, in one commit with the caller's changes.
  // It grows only into what its server has room for, below the watermark as when it was placed.
  a4c::Result<Resized> Resize(const a4c::Call& call, const std::string& server,
                              const std::string& holder, const Amounts& at_least,
                              a4c::Commit changes);
  // The same for one that shrinks or stays, for a batch of somebody else; nothing if there is none.
  a4c::Result<std::vector<a4c::Op>> ResizeOps(const a4c::Call& call, const std::string& server,
                                              const std::string& holder, const Amounts& amounts);

  a4c::Result<bool> Has(const a4c::Call& call, const std::string& server,
                        const std::string& holder);

  // What gives a reservation back, for the batch that ends the workspace; nothing if there is none.
  // To be used only once the server has confirmed the removal.
  a4c::Result<std::vector<a4c::Op>> ReleaseOps(const a4c::Call& call, const std::string& server,
                                               const std::string& holder);

  // Gives back what jobs that have ended left on a server that has just answered: a build ends with
  // its connection.
  a4c::Result<void> ReleaseOfEndedJobs(const a4c::Call& call, const std::string& server);

  // What Reserve would decide on now.
  a4c::Result<a4c::Json> ExplainNow(const a4c::Call& call, const PlacementRequest& request);
  const PlacementOptions& options() const { return options_; }
  // What is counted here, others place by.
  Starts& starts() { return starts_; }

 private:
  struct Choice;
  // On a reading that others share, with a note of what was taken.
  Choice Choose(SharedServers::Reading& seen, const PlacementRequest& request, Among among);
  a4c::Result<std::vector<Server>> ReadServers(const a4c::Call& call);
  // Nothing: there is none.
  a4c::Result<std::optional<HeldRoom>> Find(const a4c::Call& call, const std::string& server,
                                            const std::string& holder);
  // What a server may have committed: what it has, of its disk what is below the watermark and
  // not used by others.
  Amounts MostOf(const Server& server) const;
  a4c::Result<bool> HasEnded(const a4c::Call& call, const std::string& tenant,
                             const std::string& id);

  a4c::Database& database_;
  DiskService& disks_;
  const a4c::Runtime runtime_;
  const PlacementOptions options_;
  Starts starts_;
  SharedServers servers_;
};

}  // namespace a4cd
