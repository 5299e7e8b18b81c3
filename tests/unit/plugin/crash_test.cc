#include <csignal>
#include <thread>

#include "a4c/host_extensions.h"
#include "tests/unit/plugin/plugin_test.h"

namespace a4c::testing {
namespace {

// Each crash happens in a child process. How it dies depends: of the signal, or, with a sanitizer,
// after its report.
class PluginCrashDeathTest : public PluginTest {
 protected:
  PluginCrashDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(PluginCrashDeathTest, ASegfaultNamesPluginAndCall) {
  EXPECT_DEATH(
      {
        InstallCrashHandler();
        (void)MakeStore("segfault", "Apply")->Apply(Within(1000), {});
      },
      "SIGSEGV in plugin store-good, call Apply\n");
}

TEST_F(PluginCrashDeathTest, AnAbortNamesPluginAndCall) {
  EXPECT_DEATH(
      {
        InstallCrashHandler();
        (void)MakeStore("abort", "Get")->Get(Within(1000), {});
      },
      "SIGABRT in plugin store-good, call Get\n");
}

TEST_F(PluginCrashDeathTest, AThrowInADestructorNamesThePlugin) {
  EXPECT_DEATH(
      {
        InstallCrashHandler();
        MakeStore("throw", "destructor").reset();
      },
      "SIGABRT in plugin store-good, call destructor\n");
}

TEST_F(PluginCrashDeathTest, AStackOverflowOnAnyThreadIsNamed) {
  EXPECT_DEATH(
      {
        InstallCrashHandler();
        const auto store = MakeStore("overflow", "Scan");
        std::thread([&] { (void)store->Scan(Within(1000), {}); }).join();
      },
      "SIG(SEGV|BUS) in plugin store-good, call Scan\n");
}

TEST_F(PluginCrashDeathTest, ACrashElsewhereIsNotBlamedOnAPlugin) {
  EXPECT_DEATH(
      {
        InstallCrashHandler();
        (void)MakeStore()->Get(Within(1000), {});
        raise(SIGSEGV);
      },
      "SIGSEGV outside of plugin calls\n");
}

TEST_F(PluginCrashDeathTest, ACallbackThatCallsAnotherPluginIsBlamedOnTheInnerOne) {
  EXPECT_DEATH(
      {
        InstallCrashHandler();
        const auto provider = *host.MakeHostProvider("host-evil", Misbehaving("", ""));
        const auto store = MakeStore("segfault", "Get");
        (void)provider->As<HostExec>()->Run(
            Within(1000), {}, [&](std::string_view) { (void)store->Get(Within(1000), {}); });
      },
      "SIGSEGV in plugin store-good, call Get\n");
}

}  // namespace
}  // namespace a4c::testing
