// Jobs over a Database: reads them, and decides the writes that create, cancel and retry them.
// Everything is confined to the tenant that is given. [any thread]
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/collection.h"
#include "a4c/completion.h"
#include "a4c/record.h"
#include "apps/a4cd/auth/principal.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/job_draft.h"
#include "apps/a4cd/jobs/list_reader.h"
#include "apps/a4cd/jobs/prepared_write.h"
#include "apps/a4cd/jobs/snapshot.h"
#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {

struct JobList {
  // KQL. Both empty and sorted by created_at: read from the store, not from the index.
  std::string query;
  std::string filter;                // has to hold as well, with limits and columns of its own
  std::string sort = "-created_at";  // field, descending with a leading '-'
  std::string after;                 // JobPage::next of the page before
  int limit = 50;
  std::vector<a4c::Token> tokens;
  bool require_fresh = false;
  bool may_be_old = false;  // of the store: a replica may answer
  bool highlight = false;   // fill JobPage::highlights
  std::vector<a4c::FacetKey> facets = {};
};

struct JobPage {
  std::vector<Job> jobs;
  std::string next;
  std::optional<int64_t> total;  // known to the index only
  bool from_index = false;
  bool fresh = true;
  std::vector<a4c::Token> lost;
  int64_t lag_ms = 0;
  int64_t stale_ms = 0;  // changes that are no older may be missing; 0: none are
  std::vector<std::vector<a4c::Highlight>> highlights;    // one list per job, if asked of the index
  std::vector<std::vector<a4c::FacetValue>> facets = {};  // one list per JobList::facets
};

struct LogPage {
  std::string text;
  int64_t next = 0;  // the seq to ask for next
};

class JobService {
 public:
  // context_wait_ms: so long an image.build that is streamed waits for its context. replicas: of
  // the database's store, for lists alone; null: it has none.
  JobService(a4c::Database& database, const a4c::Runtime& runtime, a4c::IdSource& ids,
             int64_t context_wait_ms = 5 * 60'000, a4c::Replicas* replicas = nullptr)
      : database_(database),
        lists_(database, replicas),
        runtime_(runtime),
        ids_(ids),
        context_wait_ms_(context_wait_ms) {}

  a4c::Result<Job> Get(const a4c::Call& call, const std::string& tenant, const std::string& id);
  // Lists have fewer than `limit`, and go on at `next`, where records are large: list_reader.h.
  a4c::Result<JobPage> List(const a4c::Call& call, const std::string& tenant, const JobList& list);
  // What can stand at this byte of a query for List, values from the tenant's jobs.
  a4c::Result<a4c::QueryCompletion> Complete(const a4c::Call& call, const std::string& tenant,
                                             std::string_view query, size_t cursor);
  // Chunks with seq >= from, in order, at most 1 MiB.
  a4c::Result<LogPage> Logs(const a4c::Call& call, const std::string& tenant, const std::string& id,
                            int64_t from);

  // Decides the commit of a new job. Jobs about a workspace also create or change the workspace's
  // record; a delete cancels the unfinished jobs before it. kNotFound: the workspace is not there.
  a4c::Result<PreparedWrite> PrepareCreate(const a4c::Call& call, const Principal& principal,
                                           const JobDraft& draft);
  // A job that a4cd makes by itself: `by` stands for the key. Nothing is done about a workspace
  // that is gone or being deleted, or about a snapshot that a restore holds.
  a4c::Result<void> CreateOwn(const a4c::Call& call, const std::string& tenant,
                              const std::string& by, const JobDraft& draft);
  // Of a job as it was read. kConflict: its state does not allow it. What a job that has not begun
  // wants of its workspace is taken back with it.
  a4c::Result<PreparedWrite> PrepareCancel(const a4c::Call& call, const Principal& principal,
                                           const Job& job);
  a4c::Result<PreparedWrite> PrepareRetry(const Principal& principal, const Job& job);

  // By id, or by name. kNotFound also for those of other tenants.
  a4c::Result<Workspace> FindWorkspace(const a4c::Call& call, const std::string& tenant,
                                       const std::string& id_or_name);
  struct WorkspacePage {
    std::vector<Workspace> workspaces;
    std::string next;
    int64_t stale_ms = 0;  // as in JobPage
    size_t bytes = 0;      // of their records
  };
  struct SnapshotPage {
    std::vector<Snapshot> snapshots;
    std::string next;
    int64_t stale_ms = 0;  // as in JobPage
  };
  // The newest first; workspace: an id, or empty: of all. may_be_old: as in JobList.
  a4c::Result<SnapshotPage> ListSnapshots(const a4c::Call& call, const std::string& tenant,
                                          const std::string& workspace, const std::string& after,
                                          int limit, bool may_be_old = false);
  a4c::Result<WorkspacePage> ListWorkspaces(const a4c::Call& call, const std::string& tenant,
                                            const std::string& after, int limit,
                                            bool may_be_old = false);

 private:
  a4c::Result<JobPage> ListFromStore(const a4c::Call& call, const std::string& tenant,
                                     const JobList& list);
  a4c::Result<JobPage> ListFromIndex(const a4c::Call& call, const std::string& tenant,
                                     const JobList& list);
  a4c::Result<Workspace> ReadWorkspaceRecord(const a4c::Call& call, const std::string& tenant,
                                             const std::string& id);
  Job NewJob(const Principal& principal, const JobDraft& draft);
  a4c::Result<void> AddWorkspaceCreate(const a4c::Call& call, const Principal& principal,
                                       const JobDraft& draft, Job& job, PreparedWrite& write);
  a4c::Result<void> AddWorkspaceStep(const a4c::Call& call, const Principal& principal,
                                     const JobDraft& draft, Job& job, PreparedWrite& write);
  a4c::Result<void> AddDeleteAgain(const a4c::Call& call, const Principal& principal,
                                   const JobDraft& draft, const Workspace& workspace,
                                   const Job& job, PreparedWrite& write);
  a4c::Result<void> CancelEarlier(const a4c::Call& call, const Principal& principal, const Job& job,
                                  PreparedWrite& write);
  void AddSnapshot(const Principal& principal, const JobDraft& draft, const Workspace& workspace,
                   Job& job, PreparedWrite& write);
  a4c::Result<void> AddSnapshotDelete(const a4c::Call& call, const Principal& principal,
                                      const JobDraft& draft, Job& job, PreparedWrite& write);

  a4c::Database& database_;
  ListReader lists_;
  const a4c::Runtime runtime_;
  a4c::IdSource& ids_;
  const int64_t context_wait_ms_;
};

// Scheduled for later than a minute from now. In the order of by_turn all jobs that are not come
// before those that are.
bool IsForLater(const a4c::Database& database, const Job& job);
// Whether there is work that a subject waits for, or that is being done.
a4c::Result<bool> HasUnfinishedJob(const a4c::Call& call, a4c::Database& database,
                                   const std::string& tenant, const std::string& subject);
// The same but for what is for later.
a4c::Result<bool> HasJobAtWork(const a4c::Call& call, a4c::Database& database,
                               const std::string& tenant, const std::string& subject);
// Of these jobs, those that have not ended.
a4c::Result<std::vector<std::string>> UnfinishedOf(const a4c::Call& call, a4c::Database& database,
                                                   const std::string& tenant,
                                                   const std::vector<std::string>& jobs);

a4c::RecordRef JobRef(const std::string& tenant, const std::string& id);
a4c::RecordRef WorkspaceRef(const std::string& tenant, const std::string& id);

}  // namespace a4cd
