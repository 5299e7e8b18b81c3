// What Bulk answered survives kill -9 at any moment, and a document is there whole or not at all.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>

#include "a4c/sinks.h"
#include "sqlite_index.h"
#include "sqlite_test_files.h"

namespace a4c::search_sqlite {
namespace {

constexpr int kKills = 15;

std::unique_ptr<SearchIndex> OpenPhotos(const std::string& path) {
  const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  auto index = OpenSqliteIndex({.path = path}, runtime);
  const Kind kind = PhotoKind();
  if (!index || !(*index)->Ensure(Call{runtime.clock}, {&kind, 1})) return nullptr;
  return *std::move(index);
}

Document Numbered(int64_t number, int64_t rev) {
  const std::string n = std::to_string(number);
  const std::string r = std::to_string(rev);
  return {.ref = {"photo", {"s", "p" + n}},
          .rev = rev,
          .body = R"({"album":"a)" + r + R"(","title":"word)" + n + " rev" + r + R"(","views":)" +
                  n + "}"};
}

// The child: writes two documents a call, again and again, and tells a number when both revs of it
// are answered.
[[noreturn]] void WriteUntilKilled(const std::string& path, int64_t first, int out) {
  const std::unique_ptr<SearchIndex> index = OpenPhotos(path);
  const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  for (int64_t number = first; index != nullptr; ++number) {
    for (const int64_t rev : {1, 2}) {
      const std::vector<Document> one = {Numbered(number, rev)};
      const auto answer = index->Bulk(Call{runtime.clock}, one);
      if (!answer || answer->at(0).outcome != BulkOutcome::kApplied) _exit(3);
    }
    if (write(out, &number, sizeof(number)) != sizeof(number)) _exit(4);
  }
  _exit(5);
}

// What the child told before it was killed, after at least `least` of them.
std::vector<int64_t> RunAndKill(const std::string& path, int64_t first, int least) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    WriteUntilKilled(path, first, ends[1]);
  }
  close(ends[1]);
  std::vector<int64_t> told;
  int64_t number = 0;
  while (read(ends[0], &number, sizeof(number)) == sizeof(number)) {
    told.push_back(number);
    if (static_cast<int>(told.size()) == least) kill(child, SIGKILL);
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
  return told;
}

std::map<std::string, int64_t> AllBy(SearchIndex& index, Query query) {
  const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  SearchRequest request{.kind = PhotoKind(), .query = std::move(query), .limit = 1000};
  std::map<std::string, int64_t> revs;
  do {
    const auto page = index.Search(Call{runtime.clock}, request);
    EXPECT_TRUE(page) << page.error().ToString();
    if (!page) break;
    for (const Hit& hit : page->hits) revs[hit.ref.key.id] = hit.rev;
    request.after = page->next;
  } while (!request.after.empty());
  return revs;
}

TEST(SqliteIndexCrash, WhatWasAnsweredSurvivesKillNine) {
  const TestDirectory directory;
  const std::string path = directory.File("search.db");
  std::mt19937 random(20261126);
  std::vector<int64_t> told;
  for (int64_t killed = 1; killed <= kKills; ++killed) {
    for (const int64_t number :
         RunAndKill(path, killed * 1'000'000, 1 + static_cast<int>(random() % 30))) {
      told.push_back(number);
    }
    const std::unique_ptr<SearchIndex> index = OpenPhotos(path);
    ASSERT_NE(index, nullptr);
    const auto all = AllBy(*index, {});
    for (const int64_t number : told) {
      const auto found = all.find("p" + std::to_string(number));
      ASSERT_NE(found, all.end()) << "lost " << number;
      EXPECT_EQ(found->second, 2) << number;
    }
    // By number, value and word the same documents are found: none is there by half.
    const auto by = [&](const char* text) {
      return AllBy(*index, *ParseQuery(text, PhotoKind(), 0));
    };
    EXPECT_EQ(by("views:*"), all);
    EXPECT_EQ(by("album:a1 or album:a2"), all);
    EXPECT_EQ(by("rev1 or rev2"), all);
    EXPECT_TRUE(by("album:a1 and rev2").empty());
    EXPECT_TRUE(by("album:a2 and rev1").empty());
  }
}

}  // namespace
}  // namespace a4c::search_sqlite
