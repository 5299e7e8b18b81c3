#include "apps/a4c/commands/watch.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <string_view>
#include <utility>

namespace a4c_cli {

using a4c::Json;
using a4c::Result;

namespace {

constexpr int64_t kFirstWaitMs = 500;
constexpr int64_t kWaitMaxMs = 10'000;
constexpr int64_t kRetryAfterMaxMs = 60'000;
constexpr size_t kUnlistedMax = 10'000;

std::string PathOf(const List& list, const std::string& id) {
  return "/v1/" + list.noun + "s/" + PercentEncode(id);
}

// What is gone as a row of the table and as an object.
Json Deleted(Json item, const std::vector<Column>& columns, bool is_for_people) {
  item.Set("deleted", true);
  for (const Column& column : columns) {
    const bool says_it = is_for_people && column.as == Column::As::kState;
    if (says_it) item.Set(column.member, "deleted");
  }
  return item;
}

// One look at the list, shown. No success: what was left is seen by the next.
Result<Reply> Look(Session& session, const List& list, ShownList& shown) {
  A4C_TRY(Reply page, list.read());
  if (!page.ok()) return page;
  const Json::Array& items = page.body["items"].Items();
  const std::vector<std::string> missing = shown.Missing(items);
  shown.ShowAll(items);
  for (const std::string& id : missing) {
    A4C_TRY(Reply one, session.Try({.path = PathOf(list, id)}));
    if (one.status == 404) {
      shown.ShowDeleted(id);
    } else if (one.ok()) {
      shown.ShowOne(one.body);
    } else {
      return one;
    }
  }
  return page;
}

}  // namespace

void AddWatch(CLI::App& leaf, WatchOptions& options) {
  leaf.add_flag("-w,--watch", options.is_wanted, "then print what changes, until Ctrl-C");
  leaf.add_option("--interval", options.interval_s, "seconds between looks of --watch")
      ->check(CLI::Range(int64_t{1}, int64_t{3'600}));
}

Breaks::Breaks(Session& session)
    : session_(session),
      end_ms_(INT64_MAX),
      until_ms_(session.runtime.clock.MonotonicMs() + session.endpoint.timeout_ms),
      wait_ms_(kFirstWaitMs) {}

Breaks::Breaks(Session& session, int64_t end_ms)
    : session_(session), end_ms_(end_ms), until_ms_(INT64_MAX), wait_ms_(kFirstWaitMs) {}

bool Breaks::Look(const std::string& path, Json& shown) {
  Result<Reply> looked = session_.Try({.path = path});
  if (!looked || !looked->ok()) return GoOn(looked);
  Answered();
  shown = std::move(looked->body);
  return true;
}

void Breaks::Answered() {
  if (std::exchange(is_broken_, false)) session_.Note("note: it answers again");
  until_ms_ = INT64_MAX;
  wait_ms_ = kFirstWaitMs;
}

bool Breaks::GoOn(const Result<Reply>& ended) {
  const bool is_end = ended && ended->ok();  // of a stream: it is opened again
  if (!is_end) {
    const bool in_time = session_.runtime.clock.MonotonicMs() < until_ms_;
    if (!in_time || !IsRepeatable(ended)) {
      Reply complained;
      session_.Take(ended, complained);
      return false;
    }
    if (!std::exchange(is_broken_, true)) {
      session_.Note("note: " + WhyText(ended) + "; it is asked again until it answers");
    }
  }
  const auto part = static_cast<int64_t>(session_.runtime.random.Next() % 1'000);
  const int64_t jittered_ms = wait_ms_ / 2 + wait_ms_ * part / 2'000;
  const int64_t pause_ms = std::max(jittered_ms, std::min(RetryAfterMs(ended), kRetryAfterMaxMs));
  session_.Pause(std::min(pause_ms, end_ms_ - session_.runtime.clock.MonotonicMs()));
  wait_ms_ = std::min(2 * wait_ms_, kWaitMaxMs);
  return true;
}

ShownList::ShownList(Session& session, const List& list)
    : session_(session), list_(list), seen_max_(kUnlistedMax) {}

bool ShownList::Remember(const Json& item, bool is_listed) {
  if (seen_.size() >= seen_max_) {
    std::erase_if(seen_, [](const auto& entry) { return !entry.second.is_listed; });
    seen_max_ = seen_.size() + kUnlistedMax;
  }
  const auto [found, is_new] = seen_.try_emplace(item["id"].Text(), Seen{item, is_listed});
  if (is_new) return true;
  Seen& seen = found->second;
  seen.is_listed = is_listed;
  // A replica may tell what was before.
  const bool is_news = item["rev"].Int() > seen.item["rev"].Int();
  if (is_news) seen.item = item;
  return is_news;
}

void ShownList::Show(const Json& items) {
  const Style style{session_.format(), ColorWanted(STDOUT_FILENO), session_.runtime.clock.NowMs()};
  session_.ShowText(RenderMore(items, list_.noun, list_.columns, style, widths_));
  if (!list_.note) return;
  for (const Json& item : items.Items()) list_.note(item);
}

void ShownList::ShowAll(const Json::Array& items) {
  const bool is_first = !std::exchange(is_begun_, true);
  Json news(Json::Array{});
  for (const Json& item : items) {
    if (Remember(item, true)) news.Append(item);
  }
  if (is_first || !news.Items().empty()) Show(news);
}

void ShownList::ShowOne(const Json& item) {
  Json news(Json::Array{});
  if (Remember(item, false)) Show(news.Append(item));
}

void ShownList::ShowDeleted(const std::string& id) {
  const auto found = seen_.find(id);
  if (found == seen_.end()) return;
  Json news(Json::Array{});
  Show(news.Append(Deleted(found->second.item, list_.columns, session_.IsForPeople())));
  seen_.erase(found);
}

std::vector<std::string> ShownList::Missing(const Json::Array& items) const {
  std::set<std::string_view> listed;
  for (const Json& item : items) listed.insert(item["id"].Text());
  std::vector<std::string> missing;
  for (const auto& [id, seen] : seen_) {
    if (seen.is_listed && !listed.contains(id)) missing.push_back(id);
  }
  return missing;
}

void ShowOrWatch(Session& session, const List& list, const WatchOptions& options) {
  if (options.is_wanted) {
    session.exit_code = WatchList(session, list, options);
    return;
  }
  Reply page;
  if (!session.Take(list.read(), page)) return;
  session.NoteStaleness(page.body["stale_ms"].Int());
  session.Show(page.body, list.noun, list.columns);
  if (!list.note) return;
  for (const Json& item : page.body["items"].Items()) list.note(item);
}

bool IsRead() {
  return std::ferror(stdout) == 0;
}

int WatchList(Session& session, const List& list, const WatchOptions& options) {
  Breaks breaks(session);
  ShownList shown(session, list);
  while (IsRead()) {
    const Result<Reply> looked = Look(session, list, shown);
    if (!looked || !looked->ok()) {
      if (!breaks.GoOn(looked)) return session.exit_code;
      continue;
    }
    breaks.Answered();
    session.Pause(options.interval_s * 1'000);
  }
  return kOk;
}

}  // namespace a4c_cli
