#include "@space@_store.h"

#include <utility>

#include "a4c/memory.h"
#include "a4c/sinks.h"

namespace @space@_store {
namespace {

// It passes conformance as it is: replace one method after another by your back end, and run
// conformance after each. a4c/store.h says what every method promises; in short:
//  - Apply: each batch whole or not at all; an outcome that you cannot know is kUnknown, no failure.
//  - Every method: give up at call.deadline_ms, and when call.stop is requested.
//  - Errors of your back end become a4c::Error in one place, each with the Code that is true of it.
class @Type@Store final : public a4c::Store {
 public:
  explicit @Type@Store(std::unique_ptr<a4c::Store> records) : records_(std::move(records)) {}

  a4c::Result<void> Ensure(const a4c::Call& call, std::span<const a4c::Kind> kinds) override {
    return records_->Ensure(call, kinds);
  }
  a4c::Result<a4c::ApplyAnswer> Apply(const a4c::Call& call,
                                      std::span<const a4c::WriteBatch> batches) override {
    return records_->Apply(call, batches);
  }
  a4c::Result<a4c::GetAnswer> Get(const a4c::Call& call,
                                  std::span<const a4c::RecordRef> refs) override {
    return records_->Get(call, refs);
  }
  a4c::Result<a4c::ScanAnswer> Scan(const a4c::Call& call,
                                    const a4c::ScanRequest& request) override {
    return records_->Scan(call, request);
  }

 private:
  std::unique_ptr<a4c::Store> records_;
};

}  // namespace

a4c::Result<std::unique_ptr<a4c::Store>> Open@Type@Store(const std::string& title,
                                                         const a4c::Runtime& runtime) {
  runtime.log.Write(a4c::LogLevel::kInfo, "@plugin@", "opened", {{"title", title}});
  return std::unique_ptr<a4c::Store>(new @Type@Store(a4c::NewMemoryStore(runtime)));
}

}  // namespace @space@_store
