// What the schema has to hold for some kinds, and how it comes to: each change is one transaction,
// under an advisory lock, so that of many starters one works and the others find it done.
// [one thread at a time]
#pragma once

#include <span>
#include <string>
#include <vector>

#include "a4c/call.h"
#include "a4c/kind.h"
#include "a4c/rebuild.h"
#include "a4c/result.h"
#include "postgres_layout.h"
#include "postgres_security.h"
#include "postgres_session.h"

namespace a4c::search_postgres {

class Schema {
 public:
  // Both outlive it.
  Schema(Session& session, const Options& options) : session_(session), options_(options) {}

  // Makes the kinds' first generations and adds fields that are new to the live ones. kConflict: a
  // field has another type, or the documents another layout: the index has to be rebuilt. kInvalid:
  // the tables have row-level security, and the options do not.
  Result<void> Ensure(const Call& call, std::span<const Kind> kinds);
  Result<std::optional<Layout>> Read(const Call& call, const std::string& kind, int64_t number);

  // The steps of Rebuild: see there.
  Result<std::vector<IndexGeneration>> List(const Call& call, const Kind& kind);
  Result<void> Create(const Call& call, const Kind& kind, int64_t number);
  Result<void> Swap(const Call& call, const Kind& kind, int64_t number);
  Result<void> Drop(const Call& call, const Kind& kind, int64_t number);

 private:
  Result<void> CheckUser(const Call& call);
  Result<void> EnsureOne(const Call& call, const Kind& kind);
  Result<std::vector<Statement>> Lacking(const Call& call, const Kind& kind);
  Result<Security> ReadSecurity(const Call& call, const Layout& layout);
  Result<void> MakeCatalogue(const Call& call);
  template <typename Work>
  Result<void> Locked(const Call& call, Work work);
  Result<void> Change(const Call& call, const std::vector<Statement>& statements);

  Session& session_;
  const Options& options_;
};

// First in a transaction: how long its statements may take.
Statement LimitTime(const Call& call, const Options& options);
Error NoGeneration(const Kind& kind, int64_t number);

}  // namespace a4c::search_postgres
