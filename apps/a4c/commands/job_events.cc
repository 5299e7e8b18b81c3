#include "apps/a4c/commands/job_events.h"

#include <functional>
#include <utility>

#include "apps/a4c/event_reader.h"

namespace a4c_cli {
namespace {

using a4c::Json;
using a4c::Result;

// Who is told.
class Listener {
 public:
  virtual ~Listener() = default;
  // What is now: all that changes from now on comes. Again after each break.
  virtual Result<Reply> Look() = 0;
  virtual void Take(const Json& job) = 0;
  // Changes may have been missed.
  virtual Result<Reply> Resync() = 0;
  virtual bool IsDone() const = 0;
};

class JobEvents {
 public:
  JobEvents(Session& session, Listener& listener)
      : session_(session), listener_(listener), breaks_(session) {}

  // False: exit_code is set.
  bool Run() {
    while (true) {
      const Result<Reply> ended = Once();
      if (listener_.IsDone() || !IsRead()) return true;
      if (!breaks_.GoOn(ended)) return false;
    }
  }

 private:
  // One connection, to its end: why it ended.
  Result<Reply> Once() {
    A4C_TRY(const std::unique_ptr<Client> client, session_.Open());
    Ask ask{.path = "/v1/events"};
    if (!position_.empty()) ask.headers.emplace_back("Last-Event-ID", position_);
    Result<Reply> looked = Reply{.status = 200, .headers = {}, .text = {}, .body = {}};
    bool is_open = false;
    EventReader reader;
    Result<Reply> ended = client->Stream(ask, [&](std::string_view bytes) {
      if (!std::exchange(is_open, true)) {
        looked = listener_.Look();
        if (IsGood(looked)) breaks_.Answered();
      }
      for (const Event& event : reader.Feed(bytes)) {
        if (IsGood(looked)) looked = Take(event);
      }
      return IsGood(looked) && !listener_.IsDone() && IsRead();
    });
    return IsGood(looked) ? ended : looked;
  }

  static bool IsGood(const Result<Reply>& reply) { return reply && reply->ok(); }

  Result<Reply> Take(const Event& event) {
    if (!event.id.empty()) position_ = event.id;
    if (event.name == "resync") return listener_.Resync();
    if (event.name == "job") {
      const Result<Json> job = a4c::ParseJson(event.data);
      if (job) listener_.Take(*job);
    }
    return Reply{.status = 200, .headers = {}, .text = {}, .body = {}};
  }

  Session& session_;
  Listener& listener_;
  Breaks breaks_;
  std::string position_;
};

// Of `job watch`: a line for each.
class Watcher final : public Listener {
 public:
  Watcher(Session& session, std::string id) : session_(session), id_(std::move(id)) {}

  Result<Reply> Look() override {
    if (id_.empty()) return Reply{.status = 200, .headers = {}, .text = {}, .body = {}};
    A4C_TRY(Reply reply, session_.Try({.path = "/v1/jobs/" + PercentEncode(id_)}));
    if (reply.ok()) Take(reply.body);
    return reply;
  }

  Result<Reply> Resync() override {
    if (id_.empty()) session_.Note("note: changes may have been missed: list again");
    return Look();
  }

  void Take(const Json& job) override {
    const bool is_asked_for = id_.empty() || job["id"].Text() == id_;
    if (done_ || !is_asked_for || (!id_.empty() && job["rev"].Int() <= rev_)) return;
    rev_ = job["rev"].Int();
    session_.ShowText(session_.IsForPeople() ? LineOf(job) : job.ToString() + "\n");
    const std::string& state = job["state"].Text();
    done_ = !id_.empty() && state != "pending" && state != "running";
    if (done_) exit_code_ = ExitCodeOfJob(job);
  }

  bool IsDone() const override { return done_; }
  int exit_code() const { return exit_code_; }

 private:
  static std::string LineOf(const Json& job) {
    const std::string& title = job["title"].Text();
    return job["updated_at"].Text() + "  " + job["id"].Text() + "  " + job["state"].Text() + "  " +
           job["reason"].Text() + "  " + OneLine(title, title.size()) + "\n";
  }

  Session& session_;
  const std::string id_;
  int64_t rev_ = 0;
  bool done_ = false;
  int exit_code_ = kOk;
};

// Of `job list --watch`: rows below those of the list.
class ListWatcher final : public Listener {
 public:
  ListWatcher(Session& session, const List& list) : list_(list), shown_(session, list) {}

  Result<Reply> Look() override {
    A4C_TRY(Reply page, list_.read());
    if (page.ok()) shown_.ShowAll(page.body["items"].Items());
    return page;
  }
  Result<Reply> Resync() override { return Look(); }
  void Take(const Json& job) override { shown_.ShowOne(job); }
  bool IsDone() const override { return false; }

 private:
  const List& list_;
  ShownList shown_;
};

}  // namespace

int WatchJobs(Session& session, const std::string& id) {
  Watcher watcher(session, id);
  return JobEvents(session, watcher).Run() ? watcher.exit_code() : session.exit_code;
}

int WatchJobList(Session& session, const List& list) {
  ListWatcher watcher(session, list);
  return JobEvents(session, watcher).Run() ? kOk : session.exit_code;
}

}  // namespace a4c_cli
