// Scan rules: what a ScanRequest means, and its cursors. For store authors, as batch_rules.h.
//
//   A4C_TRY(ScanPlan plan, CheckScan(call, kinds, request));
//   ... read limit + 1 rows of plan.index behind plan.after, in its order ...
//   if (one is left over) answer.next = ScanCursor(request, PositionOf(plan, record, indexed));
//
// A record is in an index if it has the index's first field; of the others, absent sorts first. A
// bound on a field leaves out the records that lack it. [any thread]
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "a4c/batch_rules.h"
#include "a4c/export.h"
#include "a4c/kind.h"
#include "a4c/record.h"
#include "a4c/result.h"
#include "a4c/store.h"

namespace a4c {

inline constexpr int kScanLimitMax = 10'000;

// A place in an index: the values of its fields (none for the order of ids), then scope and id.
struct ScanPosition {
  std::vector<Scalar> values = {};
  Key key = {};

  bool operator==(const ScanPosition&) const = default;
};

// Borrows the kinds.
struct ScanPlan {
  const Kind* kind = nullptr;
  const ScanIndex* index = nullptr;        // null: the order of (scope, id)
  std::vector<const Field*> fields = {};   // those of the index
  const Field* bounded = nullptr;          // the field that lower or upper bounds, if any is given
  std::optional<ScanPosition> after = {};  // where the page before ended
};

// kInvalid: an unknown kind or index, a scope, prefix, bound or limit that does not fit, or a
// cursor that was not made for a request of this kind, index, scope, prefix and direction, or leads
// out of them: cursors come from outside. kDenied: a scope, or all of them, that the call may not
// touch.
A4C_API Result<ScanPlan> CheckScan(const Call& call, const Kinds& kinds,
                                   const ScanRequest& request);

// The place of a record in the plan's order. indexed: the values of its body fields.
A4C_API ScanPosition PositionOf(const ScanPlan& plan, const Record& record,
                                const FieldValues& indexed);

// The value for ScanAnswer::next when `last` ends the page: letters, digits, '-' and '_'.
A4C_API std::string ScanCursor(const ScanRequest& request, const ScanPosition& last);

}  // namespace a4c
