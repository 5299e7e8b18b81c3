// A claimed job while a worker is at it: the job and its workspace as they are, and the one way to
// change them. Every write holds a check of the lease's epoch and expects the revs that were read,
// so a cancel is never overwritten and a holder whose lease was taken over changes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/leases.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/workspace.h"
#include "apps/a4cd/work/work_context.h"

namespace a4cd {

class LeaseKeeper;

// A job that was claimed.
struct JobClaim {
  a4c::Claimed job;
  int64_t sent_at_ms = 0;  // on the monotonic clock, before the claim was sent
  // Among the process's long jobs, until it is gone; null: it is none.
  std::shared_ptr<const void> long_place = nullptr;
};

// What a step makes of a job and its workspace, and what else is in the same commit.
struct Draft {
  Job job;
  std::optional<Workspace> workspace;
  bool workspace_gone = false;  // the workspace becomes a tombstone
  std::vector<a4c::Op> also = {};
};

// [the worker's thread]
class JobRun {
 public:
  // keeper: keeps the leases of servers too. holder: who this worker is.
  JobRun(WorkContext& context, const JobClaim& claim, std::stop_token stop, LeaseKeeper* keeper,
         std::string holder);

  WorkContext& context() const { return context_; }
  const Job& job() const { return job_; }
  // Of a job that is about one, unless it is gone.
  const std::optional<Workspace>& workspace() const { return workspace_; }
  const std::string& tenant() const { return ref_.key.scope; }
  const a4c::Lease& lease() const { return lease_; }
  // Tells this claim from another of the same epoch, which a restored store can give out.
  const std::string& claim() const { return claim_; }
  int64_t NowMs() const;  // the store's time
  // How long it had to wait for room before this attempt; 0: it did not, or was woken.
  int64_t room_waited_ms() const { return room_waited_ms_; }

  // For the host provider: ends with the job's deadline, or when the worker has to stop.
  a4c::Call HostCall() const;
  bool Stopping() const { return stop_.stop_requested(); }
  // Canceled, or the lease is another's: there is nothing left to write.
  bool gone() const { return gone_; }

  // Reads what the job is about, which has to be read after the claim; the claim has shown the job
  // itself. False: gone.
  a4c::Result<bool> ReadSubject();

  // Reads job and workspace from the primary. False: gone.
  a4c::Result<bool> Read();

  // As Database::Write and Scan, and again while the store is away, until this worker has to stop:
  // what has been done on a server is not to be done again for an outage of seconds.
  a4c::Result<a4c::Committed> Write(const a4c::Commit& commit) const;
  a4c::Result<a4c::ScanAnswer> Scan(const a4c::ScanRequest& request) const;

  // Commits what `step` makes of the newest job and workspace; after a conflict reads both and asks
  // it again. False: gone.
  a4c::Result<bool> Commit(const std::function<a4c::Result<void>(Draft&)>& step);

  // Says in the job what it is at, for whoever waits for it; at most once a second, and nothing is
  // lost if that cannot be written.
  void ShowProgress(const std::string& text);

  // The parts of Commit, for a batch that somebody else sends: the changes of a draft with the
  // check, and then either Adopt, after it was applied, or Recover, after a conflict. False: gone.
  Draft NewDraft() const { return {job_, workspace_}; }
  a4c::Commit CommitOf(const Draft& draft) const;
  void Adopt(const Draft& draft);
  a4c::Result<bool> Recover(const std::vector<a4c::OpFailure>& failures);

  // From here on this holder is another one to every server: what it has asked for before and knows
  // no end of is refused there, should it still come, once the new epoch has acted. above: an epoch
  // that a server has seen. False: gone.
  a4c::Result<bool> RaiseEpoch(int64_t above = 0);

  // Makes this the only job at work on the whole server, whatever its tenant, until it ends. False:
  // another one is.
  a4c::Result<bool> TakeServer(const std::string& host);
  const std::vector<a4c::Lease>& servers() const { return servers_; }

  // The check that every batch of a holder contains.
  a4c::Check LeaseCheck() const;
  // Frees the subject: in the batch with which an attempt ends.
  a4c::Op LeaseRelease() const;

 private:
  template <typename Ask>
  auto WhileAway(const Ask& ask) const;
  bool Pause(int64_t pause_ms) const;

  WorkContext& context_;
  const a4c::RecordRef ref_;
  a4c::Lease lease_;
  std::string claim_;
  const std::stop_token stop_;
  const int64_t started_mono_ms_;
  Job job_;
  std::optional<Workspace> workspace_;
  bool gone_ = false;
  int64_t room_waited_ms_ = 0;
  std::optional<int64_t> progress_at_ms_;  // when it was shown last
  LeaseKeeper* const keeper_;
  const std::string holder_;
  std::vector<a4c::Lease> servers_;
};

}  // namespace a4cd
