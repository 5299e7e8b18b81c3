// What a loop over many records does with one that it cannot deal with: tells of it and goes on, as
// all those behind it would wait for ever.
//
//   PassedOver passed_over(runtime_, name_);   // for each step
//   for (const Record& record : page.records) {
//     A4C_CHECK(passed_over.Note(call, record.ref, Expire(call, record)));
//   }
#pragma once

#include <atomic>
#include <string>

#include "a4c/call.h"
#include "a4c/record.h"
#include "a4c/result.h"
#include "a4c/sinks.h"

namespace a4cd {

// [any thread]
class PassedOver {
 public:
  PassedOver(const a4c::Runtime& runtime, std::string loop);
  // The error of one that ends the step: another try may help, or the call is over.
  a4c::Result<void> Note(const a4c::Call& call, const a4c::RecordRef& record,
                         const a4c::Result<void>& done);

 private:
  const a4c::Runtime runtime_;
  const std::string loop_;
  std::atomic<int> told_ = 0;
};

}  // namespace a4cd
