// Catalog: the kinds that this instance was given by Ensure, and their tables. A snapshot is never
// changed: whoever works with one keeps it alive by its pointer.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "a4c/batch_rules.h"
#include "a4c/clock.h"
#include "schema/postgres_table.h"

namespace a4c::postgres {

struct Catalog {
  bool row_security = false;
  Kinds kinds = {};
  std::map<std::string, std::shared_ptr<const Table>, std::less<>> tables = {};

  const Table& TableOf(const std::string& kind) const { return *tables.find(kind)->second; }
};
using CatalogPtr = std::shared_ptr<const Catalog>;

// The newest snapshot. [any thread]
class Catalogs {
 public:
  Catalogs(bool row_security, const Runtime& runtime)
      : waiter_(runtime.threads.NewWaiter()),
        newest_(std::make_shared<Catalog>(Catalog{.row_security = row_security})) {}

  CatalogPtr Newest() const {
    const Waiter::Lock lock(*waiter_);
    return newest_;
  }
  void Add(const std::string& schema, std::span<const Kind> kinds) {
    const Waiter::Lock lock(*waiter_);
    auto next = std::make_shared<Catalog>(*newest_);
    for (const Kind& kind : kinds) {
      next->kinds[kind.name] = kind;
      next->tables[kind.name] = std::make_shared<const Table>(schema, kind);
    }
    newest_ = std::move(next);
  }

 private:
  const std::unique_ptr<Waiter> waiter_;
  CatalogPtr newest_;
};

}  // namespace a4c::postgres
