#include "apps/a4cd/api/stream_hub.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <utility>
#include <vector>

#include "a4c/sinks.h"
#include "apps/a4cd/api/tenant_places.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Result;

// Bytes that go at one end and come at the other, without moving the rest for each.
class Outbound {
 public:
  explicit Outbound(std::string bytes) : bytes_(std::move(bytes)) {}

  bool empty() const { return sent_ == bytes_.size(); }
  std::string_view left() const { return std::string_view(bytes_).substr(sent_); }
  void Append(const std::string& bytes) { bytes_ += bytes; }
  void Sent(size_t count) {
    sent_ += count;
    if (sent_ < bytes_.size() / 2) return;
    bytes_.erase(0, std::exchange(sent_, 0));
  }

 private:
  std::string bytes_;
  size_t sent_ = 0;
};

struct Stream {
  Poco::Net::StreamSocket socket;
  Outbound unsent;
  std::unique_ptr<StreamSource> source;
  int64_t moved_ms;  // when something was sent last, or there was something to send again
  int64_t until_ms = INT64_MAX;
  std::unique_ptr<TenantPlaces::Place> place = {};  // of a whole answer
  bool last = false;                                // close when all is sent
  bool has_ended = false;                           // the client's direction
  bool closed = false;                              // remove

  int fd() const { return socket.impl()->sockfd(); }
};

// That an answer counts for at least: its socket has buffers too.
constexpr int64_t kAnswerBytesMin = 64 << 10;

class Hub final : public StreamHub {
 public:
  Hub(const a4c::Runtime& runtime, const StreamHubOptions& options)
      : runtime_(runtime),
        options_(options),
        wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        answers_({"slow_answers_bytes", options.answers_bytes_max, options.answers_bytes_max / 4},
                 [this](int64_t bytes) {
                   runtime_.metrics.Gauge("a4c_http_slow_answers_bytes", {},
                                          static_cast<double>(bytes));
                 }),
        taken_(runtime.threads.NewWaiter()) {
    thread_ = runtime_.threads.Start("streams", [this](const std::stop_token& stop) { Run(stop); });
  }

  ~Hub() override {
    Hub::Close();
    close(wake_fd_);
  }

  void Close() override {
    std::call_once(closed_, [this] {
      thread_->RequestStop();
      Wake();
      thread_->Join();
    });
    std::lock_guard lock(mutex_);
    is_closed_ = true;
    added_.clear();
  }

  void Add(const Poco::Net::StreamSocket& socket, std::string head,
           std::unique_ptr<StreamSource> source) override {
    Add({.socket = socket,
         .unsent = Outbound(std::move(head)),
         .source = std::move(source),
         .moved_ms = runtime_.clock.MonotonicMs()});
  }

  void Finish(const std::string& tenant, const Poco::Net::StreamSocket& socket, std::string rest,
              int64_t until_ms) override {
    std::unique_ptr<TenantPlaces::Place> place;
    if (answers_.Enter(tenant, place, std::max<int64_t>(std::ssize(rest), kAnswerBytesMin))) {
      runtime_.metrics.Count("a4c_http_streams_dropped_total", {});
      return;
    }
    NoteAnswers(1);
    Add({.socket = socket,
         .unsent = Outbound(std::move(rest)),
         .source = nullptr,
         .moved_ms = runtime_.clock.MonotonicMs(),
         .until_ms = until_ms,
         .place = std::move(place),
         .last = true});
  }

  int AwaitAnswers(int64_t deadline_ms) override {
    a4c::Waiter::Lock lock(*taken_);
    while (answers_left_ > 0 && runtime_.clock.MonotonicMs() < deadline_ms) {
      taken_->Wait(deadline_ms);
    }
    return answers_left_;
  }

 private:
  void Add(Stream stream) {
    stream.socket.setBlocking(false);
    std::lock_guard lock(mutex_);
    if (is_closed_) return;
    added_.push_back(std::move(stream));
    Wake();
  }

  void NoteAnswers(int more) {
    a4c::Waiter::Lock lock(*taken_);
    answers_left_ += more;
    if (answers_left_ == 0) taken_->NotifyAll();
  }

  void Wake() const {
    const uint64_t one = 1;
    // Fails only if the counter is at its end, and then the thread is being woken anyway.
    [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
  }

  void Run(const std::stop_token& stop) {
    int64_t ask_at_ms = 0;
    while (!stop.stop_requested()) {
      const bool added = TakeAdded();
      const int64_t now_ms = runtime_.clock.MonotonicMs();
      if (added || now_ms >= ask_at_ms) {
        for (Stream& stream : streams_) Ask(stream, stop);
        ask_at_ms = runtime_.clock.MonotonicMs() + options_.period_ms;
      }
      for (Stream& stream : streams_) Send(stream);
      Remove();
      Wait(streams_.empty() ? -1 : std::max<int64_t>(0, ask_at_ms - runtime_.clock.MonotonicMs()));
    }
    streams_.clear();
  }

  void Remove() {
    int answers = 0;
    std::erase_if(streams_, [&](const Stream& stream) {
      if (stream.closed && stream.place != nullptr) ++answers;
      return stream.closed;
    });
    if (answers > 0) NoteAnswers(-answers);
  }

  bool TakeAdded() {
    std::lock_guard lock(mutex_);
    for (Stream& stream : added_) streams_.push_back(std::move(stream));
    const bool any = !added_.empty();
    added_.clear();
    return any;
  }

  // Ends one that has as much to send as it may, or its last bytes, and does not get on with it.
  void Judge(Stream& stream) const {
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    const bool stalls =
        (IsFull(stream) || stream.last) && now_ms - stream.moved_ms >= options_.stall_ms;
    if (stream.closed || (!stalls && now_ms < stream.until_ms)) return;
    runtime_.metrics.Count("a4c_http_streams_dropped_total", {});
    stream.closed = true;
  }

  bool IsFull(const Stream& stream) const {
    return static_cast<int64_t>(stream.unsent.left().size()) > options_.buffer_bytes_max;
  }

  void Ask(Stream& stream, const std::stop_token& stop) const {
    Judge(stream);
    if (stream.closed || stream.last || IsFull(stream)) return;
    Result<StreamSource::Piece> piece =
        stream.source->Next(Call::Within(runtime_.clock, options_.call_timeout_ms, stop));
    if (!piece) {
      // What it followed is gone, or the store is: the client comes back and is told.
      stream.last = !piece.error().retryable();
      return;
    }
    if (stream.unsent.empty()) stream.moved_ms = runtime_.clock.MonotonicMs();
    stream.unsent.Append(piece->bytes);
    stream.last = piece->last;
  }

  void Send(Stream& stream) const {
    while (!stream.unsent.empty() && !stream.closed) {
      const std::string_view left = stream.unsent.left();
      const ssize_t sent = send(stream.fd(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        stream.unsent.Sent(static_cast<size_t>(sent));
        stream.moved_ms = runtime_.clock.MonotonicMs();
      } else if (errno != EINTR) {
        stream.closed = errno != EAGAIN && errno != EWOULDBLOCK;
        return;
      }
    }
    if (stream.unsent.empty() && stream.last) stream.closed = true;
  }

  // Until something can be sent, a client has gone, a stream was added, or the time is over.
  void Wait(int64_t timeout_ms) {
    std::vector<pollfd> fds = {{wake_fd_, POLLIN, 0}};
    for (const Stream& stream : streams_) {
      fds.push_back({stream.fd(), EventsOf(stream), 0});
    }
    if (poll(fds.data(), fds.size(), static_cast<int>(timeout_ms)) <= 0) return;
    uint64_t count = 0;
    if (fds[0].revents != 0) {
      [[maybe_unused]] const ssize_t taken = read(wake_fd_, &count, sizeof(count));
    }
    for (size_t i = 1; i < fds.size(); ++i) {
      if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) NoteInput(streams_[i - 1]);
    }
  }

  static short EventsOf(const Stream& stream) {
    return static_cast<short>((stream.has_ended ? 0 : POLLIN) |
                              (stream.unsent.empty() ? 0 : POLLOUT));
  }

  // A stream's client has nothing to say: what it sends is dropped, its end is seen. Whoever waits
  // for an answer may have ended its own direction.
  static void NoteInput(Stream& stream) {
    std::array<char, 4096> dropped{};
    const ssize_t got = recv(stream.fd(), dropped.data(), dropped.size(), MSG_DONTWAIT);
    stream.has_ended = got == 0 && stream.place != nullptr;
    if (stream.has_ended) return;
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) stream.closed = true;
  }

  const a4c::Runtime runtime_;
  const StreamHubOptions options_;
  const int wake_fd_;
  TenantPlaces answers_;  // the bytes of whole ones
  std::mutex mutex_;
  bool is_closed_ = false;  // guarded by mutex_, as is the next
  std::vector<Stream> added_;
  std::vector<Stream> streams_;  // the thread's own
  std::once_flag closed_;
  const std::unique_ptr<a4c::Waiter> taken_;  // of the answers, of which so many are left
  int answers_left_ = 0;
  std::unique_ptr<a4c::Thread> thread_;
};

}  // namespace

std::unique_ptr<StreamHub> NewStreamHub(const a4c::Runtime& runtime,
                                        const StreamHubOptions& options) {
  return std::make_unique<Hub>(runtime, options);
}

}  // namespace a4cd
