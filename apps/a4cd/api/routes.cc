#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/router.h"

namespace a4cd {
namespace {

constexpr BodyRule kEmpty = BodyRule::kEmpty;
constexpr BodyRule kJson = BodyRule::kJson;
constexpr BodyRule kNone = BodyRule::kNone;
constexpr Reach kInstallation = Reach::kInstallation;
constexpr Reach kTenant = Reach::kTenant;

constexpr Route kRoutes[] = {
    {"POST", "/v1/jobs", "createJob", "jobs:write", CreateJob, kJson},
    {"GET", "/v1/jobs", "listJobs", "jobs:read", ListJobs, kNone, kTenant,
     "q filter sort limit cursor token require_fresh highlight facets facet_limit"},
    {"POST", "/v1/jobs:batch", "createJobs", "jobs:write", CreateJobs, BodyRule::kStream},
    {"GET", "/v1/jobs:complete", "completeJobQuery", "jobs:read", CompleteJobQuery, kNone, kTenant,
     "q cursor"},
    {"GET", "/v1/jobs/{id}", "getJob", "jobs:read", GetJob},
    {"POST", "/v1/jobs/{id}:cancel", "cancelJob", "jobs:write", CancelJob, kEmpty},
    {"POST", "/v1/jobs/{id}:retry", "retryJob", "jobs:write", RetryJob, kEmpty},
    {"GET", "/v1/jobs/{id}/logs", "getJobLogs", "jobs:read", GetJobLogs, kNone, kTenant,
     "from follow tail since"},
    {"PUT", "/v1/jobs/{id}/context", "putJobContext", "jobs:write", PutJobContext,
     BodyRule::kContext},
    {"GET", "/v1/events", "streamEvents", "jobs:read", StreamEvents},

    {"POST", "/v1/workspaces", "createWorkspace", "workspaces:write", CreateWorkspace, kJson},
    {"GET", "/v1/workspaces", "listWorkspaces", "workspaces:read", ListWorkspaces, kNone, kTenant,
     "limit cursor token require_fresh actual desired host labels"},
    {"GET", "/v1/workspaces:stats", "listWorkspaceStats", "workspaces:read", ListWorkspaceStats,
     kNone, kTenant,
     "workspaces interval_ms limit cursor token require_fresh actual desired host labels"},
    {"GET", "/v1/workspaces/{id}", "getWorkspace", "workspaces:read", GetWorkspace},
    {"POST", "/v1/workspaces/{id}:start", "startWorkspace", "workspaces:write", StartWorkspace,
     kEmpty},
    {"POST", "/v1/workspaces/{id}:stop", "stopWorkspace", "workspaces:write", StopWorkspace,
     kEmpty},
    {"POST", "/v1/workspaces/{id}:update", "updateWorkspace", "workspaces:write", UpdateWorkspace,
     kJson},
    {"POST", "/v1/workspaces/{id}:snapshot", "snapshotWorkspace", "workspaces:write",
     SnapshotOfWorkspace, kJson},
    {"POST", "/v1/workspaces/{id}:restore", "restoreWorkspace", "workspaces:write",
     RestoreToWorkspace, kJson},
    {"GET", "/v1/snapshots", "listSnapshots", "workspaces:read", ListSnapshots, kNone, kTenant,
     "workspace limit cursor token require_fresh"},
    {"GET", "/v1/snapshots/{id}", "getSnapshot", "workspaces:read", GetSnapshot},
    {"DELETE", "/v1/snapshots/{id}", "deleteSnapshot", "workspaces:write", DeleteSnapshot, kEmpty},
    {"DELETE", "/v1/workspaces/{id}", "deleteWorkspace", "workspaces:write", DeleteWorkspace,
     kEmpty},
    {"GET", "/v1/workspaces/{id}/logs", "getWorkspaceLogs", "workspaces:read", GetWorkspaceLogs,
     kNone, kTenant, "from tail since"},
    {"GET", "/v1/workspaces/{id}/stats", "getWorkspaceStats", "workspaces:read", GetWorkspaceStats,
     kNone, kTenant, "interval_ms"},
    {"GET", "/v1/workspaces/{id}:exec", "execInWorkspace", "workspaces:write", ExecInWorkspace},
    {"GET", "/v1/workspaces/{id}:forward", "forwardToWorkspace", "workspaces:write",
     ForwardToWorkspace, kNone, kTenant, "port"},
    {"GET", "/v1/workspaces/{id}/logs:follow", "followWorkspaceLogs", "workspaces:read",
     FollowWorkspaceLogs, kNone, kTenant, "from tail since"},

    {"GET", "/v1/hosts", "listHosts", "hosts:read", ListHosts, kNone, kInstallation,
     "reachable cordoned draining labels"},
    {"POST", "/v1/hosts:probe", "probeHost", "hosts:admin", ProbeHost, kJson, kInstallation},
    {"POST", "/v1/hosts", "addHost", "hosts:admin", AddHost, kJson, kInstallation},
    {"GET", "/v1/hosts:least-used", "leastUsedHost", "hosts:read", LeastUsedHost, kNone,
     kInstallation, "disk memory cpu_millis arch labels"},
    {"GET", "/v1/hosts/{id}", "getHost", "hosts:read", GetHost, kNone, kInstallation},
    {"GET", "/v1/hosts/{id}/usage", "getHostUsage", "hosts:read", GetHostUsage, kNone,
     kInstallation},
    {"POST", "/v1/hosts/{id}:cordon", "cordonHost", "hosts:admin", CordonHost, kEmpty,
     kInstallation},
    {"POST", "/v1/hosts/{id}:uncordon", "uncordonHost", "hosts:admin", UncordonHost, kEmpty,
     kInstallation},
    {"POST", "/v1/hosts/{id}:label", "labelHost", "hosts:admin", LabelHost, kJson, kInstallation},
    {"POST", "/v1/hosts/{id}:enrol", "enrolHost", "hosts:admin", EnrolHost, kEmpty, kInstallation,
     "fingerprint"},
    {"POST", "/v1/hosts/{id}:drain", "drainHost", "hosts:admin", DrainHost, kEmpty, kInstallation,
     "with_volumes"},
    {"PATCH", "/v1/hosts/{id}", "updateHost", "hosts:admin", UpdateHost, kJson, kInstallation},
    {"DELETE", "/v1/hosts/{id}", "removeHost", "hosts:admin", RemoveHost, kEmpty, kInstallation,
     "lost"},
    {"GET", "/v1/images", "listImages", "hosts:read", ListImages, kNone, kInstallation, "host"},
    {"GET", "/v1/placement:explain", "explainPlacement", "hosts:read", ExplainPlacement, kNone,
     kInstallation, "job disk memory cpu_millis host arch labels"},

    {"POST", "/v1/keys", "createKey", "keys:admin", CreateKey, kJson, kInstallation},
    {"GET", "/v1/keys", "listKeys", "keys:admin", ListKeys, kNone, kInstallation, "limit cursor"},
    {"GET", "/v1/keys/{id}", "getKey", "keys:admin", GetKey, kNone, kInstallation},
    {"DELETE", "/v1/keys/{id}", "revokeKey", "keys:admin", RevokeKey, kEmpty, kInstallation},
    {"PUT", "/v1/secrets/{id}", "setSecret", "secrets:write", SetSecret, kJson},
    {"GET", "/v1/secrets", "listSecrets", "secrets:read", ListSecrets, kNone, kTenant,
     "limit cursor"},
    {"GET", "/v1/secrets/{id}", "getSecret", "secrets:read", GetSecret},
    {"DELETE", "/v1/secrets/{id}", "deleteSecret", "secrets:write", DeleteSecret, kEmpty},
    {"POST", "/v1/tenants", "createTenant", "tenants:admin", CreateTenant, kJson, kInstallation},
    {"GET", "/v1/tenants", "listTenants", "tenants:admin", ListTenants, kNone, kInstallation},
    {"GET", "/v1/tenants/{id}", "getTenant", "tenants:admin", GetTenant, kNone, kInstallation},
    {"PATCH", "/v1/tenants/{id}", "updateTenant", "tenants:admin", UpdateTenant, kJson,
     kInstallation},

    {"GET", "/v1/audit", "listAudit", "audit:read", ListAudit, kNone, kTenant,
     "limit cursor key_id operation outcome record_kind record_id"},

    {"GET", "/v1/sync", "getSync", "sync:admin", GetSync, kNone, kInstallation},
    {"GET", "/v1/sync/tasks/{task}", "getSyncTask", "sync:admin", GetSyncTask, kNone,
     kInstallation},
    {"POST", "/v1/sync:verify", "verifySync", "sync:admin", VerifySync, kJson, kInstallation},
    {"POST", "/v1/sync:repair", "repairSync", "sync:admin", RepairSync, kEmpty, kInstallation},
    {"POST", "/v1/sync:rebuild", "rebuildSync", "sync:admin", RebuildSync, kEmpty, kInstallation},
    {"POST", "/v1/sync:cancel-rebuild", "cancelRebuild", "sync:admin", CancelRebuild, kEmpty,
     kInstallation},
    {"POST", "/v1/sync:drop-old", "dropOldGenerations", "sync:admin", DropOldGenerations, kEmpty,
     kInstallation},
    {"GET", "/v1/sync/dead-letters", "listDeadLetters", "sync:admin", ListDeadLetters, kNone,
     kInstallation, "cursor"},
    {"POST", "/v1/sync:retry", "retryDeadLetters", "sync:admin", RetryDeadLetters, kJson,
     kInstallation},

    {"GET", "/v1/status", "getStatus", "status:read", GetStatus, kNone, kInstallation},
    {"GET", "/livez", "getLive", nullptr, GetLive},
    {"GET", "/readyz", "getReady", nullptr, GetReady, kNone, kTenant, "role"},
    {"GET", "/metrics", "getMetrics", nullptr, GetMetrics},
    {"GET", "/openapi.json", "getOpenApi", nullptr, GetOpenApi},
};

}  // namespace

std::span<const Route> Routes() {
  return kRoutes;
}

}  // namespace a4cd
