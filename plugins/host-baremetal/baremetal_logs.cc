// HostLogs and HostLogTimes over dockerd's log of a container. A position is the time of the last
// entry, how many entries of that very time were given, and how much of the one after them:
// "sec.nanos:skip:offset".
#include <charconv>

#include "baremetal_servers.h"
#include "docker/docker_errors.h"
#include "docker/docker_frames.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kPageBytesMax = 1 << 20;
constexpr size_t kNanoDigits = 9;

struct Position {
  std::string time = {};  // "seconds.nanoseconds", as dockerd's `since` takes it
  int64_t skip = 0;
  int64_t offset = 0;

  std::string ToString() const {
    return time.empty() ? "" : time + ":" + std::to_string(skip) + ":" + std::to_string(offset);
  }
};

bool ReadWhole(std::string_view text, int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0;
}

Result<Position> ReadPosition(const std::string& text) {
  Position position;
  if (text.empty()) return position;
  const size_t first = text.find(':');
  const size_t second = text.find(':', first + 1);
  const bool parts = first != std::string::npos && second != std::string::npos;
  position.time = text.substr(0, first);
  if (parts && position.time.find_first_not_of("0123456789.") == std::string::npos &&
      ReadWhole(std::string_view(text).substr(first + 1, second - first - 1), position.skip) &&
      ReadWhole(std::string_view(text).substr(second + 1), position.offset)) {
    return position;
  }
  return Error(Code::kInvalid, "after: not a position in a log");
}

// "2026-11-22T19:00:00.5Z" → "1795374000.500000000"
std::string TimeOf(const std::string& rfc3339) {
  std::string nanos;
  if (const size_t dot = rfc3339.find('.'); dot != std::string::npos) {
    nanos = rfc3339.substr(dot + 1, rfc3339.find_first_not_of("0123456789", dot + 1) - dot - 1);
  }
  nanos.resize(kNanoDigits, '0');
  return std::to_string(MillisecondsOf(rfc3339) / 1000) + "." + nanos;
}

// Gathers a page from the entries that follow a position.
class Page {
 public:
  Page(Position from, int64_t bytes_max)
      : at_(std::move(from)), skip_left_(at_.skip), bytes_max_(static_cast<size_t>(bytes_max)) {}

  // An entry is "time text". False once the page is full.
  bool Add(const std::string& entry) {
    const size_t space = entry.find(' ');
    const std::string time = TimeOf(entry.substr(0, space));
    if (time != at_.time) {
      at_ = {.time = time};
      skip_left_ = 0;
    } else if (skip_left_ > 0) {
      --skip_left_;
      return true;
    }
    const size_t text_at = space == std::string::npos ? entry.size() : space + 1;
    const size_t from = std::min(text_at + static_cast<size_t>(at_.offset), entry.size());
    const size_t size = std::min(entry.size() - from, bytes_max_ - bytes_.size());
    bytes_.append(entry, from, size);
    if (from + size < entry.size()) {
      at_.offset += static_cast<int64_t>(size);
    } else {
      ++at_.skip;
      at_.offset = 0;
    }
    return bytes_.size() < bytes_max_;
  }

  LogPage Done() { return {std::move(bytes_), at_.ToString()}; }

 private:
  Position at_;
  int64_t skip_left_;
  const size_t bytes_max_;
  std::string bytes_;
};

class BaremetalLogs final : public HostLogs {
 public:
  explicit BaremetalLogs(BaremetalServers& servers) : servers_(servers) {}
  Result<LogPage> Read(const Call& call, const std::string& host, const std::string& name,
                       const std::string& after, int64_t bytes_max) override;

 private:
  BaremetalServers& servers_;
};

Result<LogPage> BaremetalLogs::Read(const Call& call, const std::string& host,
                                    const std::string& name, const std::string& after,
                                    int64_t bytes_max) {
  A4C_CHECK(CheckUnitName(name));
  if (bytes_max < 1) return Error(Code::kInvalid, "bytes_max is below 1");
  A4C_TRY(const Position from, ReadPosition(after));
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
  A4C_TRY(DockerLink docker, server->OpenStream(call));
  A4C_TRY(const Container container, servers_.FindOurs(call, *docker, name));
  const std::string since = from.time.empty() ? "" : "&since=" + from.time;
  A4C_TRY(const int status,
          docker->Begin(call, {.method = "GET",
                               .target = "/containers/" + container.id +
                                         "/logs?stdout=1&stderr=1&timestamps=1" + since}));
  if (status != 200) {
    A4C_TRY(const std::string body, docker->ReadAll(call));
    return DockerError(status, body, false);
  }
  Page page(from, std::min(bytes_max, kPageBytesMax));
  FrameReader frames;
  while (true) {
    A4C_TRY(const std::string piece, docker->Read(call));
    if (piece.empty()) return page.Done();
    A4C_TRY(const auto entries, frames.Add(piece));
    for (const DockerFrame& entry : entries) {
      if (!page.Add(entry.bytes)) return page.Done();
    }
  }
}

// A position is a time already: nobody needs to be asked.
class BaremetalLogTimes final : public HostLogTimes {
 public:
  Result<std::string> PositionAt(const Call&, const std::string&, const std::string& name,
                                 int64_t time_ms) override {
    A4C_CHECK(CheckUnitName(name));
    if (time_ms <= 0) return std::string();
    const std::string nanos = std::to_string(1000 + time_ms % 1000).substr(1) + "000000";
    return Position{.time = std::to_string(time_ms / 1000) + "." + nanos}.ToString();
  }
};

}  // namespace

std::unique_ptr<HostLogTimes> NewBaremetalLogTimes() {
  return std::make_unique<BaremetalLogTimes>();
}

std::unique_ptr<HostLogs> NewBaremetalLogs(BaremetalServers& servers) {
  return std::make_unique<BaremetalLogs>(servers);
}

}  // namespace a4c::baremetal
