#include "a4c/scan_rules.h"
#include "store/cursor_codec.h"

namespace a4c {
namespace {

Error Wrong(const ScanRequest& request, std::string_view why) {
  std::string what = "scan of " + request.kind;
  if (!request.index.empty()) what += " by " + request.index;
  return Error(Code::kInvalid, what + ": " + std::string(why));
}

Result<void> CheckScope(const ScanRequest& request, const ScanPlan& plan) {
  if (plan.index != nullptr && plan.index->scoped && !request.scope) {
    return Wrong(request, "the index is scoped: name a scope");
  }
  if (plan.index != nullptr && !plan.index->scoped && request.scope) {
    return Wrong(request, "the index is not scoped: it cannot be narrowed to a scope");
  }
  return request.scope ? CheckKey({*request.scope, "-"}) : Result<void>();
}

Result<void> CheckTouch(const Call& call, const ScanRequest& request) {
  const bool may = request.scope ? call.MayTouch(*request.scope) : call.scopes == nullptr;
  if (may) return {};
  return Error(Code::kDenied, "scan of " + request.kind + ": the caller may not touch " +
                                  (request.scope ? "the scope \"" + *request.scope + "\""
                                                 : std::string("all scopes")));
}

Result<void> CheckPrefix(const ScanRequest& request, const ScanPlan& plan) {
  if (request.prefix.size() > plan.fields.size()) {
    return Wrong(request, "the prefix has more values than the index has fields");
  }
  for (size_t i = 0; i < request.prefix.size(); ++i) {
    if (!FitsField(*plan.fields[i], request.prefix[i])) {
      return Wrong(request, "the prefix does not fit \"" + plan.fields[i]->name + "\"");
    }
  }
  return {};
}

bool IsGiven(const Scalar& bound) {
  return !std::holds_alternative<std::monostate>(bound);
}

Result<void> CheckBounds(const ScanRequest& request, ScanPlan& plan) {
  if (!IsGiven(request.lower) && !IsGiven(request.upper)) return {};
  if (request.prefix.size() >= plan.fields.size()) {
    return Wrong(request, "there is no field behind the prefix to be bounded");
  }
  plan.bounded = plan.fields[request.prefix.size()];
  for (const Scalar* bound : {&request.lower, &request.upper}) {
    if (IsGiven(*bound) && !FitsField(*plan.bounded, *bound)) {
      return Wrong(request, "a bound does not fit \"" + plan.bounded->name + "\"");
    }
  }
  return {};
}

Result<void> CheckCursor(const ScanRequest& request, ScanPlan& plan) {
  if (request.after.empty()) return {};
  plan.after = DecodeCursor(request, plan);
  if (plan.after) return {};
  return Wrong(request, "the cursor was not made for this request");
}

}  // namespace

Result<ScanPlan> CheckScan(const Call& call, const Kinds& kinds, const ScanRequest& request) {
  const auto kind = kinds.find(request.kind);
  if (kind == kinds.end()) return Wrong(request, "the kind is unknown: it was never ensured");
  ScanPlan plan{&kind->second};
  if (!request.index.empty()) {
    plan.index = FindIndex(*plan.kind, request.index);
    if (plan.index == nullptr) return Wrong(request, "there is no such index");
    for (const std::string& name : plan.index->fields) {
      plan.fields.push_back(FindField(*plan.kind, name));
    }
  }
  if (request.limit < 1 || request.limit > kScanLimitMax) {
    return Wrong(request, "the limit is not within 1 and 10,000");
  }
  A4C_CHECK(CheckScope(request, plan));
  A4C_CHECK(CheckTouch(call, request));
  A4C_CHECK(CheckPrefix(request, plan));
  A4C_CHECK(CheckBounds(request, plan));
  A4C_CHECK(CheckCursor(request, plan));
  return plan;
}

ScanPosition PositionOf(const ScanPlan& plan, const Record& record, const FieldValues& indexed) {
  ScanPosition position{{}, record.ref.key};
  for (const Field* field : plan.fields) {
    const FieldValues& values = field->quiet ? record.quiet : indexed;
    const auto found = values.find(field->name);
    position.values.push_back(found == values.end() ? Scalar() : found->second);
  }
  return position;
}

}  // namespace a4c
