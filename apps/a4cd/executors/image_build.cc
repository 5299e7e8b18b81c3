// image.build
#include "apps/a4cd/executors/image_build.h"

#include <sodium.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "a4c/host_images.h"
#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/image_upload.h"
#include "apps/a4cd/jobs/built_image.h"
#include "apps/a4cd/jobs/fields.h"
#include "apps/a4cd/work/job_room.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

Result<std::string> Decoded(const std::string& base64) {
  std::string bytes(base64.size() / 4 * 3 + 3, '\0');
  size_t size = 0;
  const int failed =
      sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), base64.data(),
                        base64.size(), " \r\n", &size, nullptr, sodium_base64_VARIANT_ORIGINAL);
  if (failed != 0) {
    return Error(Code::kInvalid, "payload.context is not base64", "tar c . | base64 -w0");
  }
  bytes.resize(size);
  return bytes;
}

PlacementRequest RequestOf(const JobRun& run, int64_t context_bytes) {
  Faults checked_before;
  const int64_t asked = FieldReader(run.job().payload, "/payload", checked_before).Bytes("disk");
  const int64_t least = run.context().reservations.options().build_disk_bytes;
  return {.amounts = {asked > 0 ? asked : least + context_bytes * 2},
          .server = run.job().payload["host"].Text()};
}

// A server to build on, with room reserved and no other job at work on the whole of it; or what
// becomes of the job instead.
Result<std::optional<Outcome>> TakeBuilder(JobRun& run, int64_t context_bytes, std::string& host) {
  WorkContext& context = run.context();
  const PlacementRequest request = RequestOf(run, context_bytes);
  host = request.server;
  // An attempt before may have left its room reserved.
  const std::string& before = run.job().host;
  if (host.empty() && !before.empty()) {
    A4C_TRY(const bool is_reserved,
            context.reservations.Has(context.StoreCall(), before, run.job().id));
    if (is_reserved) host = before;
  }
  if (host.empty()) {
    A4C_TRY(const std::vector<Server> servers, context.disks.Servers(context.StoreCall()));
    const Placement placement = Place(servers, request, context.reservations.options().limits,
                                      context.runtime.random.Next());
    if (placement.server == nullptr) {
      return std::optional(WaitForRoom(run, placement, placement.Summary()));
    }
    host = placement.server->id;
  }
  A4C_TRY(const bool is_free, run.TakeServer(host));
  if (!is_free) {
    return std::optional(
        WaitFor(run, reason::kServerBusy, "another job is at work on the server " + host));
  }
  PlacementRequest here = request;
  here.server = host;
  return ReserveForJob(run, here, [](Draft& draft, const Decision& decision) {
    draft.job.host = decision.server;
    draft.job.placement = decision.figures;
    draft.job.placement.Set("server", decision.server);
  });
}

a4c::ImageBuild BuildOf(const JobRun& run, const std::string& host) {
  const Json& payload = run.job().payload;
  Faults checked_before;
  FieldReader fields(payload, "/payload", checked_before);
  return {.host = host,
          .tag = NameOfBuild(run.tenant(), fields.Text("tag")),
          .memory_bytes = fields.Bytes("memory"),
          .cpu_millis = payload["cpu_millis"].Int(),
          .network = payload["network"].Bool(),
          .build_args = fields.TextMap("build_args", a4c::kBuildArgsMax),
          .target = fields.Text("target"),
          .dockerfile = fields.Text("dockerfile"),
          .no_cache = payload["no_cache"].Bool()};
}

// "Step 3/7 : RUN make"
std::string FirstLine(std::string_view text) {
  constexpr size_t kShownMax = 100;
  return std::string(text.substr(0, std::min(text.find('\n'), WholeCharacters(text, kShownMax))));
}

// Of an unknown outcome the room stays reserved: for the next attempt, or until the server answers.
Outcome OutcomeOfBuild(JobRun& run, const Result<a4c::ImageInfo>& built, const std::string& host) {
  const std::string& tag = run.job().payload["tag"].Text();
  Outcome outcome = built ? Outcome::Succeeded(Json::Object{{"host", host},
                                                            {"tag", tag},
                                                            {"digest", built->digest},
                                                            {"size_bytes", built->size_bytes}})
                          : OutcomeOf(built.error());
  if (!built && built.error().unknown_outcome()) return outcome;
  outcome.also = [&run, host, built, tag](Draft& draft) -> Result<void> {
    draft.job.host = host;
    A4C_TRY(draft.also,
            run.context().reservations.ReleaseOps(run.context().StoreCall(), host, draft.job.id));
    if (!built) return {};
    draft.also.emplace_back(BuiltImagePut(run.tenant(), {.tag = tag,
                                                         .digest = built->digest,
                                                         .host = host,
                                                         .job = draft.job.id,
                                                         .built_at = draft.job.updated_at}));
    return {};
  };
  return outcome;
}

}  // namespace

Result<Outcome> BuildImageFrom(JobRun& run, JobLog& log, const a4c::ByteSource& tar,
                               int64_t context_bytes) {
  auto* images = run.context().hosts.As<a4c::HostImages>();
  if (images == nullptr) {
    return Error(Code::kUnsupported, "the host provider cannot build images");
  }
  std::string host;
  A4C_TRY(const std::optional<Outcome> not_now, TakeBuilder(run, context_bytes, host));
  if (not_now) return *not_now;
  log.Append("building on " + host + "\n");
  run.ShowProgress("building on " + host);
  const Result<a4c::ImageInfo> built =
      images->Build(run.HostCall(), BuildOf(run, host), tar, [&](std::string_view text) {
        log.Append(text);
        if (text.starts_with("Step ")) run.ShowProgress(FirstLine(text));
      });
  if (!built) log.Note(built.error().ToString() + "\n");
  return OutcomeOfBuild(run, built, host);
}

Result<Outcome> BuildImage(JobRun& run, JobLog& log) {
  if (AwaitsContext(run.job())) {
    return Outcome::Failed(reason::kContextLost,
                           "its context did not come, or went with the instance that had it: send "
                           "it again");
  }
  A4C_TRY(const std::string tar, Decoded(run.job().payload["context"].Text()));
  size_t at = 0;
  const a4c::ByteSource source = [&]() -> Result<std::string> {
    std::string piece = tar.substr(at, kContextPieceBytes);
    at += piece.size();
    return piece;
  };
  return BuildImageFrom(run, log, source, static_cast<int64_t>(tar.size()));
}

}  // namespace a4cd
