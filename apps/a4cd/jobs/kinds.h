// The kinds of a4cd: the shapes of its records, from which tables, mappings and topics follow.
// Scope is the tenant, but for hosts, tenants and API keys, which belong to the installation (scope
// "").
#pragma once

#include <vector>

#include "a4c/collection.h"
#include "a4c/kind.h"

namespace a4cd {

// Work to be done; searchable. Indexes:
//   by_due      all tenants: (queue_priority, due_at); unfinished ones. queue_priority is
//               QueueOf: a claim asks for one priority after another, and for long jobs apart. A
//               running job's due_at is when a claim should look at it again, should its holder
//               have died.
//   by_tenant_due  one tenant: the same.
//   by_turn     one tenant: (subject_key, scheduled_at); unfinished ones, in their order. Those of
//               an older version have no scheduled_at, and so go first.
//   by_created  one tenant: (created_at).
//   by_changed  all tenants: (updated_at): what the event streams follow.
//   by_finished all tenants: (state, finished_at): what retention follows.
const a4c::Kind& JobKind();

// A piece of a job's log, at most 64 KiB: id "<job>/<8 digits>", body {"job", "seq", "text"}.
const a4c::Kind& LogChunkKind();

// A container or process group that a user wants on some server. Names are unique among the living
// of a tenant. Beside the body stands what is known of its being used: work/idle_loop.h.
const a4c::Kind& WorkspaceKind();

// What a workspace kept once: jobs/snapshot.h.
const a4c::Kind& SnapshotKind();

// What a tag stands for among a tenant's own builds: jobs/built_image.h.
const a4c::Kind& BuiltImageKind();

// A server: hosts/host_record.h. What operators say of it and, if it was enrolled, how it is
// reached; beside that its figures as they were read last, and counters that hold the sums of its
// reservations. It is also the subject under whose lease work on the whole server is done. Index
// by_changed, (updated_at), is what the event streams follow.
const a4c::Kind& HostKind();

// Room on a server that belongs to a workspace: see placement/reservations.h.
const a4c::Kind& ReservationKind();

// The token that the store shares with a server: see hosts/host_tokens.h.
const a4c::Kind& HostTokenKind();

// An API key: id and hash, never the key. Scope "", the tenant is a field: who sends a key has no
// tenant yet.
const a4c::Kind& ApiKeyKind();

// The id is its name; the value is sealed, and no search index ever sees it.
const a4c::Kind& SecretKind();

const a4c::Kind& TenantKind();

// Loops of which one instance at a time does the work: see work/singletons.h.
const a4c::Kind& LoopKind();

// One row per request that changes something: see api/audit.h.
const a4c::Kind& AuditKind();

// All of them, as Database::Open wants them.
std::vector<a4c::CollectionSpec> AllCollections();

}  // namespace a4cd
