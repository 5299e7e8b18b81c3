#include "apps/a4c/commands/job_log.h"

#include <memory>
#include <utility>

#include "apps/a4c/event_reader.h"

namespace a4c_cli {
namespace {

using a4c::Json;
using a4c::Result;

// Where it is, over connections.
struct Place {
  std::string position;
  bool has_ended = false;
};

void Take(const Event& event, const JobLogFollower& follower, Place& place) {
  if (!event.id.empty()) place.position = event.id;
  if (event.name == "end") place.has_ended = true;
  const Result<Json> data = a4c::ParseJson(event.data);
  if (data && event.name.empty()) follower.show((*data)["text"].Text());
}

// One connection, to its end.
Result<Reply> FollowOnce(const JobLogFollower& follower, Place& place) {
  A4C_TRY(const std::unique_ptr<Client> client, follower.session.Open());
  std::vector<std::pair<std::string, std::string>> query = follower.begin;
  query.emplace_back("follow", "true");
  Ask ask{.path = WithQuery("/v1/jobs/" + PercentEncode(follower.job) + "/logs", query),
          .headers = {{"Accept", "text/event-stream"}}};
  if (!place.position.empty()) ask.headers.emplace_back("Last-Event-ID", place.position);
  EventReader reader;
  bool is_open = false;
  return client->Stream(ask, [&](std::string_view bytes) {
    if (!std::exchange(is_open, true)) follower.answered();
    for (const Event& event : reader.Feed(bytes)) Take(event, follower, place);
    return !place.has_ended && follower.goes_on();
  });
}

}  // namespace

bool JobLogFollower::Run() const {
  Place place;
  while (true) {
    const Result<Reply> ended = FollowOnce(*this, place);
    if (place.has_ended) return true;
    if (!goes_on() || !go_on(ended)) return false;
  }
}

}  // namespace a4c_cli
