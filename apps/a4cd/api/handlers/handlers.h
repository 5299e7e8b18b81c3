// The handlers that routes.cc lists, by what they are about.
#pragma once

#include "apps/a4cd/api/api.h"

namespace a4cd {

// jobs_api.cc
Response CreateJob(ApiContext& api, Request& request);
Response ListJobs(ApiContext& api, Request& request);
Response GetJob(ApiContext& api, Request& request);
Response CancelJob(ApiContext& api, Request& request);
Response RetryJob(ApiContext& api, Request& request);
// complete_api.cc
Response CompleteJobQuery(ApiContext& api, Request& request);
// batch_api.cc
Response CreateJobs(ApiContext& api, Request& request);
// events_api.cc
Response StreamEvents(ApiContext& api, Request& request);
// workspaces_api.cc
// A step of a workspace's or a snapshot's life is a job; the answer is that job.
Response MakeJob(ApiContext& api, Request& request, const char* type, a4c::Json payload);
// The body is the payload but for the workspace, which stands in the path.
Response MakeJobOfBody(ApiContext& api, Request& request, const char* type);
Response CreateWorkspace(ApiContext& api, Request& request);
Response ListWorkspaces(ApiContext& api, Request& request);
Response GetWorkspace(ApiContext& api, Request& request);
Response StartWorkspace(ApiContext& api, Request& request);
Response StopWorkspace(ApiContext& api, Request& request);
Response SnapshotOfWorkspace(ApiContext& api, Request& request);
Response RestoreToWorkspace(ApiContext& api, Request& request);
Response ListSnapshots(ApiContext& api, Request& request);
Response GetSnapshot(ApiContext& api, Request& request);
Response DeleteSnapshot(ApiContext& api, Request& request);
Response UpdateWorkspace(ApiContext& api, Request& request);
Response DeleteWorkspace(ApiContext& api, Request& request);
// logs_api.cc
Response GetJobLogs(ApiContext& api, Request& request);
Response GetWorkspaceLogs(ApiContext& api, Request& request);
// stats_api.cc
Response GetWorkspaceStats(ApiContext& api, Request& request);
Response ListWorkspaceStats(ApiContext& api, Request& request);
// sessions_api.cc
Response ExecInWorkspace(ApiContext& api, Request& request);
Response ForwardToWorkspace(ApiContext& api, Request& request);
Response FollowWorkspaceLogs(ApiContext& api, Request& request);
// hosts_api.cc
Response ListHosts(ApiContext& api, Request& request);
Response GetHost(ApiContext& api, Request& request);
Response CordonHost(ApiContext& api, Request& request);
Response UncordonHost(ApiContext& api, Request& request);
Response LabelHost(ApiContext& api, Request& request);
Response DrainHost(ApiContext& api, Request& request);
// enrolment_api.cc
Response ProbeHost(ApiContext& api, Request& request);
Response AddHost(ApiContext& api, Request& request);
Response EnrolHost(ApiContext& api, Request& request);
Response UpdateHost(ApiContext& api, Request& request);
Response RemoveHost(ApiContext& api, Request& request);
// images_api.cc
Response PutJobContext(ApiContext& api, Request& request);
Response GetHostUsage(ApiContext& api, Request& request);
Response ListImages(ApiContext& api, Request& request);
// audit_api.cc
Response ListAudit(ApiContext& api, Request& request);
// placement_api.cc
Response LeastUsedHost(ApiContext& api, Request& request);
Response ExplainPlacement(ApiContext& api, Request& request);
// secrets_api.cc
Response SetSecret(ApiContext& api, Request& request);
Response ListSecrets(ApiContext& api, Request& request);
Response GetSecret(ApiContext& api, Request& request);
Response DeleteSecret(ApiContext& api, Request& request);

// keys_api.cc
Response CreateKey(ApiContext& api, Request& request);
Response ListKeys(ApiContext& api, Request& request);
Response GetKey(ApiContext& api, Request& request);
Response RevokeKey(ApiContext& api, Request& request);
Response CreateTenant(ApiContext& api, Request& request);
Response GetTenant(ApiContext& api, Request& request);
Response UpdateTenant(ApiContext& api, Request& request);
Response ListTenants(ApiContext& api, Request& request);
// sync_api.cc
Response GetSync(ApiContext& api, Request& request);
Response GetSyncTask(ApiContext& api, Request& request);
Response VerifySync(ApiContext& api, Request& request);
Response RepairSync(ApiContext& api, Request& request);
Response RebuildSync(ApiContext& api, Request& request);
Response CancelRebuild(ApiContext& api, Request& request);
Response DropOldGenerations(ApiContext& api, Request& request);
Response ListDeadLetters(ApiContext& api, Request& request);
Response RetryDeadLetters(ApiContext& api, Request& request);
// process_api.cc
Response GetStatus(ApiContext& api, Request& request);
Response GetLive(ApiContext& api, Request& request);
Response GetReady(ApiContext& api, Request& request);
Response GetMetrics(ApiContext& api, Request& request);
Response GetOpenApi(ApiContext& api, Request& request);

}  // namespace a4cd
