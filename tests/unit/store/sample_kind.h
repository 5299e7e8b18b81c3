// The kind that the tests of the store rules share.
#pragma once

#include "a4c/batch_rules.h"
#include "a4c/sinks.h"

namespace a4c {

inline Call AnyCall(const ScopeSet* scopes = nullptr) {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  Call call{runtime.clock};
  call.scopes = scopes;
  return call;
}

inline Kind SampleKind() {
  return {
      .name = "sample",
      .fields = {{.name = "name"},
                 {.name = "due", .type = FieldType::kTime},
                 {.name = "ratio", .type = FieldType::kDouble},
                 {.name = "count", .type = FieldType::kLong, .quiet = true},
                 {.name = "other", .type = FieldType::kLong, .quiet = true},
                 {.name = "since", .type = FieldType::kTime, .quiet = true, .merge = Merge::kKeep},
                 {.name = "first", .type = FieldType::kLong, .quiet = true, .merge = Merge::kMin},
                 {.name = "last", .type = FieldType::kLong, .quiet = true, .merge = Merge::kMax}},
      .indexes = {{.name = "by_name", .fields = {"name"}, .unique = true},
                  {.name = "by_due", .fields = {"due", "ratio"}, .scoped = false},
                  {.name = "by_count", .fields = {"count"}}}};
}

inline Kinds SampleKinds() {
  return {{"sample", SampleKind()}};
}

inline RecordRef Sample(std::string id, std::string scope = "") {
  return {"sample", {std::move(scope), std::move(id)}};
}

}  // namespace a4c
