// The audit log: who changed what. One row per request that changes something, in the same commit
// as the change, so that neither is there without the other; also one for each refusal that was
// decided on what is stored. Rows are only ever added; retention removes old ones.
#pragma once

#include <string>

#include "a4c/collection.h"
#include "a4c/json.h"
#include "apps/a4cd/api/api.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {

struct AuditEntry {
  std::string outcome;  // "applied", or the problem type of a refusal
  a4c::RecordRef ref;   // what it is about; its kind is empty if that is not known
  int64_t rev = 0;      // that the change made
};

// Adds the row to the commit, unless api.audit is off.
void AddAudit(ApiContext& api, const Request& request, const AuditEntry& entry,
              a4c::Commit& commit);

// Adds the row in a commit of its own: for what changes no record.
a4c::Result<void> NoteAudit(ApiContext& api, const Request& request, const AuditEntry& entry);
// The refusal, which is one whether or not it could be noted.
Response RefuseNoted(ApiContext& api, const Request& request, const Problem& problem);

// As the API shows it.
a4c::Result<a4c::Json> AuditView(const a4c::Record& record);

}  // namespace a4cd
