// What the store suites share: a store with a kind of the test's own, and short ways to write, read
// and tell what came of it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "a4c/store.h"
#include "tests/conformance/subject.h"

namespace a4c::conformance {

// name: unique within a scope; code: unique over all; state and due, due alone, and one index for
// each type of field, quiet ones too.
Kind ThingKind(const std::string& name);

// "applied 1 2"; "conflict 0:present=3 1:quiet(count)=5"; "invalid 0:invalid(name)"; "not_applied
// timeout"; "unknown".
std::string Told(const BatchResult& result);
std::string Told(const Scalar& value);

// Calls body(0) ... body(count - 1), each on a thread, at the same time.
void OnThreads(int count, const std::function<void(int)>& body);

class StoreSuite : public testing::Test {
 protected:
  void SetUp() override;

  Store& store() { return *store_; }
  // Closes the store and opens it again.
  void Reopen();
  const std::string& kind() const { return kind_.name; }
  const Kind& kind_data() const { return kind_; }
  RecordRef Ref(const std::string& id, const std::string& scope = "") const {
    return {kind_.name, {scope, id}};
  }
  // Of all that there may be in the kind. Refused by the test if the store answers an error.
  std::vector<BatchResult> ApplyAll(const std::vector<WriteBatch>& batches);
  std::string Apply(std::vector<Op> ops);
  // A batch that is sent again while nobody knows what came of it, or while it may be sent again.
  BatchResult ApplySurely(const WriteBatch& batch) { return ApplySurely(*store_, batch); }
  static BatchResult ApplySurely(Store& store, const WriteBatch& batch);
  // body(store, i) for each i below `threads`, each on a thread, at the same time: over several
  // instances where they share their records, else all over the one.
  void OnInstances(int threads, const std::function<void(Store&, int)>& body);
  // What an instance has to know to take part in the test.
  virtual std::vector<Kind> KindsOfInstances() const { return {kind_}; }
  // A record that must be created.
  void Create(const std::string& id, const std::string& body = "{}", FieldValues quiet = {},
              const std::string& scope = "");
  std::optional<Record> Read(const std::string& id, const std::string& scope = "");
  // "count=5 since=3": the record's quiet values, or "absent".
  std::string Quiet(const std::string& id);
  // The ids of one page, and of all pages of `limit` records.
  ScanAnswer Page(const ScanRequest& request);
  std::string Ids(ScanRequest request, int limit = 10'000);
  ScanRequest By(const std::string& index) const { return {.kind = kind_.name, .index = index}; }
  ScanRequest ByScoped(const std::string& index) const {
    return {.kind = kind_.name, .index = index, .scope = ""};
  }

 private:
  Kind kind_;
  std::unique_ptr<Store> store_;
};

}  // namespace a4c::conformance
