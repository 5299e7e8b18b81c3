// What was acknowledged survives kill -9 at any moment, and batches survive whole or not at all.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>
#include <thread>

#include "a4c/sinks.h"
#include "sqlite_store.h"
#include "sqlite_test_files.h"

namespace a4c::sqlite {
namespace {

constexpr int kWriters = 4;
constexpr int kKills = 25;

const Kind& PairKind() {
  static const Kind kind{.name = "pair",
                         .fields = {{.name = "n", .type = FieldType::kLong}},
                         .indexes = {{.name = "by_n", .fields = {"n"}}}};
  return kind;
}

std::unique_ptr<Store> OpenPairs(const std::string& path) {
  const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  Result<std::unique_ptr<Store>> store = OpenSqliteStore({.path = path}, runtime);
  if (!store) {
    ADD_FAILURE() << store.error().ToString();
    return nullptr;
  }
  EXPECT_TRUE((*store)->Ensure(Call{runtime.clock}, {&PairKind(), 1}).has_value());
  return *std::move(store);
}

RecordRef Half(char side, int64_t number) {
  return {"pair", {"", side + std::to_string(number)}};
}

// The child: writes pairs, each in one batch, and tells a number when its pair is acknowledged.
[[noreturn]] void WriteUntilKilled(const std::string& path, int64_t first, int out) {
  const std::unique_ptr<Store> store = OpenPairs(path);
  const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < kWriters && store; ++writer) {
    writers.emplace_back([&, writer] {
      for (int64_t number = first + writer;; number += kWriters) {
        const std::string body = R"({"n":)" + std::to_string(number) + "}";
        const WriteBatch batch{
            {Put{.ref = Half('a', number), .body = body, .expect = Expect::Absent()},
             Put{.ref = Half('b', number), .body = body, .expect = Expect::Absent()}}};
        const auto answer = store->Apply(Call{runtime.clock}, {&batch, 1});
        if (!answer || answer->results[0].outcome != BatchOutcome::kApplied) _exit(3);
        if (write(out, &number, sizeof(number)) != sizeof(number)) _exit(4);
      }
    });
  }
  writers.clear();
  _exit(5);
}

// What the child acknowledged before it was killed, after at least `least` of them.
std::vector<int64_t> RunAndKill(const std::string& path, int64_t first, int least) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    WriteUntilKilled(path, first, ends[1]);
  }
  close(ends[1]);
  std::vector<int64_t> acknowledged;
  int64_t number = 0;
  while (read(ends[0], &number, sizeof(number)) == sizeof(number)) {
    acknowledged.push_back(number);
    if (static_cast<int>(acknowledged.size()) == least) kill(child, SIGKILL);
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
  return acknowledged;
}

TEST(SqliteCrash, WhatWasAcknowledgedSurvivesKillNine) {
  const TestDirectory directory;
  const std::string path = directory.File("a4c.db");
  const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  std::mt19937 random(20261122);
  std::map<int64_t, bool> all;
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    const int64_t first = 1'000'000 * (kill_number + 1);
    const int least = 1 + static_cast<int>(random() % 60);
    const std::vector<int64_t> acknowledged = RunAndKill(path, first, least);
    ASSERT_GE(static_cast<int>(acknowledged.size()), least);
    for (const int64_t number : acknowledged) all[number] = true;
    const std::unique_ptr<Store> store = OpenPairs(path);
    ASSERT_NE(store, nullptr);
    for (const auto& [number, known] : all) {
      const std::vector<RecordRef> refs = {Half('a', number), Half('b', number)};
      const Result<GetAnswer> answer = store->Get(Call{runtime.clock}, refs);
      ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
      ASSERT_TRUE(answer->records[0] && answer->records[1]) << "lost " << number;
    }
  }
  // Those that were not acknowledged may be there, but never by half.
  const std::unique_ptr<Store> store = OpenPairs(path);
  ScanRequest request{.kind = "pair", .index = "by_n", .scope = "", .limit = 10'000};
  std::map<int64_t, int> halves;
  do {
    const Result<ScanAnswer> page = store->Scan(Call{runtime.clock}, request);
    ASSERT_TRUE(page.has_value()) << page.error().ToString();
    for (const Record& record : page->records) ++halves[std::stoll(record.ref.key.id.substr(1))];
    request.after = page->next;
  } while (!request.after.empty());
  EXPECT_GE(halves.size(), all.size());
  for (const auto& [number, count] : halves) EXPECT_EQ(count, 2) << number;
}

}  // namespace
}  // namespace a4c::sqlite
