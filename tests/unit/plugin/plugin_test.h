// What the tests of the plugin host share.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "a4c/plugin_host.h"
#include "tests/support/fake_clock.h"

namespace a4c::testing {

inline PluginHostOptions EvilOptions() {
  // The build tree may belong to whoever checked it out; trust_test.cc is about that.
  return {.directories = {A4C_EVIL_DIR}, .check_ownership = false};
}

inline ConfigValue Misbehaving(const std::string& mode, const std::string& call) {
  return ConfigValue::Map(
      {{"mode", ConfigValue::Scalar(mode)}, {"call", ConfigValue::Scalar(call)}});
}

// A host on fake time, with plugins that misbehave.
class PluginTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> MakeStore(const std::string& mode = "", const std::string& call = "") {
    auto store = host.MakeStore("store-good", Misbehaving(mode, call));
    EXPECT_TRUE(store) << store.error().ToString();
    return store ? *std::move(store) : nullptr;
  }
  Call Within(int64_t timeout_ms, std::stop_token stop = {}) {
    return fake.Within(timeout_ms, std::move(stop));
  }

  FakeRuntime fake;
  PluginHost host{fake.runtime(), EvilOptions()};
};

// Polls until it is so, at most 30 s of real time.
template <typename Condition>
::testing::AssertionResult Eventually(const Condition& condition) {
  const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  const auto waiter = runtime.threads.NewWaiter();
  const int64_t end_ms = runtime.clock.MonotonicMs() + 30'000;
  while (!condition()) {
    const int64_t now_ms = runtime.clock.MonotonicMs();
    if (now_ms >= end_ms) return ::testing::AssertionFailure() << "it is not so after 30 s";
    const Waiter::Lock lock(*waiter);
    waiter->Wait(now_ms + 1);
  }
  return ::testing::AssertionSuccess();
}

template <typename T>
::testing::AssertionResult FailsWith(const Result<T>& result, Code code, std::string_view part) {
  if (result) return ::testing::AssertionFailure() << "it succeeded";
  const Error& error = result.error();
  if (error.code() == code && error.ToString().find(part) != std::string::npos) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << error.ToString();
}

}  // namespace a4c::testing
