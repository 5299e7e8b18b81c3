// image.build
#include <sodium.h>

#include <string>
#include <string_view>
#include <utility>

#include "a4c/host_extensions.h"
#include "apps/a4cd/work/executors.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

constexpr size_t kPieceBytes = 64 << 10;

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

// The server the user named, or the one whose disk would be the least used with the image.
Result<std::string> ChooseHost(JobRun& run, size_t context_bytes) {
  const std::string& named = run.job().payload["host"].Text();
  if (!named.empty()) return named;
  WorkContext& context = run.context();
  A4C_TRY(const std::vector<Server> servers, context.disks.Servers(context.StoreCall()));
  const PlacementRequest request{
      .amounts = context.reservations.WithDefaults({static_cast<int64_t>(context_bytes) * 2})};
  const Placement placement =
      Place(servers, request, context.reservations.options().limits, context.runtime.random.Next());
  if (placement.server == nullptr) return Error(Code::kExhausted, placement.Summary());
  return placement.server->id;
}

}  // namespace

Result<Outcome> BuildImage(JobRun& run, JobLog& log) {
  auto* images = run.context().hosts.As<a4c::HostImages>();
  if (images == nullptr) {
    return Error(Code::kUnsupported, "the host provider cannot build images");
  }
  A4C_TRY(const std::string tar, Decoded(run.job().payload["context"].Text()));
  A4C_TRY(const std::string host, ChooseHost(run, tar.size()));
  log.Append("building on " + host + "\n");
  size_t at = 0;
  const auto source = [&]() -> Result<std::string> {
    std::string piece = tar.substr(at, kPieceBytes);
    at += piece.size();
    return piece;
  };
  A4C_TRY(const a4c::ImageInfo image,
          images->Build(run.HostCall(), host, run.job().payload["tag"].Text(), source,
                        [&](std::string_view text) { log.Append(text); }));
  Outcome outcome = Outcome::Succeeded(Json::Object{{"host", host},
                                                    {"tag", image.tag},
                                                    {"digest", image.digest},
                                                    {"size_bytes", image.size_bytes}});
  outcome.also = [host](Draft& draft) {
    draft.job.host = host;
    return Result<void>();
  };
  return outcome;
}

}  // namespace a4cd
