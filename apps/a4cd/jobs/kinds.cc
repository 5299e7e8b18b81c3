#include "apps/a4cd/jobs/kinds.h"

#include "a4c/leases.h"

namespace a4cd {

using a4c::FieldType;
using a4c::Kind;

const Kind& JobKind() {
  static const Kind kind{
      .name = "job",
      .version = 3,
      .fields = {{.name = "type", .searchable = true},
                 {.name = "state", .searchable = true},
                 {.name = "title", .type = FieldType::kText, .searchable = true},
                 {.name = "reason", .searchable = true},
                 {.name = "message", .type = FieldType::kText, .searchable = true},
                 {.name = "labels", .type = FieldType::kMap, .searchable = true},
                 {.name = "workspace", .searchable = true},
                 {.name = "host", .searchable = true},
                 {.name = "created_by", .searchable = true},
                 {.name = "priority", .type = FieldType::kLong, .searchable = true},
                 {.name = "attempts", .type = FieldType::kLong, .searchable = true},
                 {.name = "created_at", .type = FieldType::kTime, .searchable = true},
                 {.name = "updated_at", .type = FieldType::kTime, .searchable = true},
                 {.name = "started_at", .type = FieldType::kTime, .searchable = true},
                 {.name = "finished_at", .type = FieldType::kTime, .searchable = true},
                 {.name = "due_at", .type = FieldType::kTime},
                 {.name = "scheduled_at", .type = FieldType::kTime},
                 {.name = "queue_priority", .type = FieldType::kLong},
                 {.name = "subject_key"}},
      .indexes = {{.name = "by_due", .fields = {"queue_priority", "due_at"}, .scoped = false},
                  {.name = "by_turn", .fields = {"subject_key", "scheduled_at"}},
                  {.name = "by_created", .fields = {"created_at"}},
                  {.name = "by_changed", .fields = {"updated_at"}, .scoped = false},
                  {.name = "by_finished", .fields = {"state", "finished_at"}, .scoped = false},
                  {.name = "by_tenant_due", .fields = {"queue_priority", "due_at"}}},
      .serial_key_field = "subject_key",
      .serial_index = "by_turn"};
  return kind;
}

const Kind& LogChunkKind() {
  static const Kind kind{.name = "log_chunk",
                         .fields = {{.name = "job"}, {.name = "seq", .type = FieldType::kLong}},
                         .indexes = {{.name = "by_job", .fields = {"job", "seq"}, .unique = true}}};
  return kind;
}

const Kind& WorkspaceKind() {
  static const Kind kind{
      .name = "workspace",
      .version = 5,
      .fields = {{.name = "name"},
                 {.name = "host"},
                 {.name = "image"},
                 {.name = "image_digest"},
                 {.name = "created_at", .type = FieldType::kTime},
                 {.name = "updated_at", .type = FieldType::kTime},
                 {.name = "expires_at", .type = FieldType::kTime},
                 {.name = "deleted_at", .type = FieldType::kTime},
                 {.name = "idle_stop_ms", .type = FieldType::kLong},
                 {.name = "move_failed_at", .type = FieldType::kTime, .quiet = true},
                 {.name = "session_at", .type = FieldType::kTime, .quiet = true},
                 {.name = "active_at", .type = FieldType::kTime, .quiet = true},
                 {.name = "cpu_ms", .type = FieldType::kLong, .quiet = true},
                 {.name = "cpu_at", .type = FieldType::kTime, .quiet = true}},
      .indexes = {
          {.name = "by_name", .fields = {"name"}, .unique = true},
          {.name = "by_created", .fields = {"created_at"}},
          {.name = "by_host", .fields = {"host", "created_at"}, .scoped = false},
          {.name = "by_expiry", .fields = {"expires_at"}, .scoped = false},
          {.name = "by_idle_stop", .fields = {"idle_stop_ms"}, .scoped = false},
          {.name = "by_image", .fields = {"image", "deleted_at"}, .scoped = false},
          {.name = "by_image_digest", .fields = {"image_digest", "deleted_at"}, .scoped = false},
          {.name = "by_deleted", .fields = {"deleted_at"}, .scoped = false}}};
  return kind;
}

const Kind& SnapshotKind() {
  static const Kind kind{
      .name = "snapshot",
      .fields = {{.name = "workspace"},
                 {.name = "created_at", .type = FieldType::kTime},
                 {.name = "expires_at", .type = FieldType::kTime},
                 {.name = "deleted_at", .type = FieldType::kTime}},
      .indexes = {{.name = "by_created", .fields = {"created_at"}},
                  {.name = "by_workspace", .fields = {"workspace", "created_at"}},
                  {.name = "by_expiry", .fields = {"expires_at"}, .scoped = false},
                  {.name = "by_deleted", .fields = {"deleted_at"}, .scoped = false}}};
  return kind;
}

const Kind& BuiltImageKind() {
  static const Kind kind{
      .name = "built_image",
      .fields = {{.name = "built_at", .type = FieldType::kTime}},
      .indexes = {{.name = "by_built", .fields = {"built_at"}, .scoped = false}}};
  return kind;
}

const Kind& HostKind() {
  static const Kind kind{
      .name = "host",
      .version = 3,
      .fields = {{.name = "server"},
                 {.name = "updated_at", .type = FieldType::kTime},
                 {.name = "disk_committed_bytes", .type = FieldType::kLong, .quiet = true},
                 {.name = "memory_committed_bytes", .type = FieldType::kLong, .quiet = true},
                 {.name = "cpu_committed_millis", .type = FieldType::kLong, .quiet = true},
                 {.name = "figures", .quiet = true},
                 {.name = "figures_at", .type = FieldType::kTime, .quiet = true}},
      .indexes = {{.name = "by_server", .fields = {"server"}, .scoped = false},
                  {.name = "by_changed", .fields = {"updated_at"}, .scoped = false}},
      .serial_key_field = "server",
      .serial_index = "by_server"};
  return kind;
}

const Kind& ReservationKind() {
  static const Kind kind{
      .name = "reservation",
      .fields = {{.name = "host"}, {.name = "workspace"}},
      .indexes = {{.name = "by_host", .fields = {"host", "workspace"}, .scoped = false}}};
  return kind;
}

const Kind& HostTokenKind() {
  static const Kind kind{.name = "host_token"};
  return kind;
}

const Kind& ApiKeyKind() {
  static const Kind kind{
      .name = "api_key",
      .fields = {{.name = "tenant"}, {.name = "created_at", .type = FieldType::kTime}},
      .indexes = {{.name = "by_tenant", .fields = {"tenant", "created_at"}, .scoped = false}}};
  return kind;
}

const Kind& SecretKind() {
  static const Kind kind{.name = "secret",
                         .fields = {{.name = "name"}},
                         .indexes = {{.name = "by_name", .fields = {"name"}}}};
  return kind;
}

const Kind& TenantKind() {
  static const Kind kind{.name = "tenant"};
  return kind;
}

const Kind& LoopKind() {
  static const Kind kind{
      .name = "loop",
      .fields = {{.name = "name"}, {.name = "due_at", .type = FieldType::kTime}},
      .indexes = {{.name = "by_name", .fields = {"name", "due_at"}, .scoped = false}},
      .serial_key_field = "name",
      .serial_index = "by_name"};
  return kind;
}

const Kind& AuditKind() {
  static const Kind kind{.name = "audit",
                         .version = 2,
                         .fields = {{.name = "at", .type = FieldType::kTime}},
                         .indexes = {{.name = "by_at", .fields = {"at"}},
                                     {.name = "by_age", .fields = {"at"}, .scoped = false}},
                         .age_field = "at",
                         .append_only = true};
  return kind;
}

std::vector<a4c::CollectionSpec> AllCollections() {
  return {{.kind = JobKind(), .searchable = true, .topic = "job-sync"},
          {.kind = a4c::LeaseKind(JobKind())},
          {.kind = LogChunkKind()},
          {.kind = WorkspaceKind()},
          {.kind = SnapshotKind()},
          {.kind = BuiltImageKind()},
          {.kind = HostKind()},
          {.kind = a4c::LeaseKind(HostKind())},
          {.kind = HostTokenKind()},
          {.kind = ReservationKind()},
          {.kind = ApiKeyKind()},
          {.kind = SecretKind()},
          {.kind = TenantKind()},
          {.kind = LoopKind()},
          {.kind = a4c::LeaseKind(LoopKind())},
          {.kind = AuditKind()}};
}

}  // namespace a4cd
