#include "apps/a4cd/executors/image_send.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "a4c/host_images.h"
#include "apps/a4cd/work/job_room.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Result;

constexpr int kServersAskedMax = 256;
constexpr int64_t kAskTimeoutMs = 5'000;

struct Holder {
  std::string server;
  a4c::ImageInfo image;
};

// One that does not answer may have it, but cannot give it.
Result<std::optional<Holder>> FindHolder(JobRun& run, a4c::HostImageSupply& supply,
                                         const std::string& image, const std::string& host) {
  A4C_TRY(const std::vector<Server> servers,
          run.context().disks.Servers(run.context().StoreCall()));
  int asked = 0;
  for (const Server& server : servers) {
    if (server.id == host || !server.reachable) continue;
    if (run.Stopping() || ++asked > kServersAskedMax) break;
    a4c::Call call = run.HostCall();
    call.deadline_ms = std::min(call.deadline_ms, call.clock.MonotonicMs() + kAskTimeoutMs);
    const auto found = supply.Find(call, server.id, image);
    if (found && *found) return std::optional(Holder{server.id, **found});
  }
  return std::optional<Holder>();
}

}  // namespace

Result<bool> SendImage(JobRun& run, JobLog& log, const std::string& image,
                       const std::string& host) {
  auto* supply = run.context().hosts.As<a4c::HostImageSupply>();
  if (supply == nullptr) return false;
  A4C_TRY(const std::optional<Holder> holder, FindHolder(run, *supply, image, host));
  if (!holder) return false;
  A4C_TRY(const std::optional<Outcome> not_now,
          ReserveForJob(run, {.amounts = {holder->image.size_bytes}, .server = host},
                        [](Draft&, const Decision&) {}));
  if (not_now) {
    return Error(Code::kExhausted,
                 "no room for the image " + image + " on " + host + ": " + not_now->message);
  }
  const std::string what = "sending the image " + image + " from " + holder->server + " to " + host;
  log.Note(what + "\n");
  run.ShowProgress(what);
  const auto sent = supply->Send(run.HostCall(), holder->server, host, image,
                                 [&](std::string_view text) { log.Note(text); });
  // Of an unknown outcome the room stays reserved, until the job has ended.
  if (!sent && sent.error().unknown_outcome()) return sent.error();
  A4C_TRY(const bool is_ours, ReleaseOfJob(run, host));
  if (!is_ours) return Error(Code::kCanceled, "the job is no longer this worker's");
  if (sent) return true;
  if (sent.error().code() == Code::kNotFound) return false;  // it went away meanwhile
  return sent.error();
}

}  // namespace a4cd
