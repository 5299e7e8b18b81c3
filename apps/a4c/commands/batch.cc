#include "apps/a4c/commands/batch.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "apps/a4c/commands/commands.h"

namespace a4c_cli {
namespace {

using a4c::Json;
using a4c::Result;

struct Totals {
  int64_t created = 0;
  int64_t failed = 0;
};

// The first fault of the line, and what helps.
std::string WhyNot(const Json& problem) {
  std::string why = problem["detail"].Text();
  const Json& faults = problem["errors"];
  if (!faults.Items().empty()) {
    const Json& first = faults.Items().front();
    why = first["pointer"].Text() + " " + first["detail"].Text();
    if (!first["hint"].Text().empty()) why += " (" + first["hint"].Text() + ")";
  }
  return why;
}

void ShowBar(const Totals& totals, bool done) {
  if (isatty(STDERR_FILENO) == 0) return;
  std::fprintf(stderr, "\r%lld created, %lld failed%s", static_cast<long long>(totals.created),
               static_cast<long long>(totals.failed), done ? "\n" : " ...");
}

bool SendChunk(Session& session, const std::string& lines, int64_t first_line, Totals& totals) {
  Reply reply;
  if (!session.Send({"POST", "/v1/jobs:batch", lines, "application/x-ndjson"}, reply)) return false;
  const bool print = session.format() == Format::kNdjson || isatty(STDOUT_FILENO) == 0;
  size_t at = 0;
  while (at < reply.text.size()) {
    const size_t end = std::min(reply.text.find('\n', at), reply.text.size());
    Result<Json> result = a4c::ParseJson(reply.text.substr(at, end - at));
    at = end + 1;
    if (!result) continue;
    Json line = *std::move(result);
    line.Set("line", line["line"].Int() + first_line - 1);
    const bool created = line["status"].Int() == 201;
    ++(created ? totals.created : totals.failed);
    if (print) session.ShowText(line.ToString() + "\n");
    if (!created && !print) {
      session.Note("line " + std::to_string(line["line"].Int()) + ": " + WhyNot(line["problem"]));
    }
  }
  return true;
}

// Takes a text/event-stream apart.
class EventReader {
 public:
  struct Event {
    std::string id;
    std::string name;
    std::string data;
  };
  void Feed(std::string_view bytes, std::vector<Event>& events) {
    buffer_ += bytes;
    size_t end = 0;
    while ((end = buffer_.find('\n')) != std::string::npos) {
      Line(buffer_.substr(0, end), events);
      buffer_.erase(0, end + 1);
    }
  }

 private:
  void Line(const std::string& line, std::vector<Event>& events) {
    if (line.empty()) {
      if (!event_.data.empty()) events.push_back(event_);
      event_ = {};
    } else if (line.starts_with("id: ")) {
      event_.id = line.substr(4);
    } else if (line.starts_with("event: ")) {
      event_.name = line.substr(7);
    } else if (line.starts_with("data: ")) {
      event_.data += line.substr(6);
    }
  }
  std::string buffer_;
  Event event_;
};

class Watch {
 public:
  Watch(Session& session, std::string id) : session_(session), id_(std::move(id)) {}

  int Run() {
    Client* client = session_.Connect();
    if (client == nullptr) return session_.exit_code;
    while (!done_) {
      if (!id_.empty() && !ShowNow()) return session_.exit_code;
      if (done_) break;
      Ask ask{.path = "/v1/events"};
      if (!last_id_.empty()) ask.headers.emplace_back("Last-Event-ID", last_id_);
      EventReader reader;
      const Result<Reply> reply = client->Stream(ask, [&](std::string_view bytes) {
        std::vector<EventReader::Event> events;
        reader.Feed(bytes, events);
        for (const EventReader::Event& event : events) Take(event);
        return !done_;
      });
      if (reply && !reply->ok()) return session_.Complain(*reply);
      if (!reply && !reply.error().retryable()) return session_.Complain(reply.error());
      if (!done_) session_.Pause(1'000);
    }
    return exit_code_;
  }

 private:
  bool ShowNow() {
    Reply reply;
    if (!session_.Send({.path = "/v1/jobs/" + PercentEncode(id_)}, reply)) return false;
    Print(reply.body);
    return true;
  }

  void Take(const EventReader::Event& event) {
    if (!event.id.empty()) last_id_ = event.id;
    if (event.name == "resync") session_.Note("note: changes may have been missed: list again");
    if (event.name != "job") return;
    const Result<Json> job = a4c::ParseJson(event.data);
    if (job && (id_.empty() || (*job)["id"].Text() == id_)) Print(*job);
  }

  void Print(const Json& job) {
    if (done_ || (!id_.empty() && job["rev"].Int() <= rev_)) return;
    rev_ = job["rev"].Int();
    if (session_.format() == Format::kTable || session_.format() == Format::kWide) {
      session_.ShowText(job["updated_at"].Text() + "  " + job["id"].Text() + "  " +
                        job["state"].Text() + "  " + job["reason"].Text() + "  " +
                        job["title"].Text() + "\n");
    } else {
      session_.ShowText(job.ToString() + "\n");
    }
    const std::string& state = job["state"].Text();
    done_ = !id_.empty() && state != "pending" && state != "running";
    if (done_) exit_code_ = ExitCodeOfJob(job);
  }

  Session& session_;
  const std::string id_;
  std::string last_id_;
  int64_t rev_ = 0;
  bool done_ = false;
  int exit_code_ = kOk;
};

}  // namespace

int SubmitBatch(Session& session, const BatchOptions& options) {
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file, std::ios::binary);
    if (!file) {
      return session.Complain(
          a4c::Error(a4c::Code::kInvalid, "the file " + options.file + " cannot be read"));
    }
  }
  std::istream& input = options.file == "-" ? std::cin : file;
  Totals totals;
  std::string lines;
  std::string line;
  int64_t number = 0;
  int64_t first = 1;
  // A request stays well below the API's bound of a batch.
  constexpr size_t kChunkBytesMax = 8u << 20;
  while (std::getline(input, line)) {
    ++number;
    lines += line + "\n";
    if (number - first + 1 < options.chunk_lines && lines.size() < kChunkBytesMax) continue;
    if (!SendChunk(session, lines, first, totals)) return session.exit_code;
    ShowBar(totals, false);
    lines.clear();
    first = number + 1;
  }
  if (input.bad()) {
    return session.Complain(
        a4c::Error(a4c::Code::kInvalid, "the file " + options.file + " cannot be read"));
  }
  if (!lines.empty() && !SendChunk(session, lines, first, totals)) return session.exit_code;
  ShowBar(totals, true);
  if (isatty(STDERR_FILENO) == 0) {
    session.Note(std::to_string(totals.created) + " created, " + std::to_string(totals.failed) +
                 " failed");
  }
  return totals.failed == 0 ? kOk : kFailed;
}

int WatchJobs(Session& session, const std::string& id) {
  return Watch(session, id).Run();
}

}  // namespace a4c_cli
