// Watching: what a list names, and then each of it that changes, until Ctrl-C ends the process.
// What breaks meanwhile is waited out.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "apps/a4c/session.h"

namespace a4c_cli {

// A list of /v1/<noun>s, for once or to be watched.
struct List {
  std::string noun;
  std::vector<Column> columns;
  // What is asked for, as one page.
  std::function<a4c::Result<Reply>()> read;
  // What is said of one besides its row; may be empty.
  std::function<void(const a4c::Json&)> note = {};
};

struct WatchOptions {
  bool is_wanted = false;
  int64_t interval_s = 2;
};
// -w and --interval.
void AddWatch(CLI::App& leaf, WatchOptions& options);

// Breaks of what goes on. The first answer has to come within the bound of a request; from then on
// it is asked again, ever more rarely, until there is one.
class Breaks {
 public:
  explicit Breaks(Session& session);
  // Of a wait that ends then; what began it has been answered.
  Breaks(Session& session, int64_t end_ms);
  // One look at what is waited for; after a break `shown` is what it was. False: exit_code is set.
  bool Look(const std::string& path, a4c::Json& shown);
  void Answered();
  // After an end that may be a break: true, once it is time to ask again. False: it was complained
  // about, and exit_code is set.
  bool GoOn(const a4c::Result<Reply>& ended);

 private:
  Session& session_;
  const int64_t end_ms_;  // nobody waits longer
  int64_t until_ms_;      // by then the first answer has to be there
  int64_t wait_ms_;
  bool is_broken_ = false;
};

// What of a list was shown, and so what of it is news.
class ShownList {
 public:
  ShownList(Session& session, const List& list);

  // Of a list as it is now: the first time all of it, later what has changed.
  void ShowAll(const a4c::Json::Array& items);
  // Of one that may or may not be in the list.
  void ShowOne(const a4c::Json& item);
  void ShowDeleted(const std::string& id);
  // What was in the list that was shown last, and is not in this one.
  std::vector<std::string> Missing(const a4c::Json::Array& items) const;

 private:
  struct Seen {
    a4c::Json item;
    bool is_listed = false;
  };
  // Whether it is news.
  bool Remember(const a4c::Json& item, bool is_listed);
  void Show(const a4c::Json& items);

  Session& session_;
  const List& list_;
  std::map<std::string, Seen> seen_;  // by id
  std::vector<size_t> widths_;        // of the columns
  bool is_begun_ = false;
  size_t seen_max_;  // past it what is in the list no more is forgotten
};

// Shows it once, or watches it; the exit code is set.
void ShowOrWatch(Session& session, const List& list, const WatchOptions& options);

// Whether somebody still reads standard output.
bool IsRead();

// Reads it again and again. What is no longer in it is looked at once: it was deleted, or has
// changed so that it is not asked for. The exit code.
int WatchList(Session& session, const List& list, const WatchOptions& options);

}  // namespace a4c_cli
