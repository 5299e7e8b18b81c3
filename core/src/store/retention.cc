#include "a4c/retention.h"

#include <algorithm>
#include <vector>

namespace a4c {
namespace {

constexpr int kPageRecords = 500;

Result<bool> ScanAndDelete(const Call& call, Store& store, const Kind& kind, int64_t before_ms) {
  A4C_TRY(const ScanAnswer page, store.Scan(call, {.kind = kind.name,
                                                   .index = AgeIndex(kind).name,
                                                   .upper = Scalar(before_ms),
                                                   .tombstones = true,
                                                   .limit = kPageRecords}));
  std::vector<WriteBatch> batches;
  for (const Record& record : page.records) {
    batches.push_back({{Delete{.ref = record.ref, .expect = Expect::Rev(record.rev)}}});
  }
  if (!batches.empty()) A4C_CHECK(store.Apply(call, batches));
  return !page.next.empty();
}

}  // namespace

Result<bool> Forget(const Call& call, Store& store, const Kind& kind, int64_t before_ms) {
  if (auto* retention = store.As<Retention>()) return retention->Forget(call, kind.name, before_ms);
  A4C_CHECK(CheckForget(call, {{kind.name, kind}}, kind.name));
  if (!kind.append_only) return ScanAndDelete(call, store, kind, before_ms);
  return Error(Code::kUnsupported,
               "records of " + kind.name + " are never deleted: the store does not forget any");
}

Result<const Kind*> CheckForget(const Call& call, const Kinds& kinds, const std::string& kind) {
  const auto found = kinds.find(kind);
  if (found == kinds.end()) {
    return Error(Code::kInvalid, "kind \"" + kind + "\" is unknown: it was never ensured");
  }
  if (found->second.age_field.empty()) {
    return Error(Code::kInvalid, "records of " + kind + " do not end by age");
  }
  if (call.scopes != nullptr) {
    return Error(Code::kDenied, "records of all scopes end by age: the caller may not touch all");
  }
  return &found->second;
}

const ScanIndex& AgeIndex(const Kind& kind) {
  return *std::ranges::find_if(kind.indexes, [&](const ScanIndex& index) {
    return !index.scoped && index.fields[0] == kind.age_field;
  });
}

}  // namespace a4c
