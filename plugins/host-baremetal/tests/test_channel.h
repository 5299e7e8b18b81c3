// For tests: a channel that never has to wait, so that what does not wait is what does.
#pragma once

#include "a4c/sinks.h"
#include "ssh/byte_channel.h"

namespace a4c::baremetal {

class TestChannel : public ByteChannel {
 public:
  Result<std::optional<size_t>> ReadNow(char* buffer, size_t size) override {
    A4C_TRY(const size_t count, Read(Call{Clock()}, buffer, size));
    return std::optional(count);
  }
  Result<size_t> WriteNow(std::string_view bytes) override {
    A4C_CHECK(Write(Call{Clock()}, bytes));
    return bytes.size();
  }
  Result<bool> EndNow() override { return true; }
  Result<StreamWait> WaitFor(const a4c::Clock&, bool, bool) override { return StreamWait{}; }

 private:
  static const a4c::Clock& Clock() {
    static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
    return runtime.clock;
  }
};

}  // namespace a4c::baremetal
