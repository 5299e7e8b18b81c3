#include "tests/conformance/subject.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include "a4c/plugin_host.h"
#include "a4c/sinks.h"
#include "tests/conformance/run.h"

namespace a4c::conformance {
namespace {

class StandardError final : public LogSink {
 public:
  void Write(LogLevel level, std::string_view component, std::string_view event,
             std::span<const LogField> fields) override {
    if (level < LogLevel::kWarning) return;
    std::string line(level == LogLevel::kError ? "error " : "warning ");
    line += std::string(component) + ": " + std::string(event);
    for (const LogField& field : fields) line += " " + std::string(field.name) + "=" + field.value;
    std::fprintf(stderr, "%s\n", line.c_str());
  }
};

// gtest reports what a test throws as its failure, and goes on with the next test.
template <typename Interface>
std::unique_ptr<Interface> OrThrow(Result<std::unique_ptr<Interface>> made) {
  if (!made) throw std::runtime_error("cannot make the plugin: " + made.error().ToString());
  return *std::move(made);
}

}  // namespace

const Runtime& TheRuntime() {
  static auto* log = new StandardError;
  static auto* runtime = new Runtime(SystemRuntime(*log, NullMetricSink()));
  return *runtime;
}

Run& TheRun() {
  static auto* run = new Run;
  return *run;
}

template <>
std::unique_ptr<Store> Make<Store>() {
  return OrThrow(TheRun().host->MakeStore(TheRun().plugin, TheRun().config));
}
template <>
std::unique_ptr<Bus> Make<Bus>() {
  return OrThrow(TheRun().host->MakeBus(TheRun().plugin, TheRun().config));
}
template <>
std::unique_ptr<SearchIndex> Make<SearchIndex>() {
  return OrThrow(TheRun().host->MakeSearchIndex(TheRun().plugin, TheRun().config));
}
template <>
std::unique_ptr<HostProvider> Make<HostProvider>() {
  return OrThrow(TheRun().host->MakeHostProvider(TheRun().plugin, TheRun().config));
}

bool Absent(std::string_view capability) {
  return std::ranges::any_of(TheRun().info.absent, [&](const AbsentCapability& absent) {
    return capability == absent.name;
  });
}

std::string RandomWord() {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  uint64_t bits = TheRuntime().random.Next();
  std::string word;
  for (int i = 0; i < 8; ++i, bits /= kLetters.size()) word += kLetters[bits % kLetters.size()];
  return word;
}

std::string Unique(std::string_view prefix) {
  return std::string(prefix) + "_" + RandomWord();
}

Call Within(int64_t timeout_ms) {
  return Call::Within(TheRuntime().clock, timeout_ms);
}

}  // namespace a4c::conformance
