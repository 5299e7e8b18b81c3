#include "gate.h"

#include <sys/stat.h>

#include <charconv>
#include <ctime>
#include <utility>

#include "docker_socket.h"
#include "fences.h"
#include "leftovers.h"
#include "tokens.h"
#include "volumes.h"

namespace a4c::helper {
namespace {

constexpr int64_t kLockTimeoutMs = 60'000;
constexpr int64_t kFencesKeptSeconds = 30 * 24 * 3600;
constexpr int kLookedAtOnceMax = 20;  // each may be a question to dockerd
constexpr const char* kApi = "/v1.41";

Error Invalid(const std::string& what) {
  return Error(Code::kInvalid, what);
}

Result<int64_t> ReadNumber(const std::string& text, const char* name) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 0) return number;
  return Invalid(std::string(name) + " is no number");
}

// What of dockerd's API changes something of one unit.
bool IsDockerEffect(const Request& request) {
  const std::string_view path = request.Path();
  const bool changes = request.method == "POST" || request.method == "DELETE";
  const std::string api(kApi);
  return changes && path.find("/..") == std::string_view::npos &&
         (path.starts_with(api + "/containers/") || path.starts_with(api + "/volumes/"));
}

// Of a request that stops or removes a container; empty: it does not, or it names no whole id.
std::string EndedContainer(const Request& request) {
  constexpr std::string_view kStop = "/stop";
  const std::string start = std::string(kApi) + "/containers/";
  std::string_view path = request.Path();
  if (!path.starts_with(start)) return "";
  path.remove_prefix(start.size());
  const bool stops = request.method == "POST" && path.ends_with(kStop);
  if (stops) path.remove_suffix(kStop.size());
  const bool ends = stops || request.method == "DELETE";
  return ends && IsContainerId(path) ? std::string(path) : "";
}

std::string FiguresJson(const DiskFigures& figures) {
  return "\"total_bytes\":" + std::to_string(figures.total_bytes) +
         ",\"used_bytes\":" + std::to_string(figures.used_bytes) +
         ",\"free_bytes\":" + std::to_string(figures.free_bytes) +
         ",\"inodes_total\":" + std::to_string(figures.inodes_total) +
         ",\"inodes_free\":" + std::to_string(figures.inodes_free);
}

std::string UnitJson(const std::string& unit, const std::string& directory,
                     const Volumes& volumes) {
  const auto text = ReadFile(directory + "/units/" + unit, 512);
  const auto fence = text && *text ? DecodeFence(**text) : Result<Fence>(Fence{});
  std::string json = "{\"name\":" + JsonText(unit) +
                     ",\"epoch\":" + std::to_string(fence ? fence->epoch : 0) +
                     ",\"disk_bytes\":" + std::to_string(volumes.BytesOf(unit));
  if (volumes.IsMounted(unit)) {
    const auto figures = FiguresOf(volumes.MountOf(unit));
    if (figures) json += ",\"volume\":{" + FiguresJson(*figures) + "}";
  }
  return json + "}";
}

Result<Reply> Version() {
  return Reply{200, "{\"version\":\"" A4C_HELPER_VERSION "\",\"protocol\":" +
                        std::to_string(kProtocol) + "}"};
}

Result<Reply> Disk(const Request& request) {
  const std::string path = request.Parameter("path");
  if (!IsPlainPath(path)) return Invalid("path: not an absolute, plain path");
  A4C_TRY(const DiskFigures figures, FiguresOf(path));
  return Reply{200, "{" + FiguresJson(figures) + "}"};
}

// As docker_body.h of the plugin labels them.
constexpr std::string_view kUnitLabel = "\"a4c.unit\":\"";

// Of the containers in an answer of dockerd's.
std::set<std::string> UnitsIn(std::string_view list) {
  std::set<std::string> units;
  for (size_t at; (at = list.find(kUnitLabel)) != std::string_view::npos;) {
    list.remove_prefix(at + kUnitLabel.size());
    const std::string_view unit = list.substr(0, list.find('"'));
    if (IsName(unit)) units.emplace(unit);
  }
  return units;
}

bool IsOld(const std::string& fence) {
  struct stat status {};
  return lstat(fence.c_str(), &status) == 0 &&
         std::time(nullptr) - status.st_mtime >= kFencesKeptSeconds;
}

}  // namespace

struct Gate::Subject {
  std::string unit;
  Fence fence;

  static Result<Subject> Of(const Request& request) {
    Subject subject{request.Field("a4c-unit"), {}};
    if (!IsName(subject.unit)) return Invalid("a4c-unit is no name");
    A4C_TRY(subject.fence.epoch, ReadNumber(request.Field("a4c-epoch"), "a4c-epoch"));
    subject.fence.claim = request.Field("a4c-claim");
    if (subject.fence.claim.empty() || IsName(subject.fence.claim)) return subject;
    return Invalid("a4c-claim is no name");
  }
};

Reply Gate::Handle(const Request& request) const {
  auto reply = Judged(request);
  return reply ? *std::move(reply) : ReplyOf(reply.error());
}

Result<Reply> Gate::Judged(const Request& request) const {
  const std::string_view path = request.Path();
  const bool reads = request.method == "GET";
  if (reads && path == "/a4c/version") return Version();
  if (reads && path == "/a4c/disk") return Disk(request);
  if (reads && path.starts_with(std::string(kApi) + "/")) {
    return AskDocker(settings_.docker, request);
  }
  const std::string cluster = request.Field("a4c-cluster");
  if (!IsName(cluster)) return Invalid("a4c-cluster is no name");
  const std::string directory = settings_.data + "/" + cluster;
  if (reads && path == "/a4c/units") return Units(cluster);
  A4C_CHECK(MakeDirectories(directory + "/units", 0711));
  if (request.method == "POST" && path == "/a4c/token") return ChangeToken(request, directory);
  return Effect(request, directory);
}

Result<Reply> Gate::Effect(const Request& request, const std::string& directory) const {
  A4C_CHECK(Tokens(directory + "/token").Allow(request.Field("a4c-token")));
  A4C_TRY(const Subject subject, Subject::Of(request));
  A4C_TRY(const UnitLock lock, UnitLock::Take(directory + "/units", subject.unit, kLockTimeoutMs));
  // On disk before the effect, and nobody else acts until the effect has its answer.
  A4C_CHECK(lock.Raise(subject.fence));
  return Act(request, subject, directory);
}

Result<Reply> Gate::Act(const Request& request, const Subject& subject,
                        const std::string& directory) const {
  const std::string what = request.method + " " + std::string(request.Path());
  if (what == "POST /a4c/fence") return Reply{200, "{}"};
  if (what == "POST /a4c/volume") return EnsureVolume(request, subject.unit, directory);
  if (what == "DELETE /a4c/volume") return RemoveVolume(subject.unit, directory);
  if (!IsDockerEffect(request)) {
    return Error(Code::kNotFound, "a4c-host does not do " + what);
  }
  const std::string ended = EndedContainer(request);
  if (ended.empty()) return AskDocker(settings_.docker, request);
  A4C_CHECK(EndUnknown(subject.unit, ended));
  A4C_TRY(Reply reply, AskDocker(settings_.docker, request));
  const bool has_ended = reply.status == 204 || reply.status == 304 || reply.status == 404;
  if (!has_ended) return reply;
  A4C_CHECK(EndProcessesOf(ended, settings_.proc));
  if (request.method == "DELETE") EndShimOf(ended, settings_.proc);
  return reply;
}

// Before a removal: afterwards nobody would know which processes they are. What dockerd knows to
// run it ends itself.
Result<void> Gate::EndUnknown(const std::string& unit, const std::string& id) const {
  A4C_TRY(const auto container, Inspect(unit));
  const bool is_it = container && container->find("\"Id\":" + JsonText(id)) != std::string::npos;
  if (!is_it || container->find("\"Running\":false") == std::string::npos) return {};
  return EndProcessesOf(id, settings_.proc);
}

Result<std::optional<std::string>> Gate::Inspect(const std::string& unit) const {
  A4C_TRY(Reply reply, AskDocker(settings_.docker,
                                 {.method = "GET",
                                  .target = std::string(kApi) + "/containers/" + unit + "/json"}));
  if (reply.status != 200 && reply.status != 404) {
    return Error(Code::kUnavailable, "dockerd does not say whether there is a container " + unit);
  }
  // dockerd also finds a container by the beginning of its id.
  const bool found =
      reply.status == 200 && reply.body.find("\"Name\":\"/" + unit + "\"") != std::string::npos;
  return found ? std::optional(std::move(reply.body)) : std::nullopt;
}

Result<Reply> Gate::EnsureVolume(const Request& request, const std::string& unit,
                                 const std::string& directory) const {
  A4C_TRY(const int64_t bytes, ReadNumber(request.Parameter("bytes"), "bytes"));
  const auto is_running = [&]() -> Result<bool> {
    A4C_TRY(const auto container, Inspect(unit));
    return container && container->find("\"Running\":true") != std::string::npos;
  };
  const Volumes volumes(directory);
  const bool has_one = request.Parameter("existing") == "1";
  A4C_TRY(const std::string path, has_one ? volumes.Refresh(unit, bytes, is_running)
                                          : volumes.Ensure(unit, bytes, is_running));
  return Reply{200, "{\"path\":" + JsonText(path) + "}"};
}

Result<Reply> Gate::RemoveVolume(const std::string& unit, const std::string& directory) const {
  A4C_TRY(const auto container, Inspect(unit));
  if (container) return Error(Code::kConflict, "the container of " + unit + " is there");
  A4C_CHECK(Volumes(directory).Remove(unit));
  return Reply{200, "{}"};
}

Result<bool> Gate::IsThere(const std::string& unit, const std::string& directory) const {
  if (Volumes(directory).Exists(unit)) return true;
  A4C_TRY(const auto container, Inspect(unit));
  return container.has_value();
}

// Fences that nobody has raised for long, of units that are gone: whoever held a lower epoch has
// long lost its lease. That of a unit that is there is not looked at again for as long: those
// behind it have their turn.
void Gate::Prune(const std::string& directory) const {
  const std::string units = directory + "/units";
  int looked = 0;
  for (const std::string& unit : NamesIn(units)) {
    if (!IsOld(std::string(units).append("/").append(unit))) continue;
    if (++looked > kLookedAtOnceMax) return;
    const auto lock = UnitLock::Take(units, unit, 0);
    if (!lock) continue;
    const auto is_there = IsThere(unit, directory);
    if (!is_there) return;  // dockerd says nothing of the others either
    *is_there ? lock->Touch() : lock->Forget();
  }
}

Result<std::set<std::string>> Gate::UnitsWithContainers(const std::string& cluster) const {
  std::string target = std::string(kApi) + "/containers/json?all=1&filters=";
  target.append("%7B%22label%22%3A%5B%22a4c.cluster%3D").append(cluster);
  target.append("%22%2C%22a4c.unit%22%5D%7D");
  A4C_TRY(const Reply reply, AskDocker(settings_.docker, {.method = "GET", .target = target}));
  if (reply.status == 200) return UnitsIn(reply.body);
  return Error(Code::kUnavailable, "dockerd does not list its containers");
}

// Fences are kept for long after their units: those of which nothing else is left are not read.
Result<Reply> Gate::Units(const std::string& cluster) const {
  const std::string directory = settings_.data + "/" + cluster;
  Prune(directory);
  A4C_TRY(std::set<std::string> units, UnitsWithContainers(cluster));
  const Volumes volumes(directory);
  for (std::string& unit : volumes.Names()) units.insert(std::move(unit));
  std::string json = "{\"units\":[";
  for (const std::string& unit : units) {
    if (json.back() == '}') json += ',';
    json += UnitJson(unit, directory, volumes);
  }
  return Reply{200, json + "]}"};
}

Result<Reply> Gate::ChangeToken(const Request& request, const std::string& directory) const {
  const Tokens tokens(directory + "/token");
  if (request.target.find("adopt=") != std::string::npos) {
    A4C_CHECK(tokens.Adopt(request.Parameter("adopt")));
  } else {
    A4C_CHECK(tokens.Present(request.Parameter("current"), request.Parameter("next")));
  }
  return Reply{200, "{}"};
}

Result<void> Serve(const Gate& gate, int in, int out) {
  Conversation conversation(in, out);
  while (true) {
    auto request = conversation.Next();
    if (!request) {
      (void)conversation.Answer(ReplyOf(request.error()));
      return request.error();
    }
    if (!*request) return {};
    A4C_CHECK(conversation.Answer(gate.Handle(**request)));
  }
}

}  // namespace a4c::helper
