// Lists of what is as large as a body may be: their pages end early, and nothing is lost between
// them.
#include <functional>
#include <set>
#include <string>

#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr int kLarge = 12;
constexpr int64_t kMiB = 1 << 20;

class LargeLists : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_.Open(Within(), AllCollections()));
    store_.before_scan = [this](const a4c::ScanRequest& scan) {
      read_at_once_ = std::max(read_at_once_, scan.limit);
    };
  }
  Call Within() { return fake_.Within(30'000); }

  void CreateJobs(int count, int64_t bytes) {
    JobDraft draft;
    draft.type = "host.cleanup";
    draft.title = "the pier";
    draft.payload = Json::Object{{"host", "one"}, {"pad", std::string(bytes, 'x')}};
    const Principal principal{.tenant = kTenant, .key_id = "key", .scopes = {"*"}};
    for (int i = 0; i < count; ++i) {
      const auto write = jobs_.PrepareCreate(Within(), principal, draft);
      ASSERT_TRUE(write);
      ASSERT_TRUE(database_.Write(Within(), write->commit));
      fake_.clock().Advance(1);
    }
  }
  void CreateWorkspaces(int count, int64_t bytes) {
    for (int i = 0; i < count; ++i) {
      Workspace workspace;
      workspace.name = "dev-" + std::to_string(i);
      workspace.command = {std::string(bytes, 'x')};
      workspace.actual = "pending";
      workspace.created_at = fake_.clock().NowMs();
      ASSERT_TRUE(database_.Write(Within(), {.changes = {{.ref = WorkspaceRef(kTenant, ids_.Next()),
                                                          .body = WorkspaceBody(workspace)}}}));
    }
  }
  // How many each page has, of a list of 500; all of them once.
  using ReadIds = std::function<std::string(const std::string& after, std::set<std::string>& ids)>;
  static std::vector<size_t> Pages(const ReadIds& read) {
    std::vector<size_t> pages;
    std::set<std::string> ids;
    std::string after;
    do {
      const size_t before = ids.size();
      after = read(after, ids);
      pages.push_back(ids.size() - before);
    } while (!after.empty() && pages.back() > 0);
    return pages;
  }
  std::vector<size_t> JobPages(JobList list) {
    return Pages([&](const std::string& after, std::set<std::string>& ids) {
      list.after = after;
      list.limit = 500;
      const Result<JobPage> page = jobs_.List(Within(), kTenant, list);
      EXPECT_TRUE(page) << page.error().ToString();
      for (const Job& job : page->jobs) ids.insert(job.id);
      if (list.highlight) {
        EXPECT_EQ(page->highlights.size(), page->jobs.size());
      }
      return page->next;
    });
  }

  a4c::testing::FakeRuntime fake_;
  const std::unique_ptr<a4c::Store> memory_ = a4c::NewMemoryStore(fake_.runtime());
  HookedStore store_{*memory_};
  const std::unique_ptr<a4c::SearchIndex> index_ = a4c::NewMemorySearchIndex(fake_.runtime());
  a4c::Database database_{{.store = store_, .index = index_.get()}, fake_.runtime()};
  a4c::IdSource ids_{fake_.runtime().clock, fake_.runtime().random};
  JobService jobs_{database_, fake_.runtime(), ids_};
  int read_at_once_ = 0;
};

TEST_F(LargeLists, OfJobsEndEarly) {
  CreateJobs(kLarge, kMiB);
  EXPECT_EQ(JobPages({}), std::vector<size_t>({8, 4}));
  JobList oldest_first;
  oldest_first.sort = "created_at";
  EXPECT_EQ(JobPages(oldest_first), std::vector<size_t>({8, 4}));
}

TEST_F(LargeLists, OfJobsThatTheIndexFoundEndEarlyAndCountAll) {
  CreateJobs(kLarge, kMiB);
  ASSERT_TRUE(database_.Fill(Within(), "job", {}));
  ASSERT_TRUE(index_->Refresh(Within(), "job"));
  JobList list;
  list.query = "pier";
  list.highlight = true;
  list.facets = {{.field = "state"}};
  EXPECT_EQ(JobPages(list), std::vector<size_t>({8, 4}));
  const Result<JobPage> page = jobs_.List(Within(), kTenant, list);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->total, kLarge);
  ASSERT_EQ(page->facets.size(), 1u);
  EXPECT_EQ(page->facets[0].at(0).count, kLarge);
}

TEST_F(LargeLists, OfWorkspacesEndEarly) {
  CreateWorkspaces(kLarge, kMiB);
  const auto pages = Pages([&](const std::string& after, std::set<std::string>& ids) {
    const auto page = jobs_.ListWorkspaces(Within(), kTenant, after, 500);
    EXPECT_TRUE(page) << page.error().ToString();
    for (const Workspace& workspace : page->workspaces) ids.insert(workspace.id);
    return page->next;
  });
  EXPECT_EQ(pages, std::vector<size_t>({8, 4}));
}

TEST_F(LargeLists, OneThatIsLargerThanAPageIsAPage) {
  CreateJobs(2, 9 * kMiB);
  EXPECT_EQ(JobPages({}), std::vector<size_t>({1, 1}));
}

// How large they are is not known before.
TEST_F(LargeLists, AreReadAFewAtATime) {
  CreateJobs(120, 1);
  read_at_once_ = 0;
  EXPECT_EQ(JobPages({}), std::vector<size_t>({120}));
  EXPECT_LE(read_at_once_, 50);
}

}  // namespace
}  // namespace a4cd::testing
