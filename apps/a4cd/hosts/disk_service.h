// The disk service: what placement chooses from. Figures of servers come from the host provider,
// are refreshed every period by one instance for all, and stand in the servers' records beside the
// sums of their reservations; both are read from the store at every question.
//
//   A4C_TRY(std::vector<Server> servers, disks.Servers(call));
//   Placement placement = Place(servers, request, limits, random.Next());
//
// Of each server there is a record (kind host), made when the server is first seen. Those that do
// not answer, or take long to, are asked apart from the others, by few threads and less often the
// longer they are silent, so that they cost the others neither time nor threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/host_provider.h"
#include "apps/a4cd/hosts/enrolments.h"
#include "apps/a4cd/hosts/figures_reader.h"
#include "apps/a4cd/hosts/host_record.h"
#include "apps/a4cd/placement/placement.h"

namespace a4cd {

struct DiskOptions {
  int64_t period_ms = 10'000;       // of refreshes
  int64_t host_timeout_ms = 5'000;  // for the answer of one server
  int64_t patience_ms = 2'000;      // who takes longer than this is asked apart from the others
  int hosts_at_once = 1;            // asked by as many threads, which live for one round
  int apart_at_once = 1;            // the same of those that are asked apart
  // One that is asked apart is asked again after as long as it has been silent, within these.
  int64_t apart_wait_ms = 2'000;
  int64_t apart_wait_max_ms = 30'000;
};

// [any thread]
class DiskService {
 public:
  // All outlive the service.
  DiskService(a4c::Database& database, a4c::HostProvider& hosts, Enrolments& enrolments,
              const a4c::Runtime& runtime, const DiskOptions& options = {});

  // Asks the provider for every server, makes the records of new ones, and writes the figures down.
  // Waits for a round that another thread of this instance is in, and has then nothing to do.
  a4c::Result<void> Refresh(const a4c::Call& call);

  // The same of those that answer, each within patience_ms.
  a4c::Result<void> RefreshAnswering(const a4c::Call& call);
  // The same of some that are asked apart and due, the longest not asked first; true: there are
  // more. Takes no longer than one server may.
  a4c::Result<bool> RefreshApart(const a4c::Call& call);

  // The figures of one server whose record is there, for those who do not want to wait a period.
  a4c::Result<void> Look(const a4c::Call& call, const std::string& id);

  // Whether this instance's provider names it, from its config or by its record.
  a4c::Result<bool> Knows(const a4c::Call& call, const std::string& id) {
    return reader_.Knows(call, id);
  }

  // All servers' records. Refreshes those that answer first if nobody did for two periods, or if of
  // some server there are no figures yet; at most once a period. So whoever is asked first waits
  // for a whole round.
  a4c::Result<std::vector<HostRecord>> Hosts(const a4c::Call& call);
  // One of them, also if nobody has looked at it yet. kNotFound: there is none of that id.
  a4c::Result<HostRecord> Find(const a4c::Call& call, const std::string& id);
  // The same as placement sees them.
  a4c::Result<std::vector<Server>> Servers(const a4c::Call& call);

  // Keep refreshing, "hosts" those that answer and "hosts-apart" the others: to be run as
  // singletons. The loops are used up before the service goes.
  std::vector<std::unique_ptr<a4c::Loop>> NewLoops();

 private:
  enum class Whom : uint8_t { kAll, kAnswering };
  bool DidJustNow();
  a4c::Result<void> RoundOfOne(const a4c::Call& call, Whom whom);
  a4c::Result<void> Round(const a4c::Call& call, Whom whom);
  a4c::Result<void> MakeRecords(const a4c::Call& call, std::span<const HostQuestion> questions);

  a4c::Database& database_;
  Enrolments& enrolments_;
  FiguresReader reader_;
  const a4c::Runtime runtime_;
  const DiskOptions options_;
  std::atomic<bool> knows_records_ = false;  // that they have the form of this version
  const std::unique_ptr<a4c::Waiter> waiter_;
  // Under waiter_:
  bool in_round_ = false;
  int64_t refreshed_ms_ = INT64_MIN;  // the end of this instance's last round, monotonic
};

}  // namespace a4cd
