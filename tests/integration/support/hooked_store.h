// Does something of the test's before each write and each scan, and around each read by id.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "a4c/retention.h"
#include "a4c/store.h"

namespace a4cd::testing {

class HookedStore final : public a4c::Store {
 public:
  explicit HookedStore(a4c::Store& inner) : inner_(inner) {}

  a4c::Result<void> Ensure(const a4c::Call& call, std::span<const a4c::Kind> kinds) override {
    return inner_.Ensure(call, kinds);
  }
  a4c::Result<a4c::ApplyAnswer> Apply(const a4c::Call& call,
                                      std::span<const a4c::WriteBatch> batches) override {
    if (before_apply) before_apply(batches);
    return inner_.Apply(call, batches);
  }
  a4c::Result<a4c::GetAnswer> Get(const a4c::Call& call,
                                  std::span<const a4c::RecordRef> refs) override {
    if (before_get) before_get();
    a4c::Result<a4c::GetAnswer> answer = inner_.Get(call, refs);
    if (after_get) after_get();
    return answer;
  }
  a4c::Result<a4c::ScanAnswer> Scan(const a4c::Call& call,
                                    const a4c::ScanRequest& request) override {
    if (before_scan) before_scan(request);
    return inner_.Scan(call, request);
  }

  std::function<void()> before_get;
  std::function<void()> after_get;
  std::function<void(std::span<const a4c::WriteBatch>)> before_apply;
  std::function<void(const a4c::ScanRequest&)> before_scan;

 protected:
  void* Extension(std::string_view name) override {
    return name == a4c::Retention::kExtension ? inner_.As<a4c::Retention>() : nullptr;
  }

 private:
  a4c::Store& inner_;
};

}  // namespace a4cd::testing
