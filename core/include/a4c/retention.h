// Retention: records that end by age are forgotten, many at once.
//
// An extension of Store, for kinds with an age_field. Forget() below uses it, or, where a store has
// none, scans and deletes.
//
//   for (bool more = true; more;) {
//     A4C_TRY(more, Forget(call, store, kind, now_ms - keep_ms));
//   }
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "a4c/batch_rules.h"
#include "a4c/call.h"
#include "a4c/export.h"
#include "a4c/kind.h"
#include "a4c/result.h"
#include "a4c/store.h"

namespace a4c {

class Retention {
 public:
  static constexpr std::string_view kExtension = "retention";
  virtual ~Retention() = default;

  // Forgets records of the kind whose age_field lies before before_ms, and none that lies at or
  // behind it; true: there are more, call again. A store that drops them by parts keeps some for
  // longer: at most by a quarter of the time from before_ms to now, if it is asked that often.
  // kInvalid: no such kind, or its records do not end by age. kDenied: the call is bound to scopes.
  // [any thread]
  virtual Result<bool> Forget(const Call& call, const std::string& kind, int64_t before_ms) = 0;
};

// As Retention::Forget, over any store; kUnsupported: the kind is append_only, and the store has no
// Retention. At most 500 records a call where it scans.
A4C_API Result<bool> Forget(const Call& call, Store& store, const Kind& kind, int64_t before_ms);

// For store authors: the kind, if its records can be forgotten by this call.
A4C_API Result<const Kind*> CheckForget(const Call& call, const Kinds& kinds,
                                        const std::string& kind);

// The index over all scopes that the kind's age_field leads.
A4C_API const ScanIndex& AgeIndex(const Kind& kind);

}  // namespace a4c
