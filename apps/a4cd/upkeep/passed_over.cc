#include "apps/a4cd/upkeep/passed_over.h"

#include <utility>

namespace a4cd {
namespace {

constexpr int kToldMax = 10;  // of a step, which may be of thousands

}  // namespace

PassedOver::PassedOver(const a4c::Runtime& runtime, std::string loop)
    : runtime_(runtime), loop_(std::move(loop)) {}

a4c::Result<void> PassedOver::Note(const a4c::Call& call, const a4c::RecordRef& record,
                                   const a4c::Result<void>& done) {
  if (done) return {};
  const a4c::Error& error = done.error();
  if (error.retryable() || error.unknown_outcome() || call.Stopping() || call.Expired()) {
    return error;
  }
  if (told_++ >= kToldMax) return {};
  runtime_.log.Write(a4c::LogLevel::kWarning, loop_, "a record is passed over",
                     {{"kind", record.kind},
                      {"tenant", record.key.scope},
                      {"id", record.key.id},
                      {"error", error.ToString()}});
  return {};
}

}  // namespace a4cd
