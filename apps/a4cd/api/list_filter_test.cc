#include "apps/a4cd/api/list_filter.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "apps/a4cd/jobs/list_reader.h"

namespace a4cd {
namespace {

using a4c::Json;

constexpr std::string_view kStates[] = {"running", "stopped"};
constexpr FilterMember kMembers[] = {{"state", kStates}, {"host"}, {"cordoned"}};

a4c::Result<ListFilter> Filter(NameValues query) {
  Request request;
  request.query = std::move(query);
  return ListFilter::Of(request, kMembers);
}

Json View(const std::string& state, const std::string& host) {
  return Json(Json::Object{{"state", state},
                           {"host", host},
                           {"cordoned", true},
                           {"labels", Json::Object{{"gpu", "yes"}, {"empty", ""}}}});
}

TEST(ListFilter, TakesWhatHasAllThatIsAsked) {
  EXPECT_TRUE(Filter({})->Takes(View("running", "a")));
  EXPECT_TRUE(Filter({})->empty());
  EXPECT_TRUE(Filter({{"state", "running"}, {"host", "a"}})->Takes(View("running", "a")));
  EXPECT_FALSE(Filter({{"state", "running"}, {"host", "b"}})->Takes(View("running", "a")));
  EXPECT_TRUE(Filter({{"cordoned", "true"}})->Takes(View("running", "a")));
  EXPECT_FALSE(Filter({{"cordoned", "false"}})->Takes(View("running", "a")));
}

TEST(ListFilter, TakesWhatHasAllLabels) {
  EXPECT_TRUE(Filter({{"labels", "gpu=yes,empty="}})->Takes(View("running", "a")));
  EXPECT_FALSE(Filter({{"labels", "gpu=yes,absent="}})->Takes(View("running", "a")));
  EXPECT_FALSE(Filter({{"labels", "gpu=no"}})->Takes(View("running", "a")));
  EXPECT_FALSE(Filter({{"labels", "gpu"}}));
}

TEST(ListFilter, RefusesWhatNothingHasAndSaysWhatWasMeant) {
  const auto filter = Filter({{"state", "runing"}});
  ASSERT_FALSE(filter);
  EXPECT_EQ(filter.error().message(), "nothing has the state runing");
  EXPECT_EQ(filter.error().hint(), "did you mean running?");
  EXPECT_EQ(Filter({{"state", "xxxxxxxxxxxx"}}).error().hint(), "there are: running, stopped");
}

TEST(ListFilter, IsPartOfTheNameOfItsList) {
  EXPECT_NE(Filter({{"host", "a"}})->Name(), Filter({{"host", "b"}})->Name());
  EXPECT_NE(Filter({{"labels", "a=b"}})->Name(), Filter({{"host", "a"}})->Name());
  EXPECT_EQ(Filter({})->Name(), "");
}

// A store of `size` items, of which each tenth runs.
ReadViews Items(int size, int& reads) {
  return [size, &reads](const std::string& after, int limit) -> a4c::Result<ViewPage> {
    ++reads;
    ViewPage page;
    int at = after.empty() ? 0 : std::stoi(after);
    for (const int end = std::min(size, at + limit); at < end; ++at) {
      page.items.push_back(View(at % 10 == 9 ? "running" : "stopped", std::to_string(at)));
    }
    page.next = at < size ? std::to_string(at) : "";
    return page;
  };
}

TEST(ReadWanted, IsOnePageOfTheStoreWithoutAFilter) {
  int reads = 0;
  const auto page = ReadWanted(*Filter({}), "", 7, Items(100, reads));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->items.size(), 7u);
  EXPECT_EQ(page->next, "7");
  EXPECT_EQ(reads, 1);
}

TEST(ReadWanted, GoesOnUntilThePageIsFullAndLosesNothingBetweenPages) {
  int reads = 0;
  std::string next;
  std::string found;
  do {
    const auto page = ReadWanted(*Filter({{"state", "running"}}), next, 4, Items(100, reads));
    ASSERT_TRUE(page);
    EXPECT_LE(page->items.size(), 4u);
    for (const Json& item : page->items) found += item["host"].Text() + " ";
    next = page->next;
  } while (!next.empty());
  EXPECT_EQ(found, "9 19 29 39 49 59 69 79 89 99 ");
}

TEST(ReadWanted, NeverHasMoreThanWasAsked) {
  int reads = 0;
  std::string next;
  size_t found = 0;
  do {
    const auto page = ReadWanted(*Filter({{"state", "stopped"}}), next, 4, Items(100, reads));
    ASSERT_TRUE(page);
    EXPECT_LE(page->items.size(), 4u);
    found += page->items.size();
    next = page->next;
  } while (!next.empty());
  EXPECT_EQ(found, 90u);
}

TEST(ReadWanted, ReadsNoMoreOnceThePageHasItsBytes) {
  int reads = 0;
  const auto large = [items = Items(100, reads)](const std::string& after, int limit) {
    auto page = items(after, std::min(limit, 2));
    page->bytes = kPageBytesMax / 4;
    return page;
  };
  const auto page = ReadWanted(*Filter({{"state", "stopped"}}), "", 50, large);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->items.size(), 8u);
  EXPECT_EQ(page->next, "8");
  EXPECT_EQ(reads, 4);
}

TEST(ReadWanted, ReadsNoMorePagesThanItsBound) {
  int reads = 0;
  const auto page = ReadWanted(*Filter({{"host", "nobody"}}), "", 10, Items(100'000, reads));
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->items.empty());
  EXPECT_EQ(page->next, std::to_string(10 * kFilteredPagesMax));
  EXPECT_EQ(reads, kFilteredPagesMax);
}

}  // namespace
}  // namespace a4cd
