#include "apps/a4cd/sessions/session_hub.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <list>
#include <mutex>
#include <utility>

#include "apps/websocket/connection.h"

namespace a4cd {
namespace {

class Hub final : public SessionHub {
 public:
  explicit Hub(const a4c::Runtime& runtime)
      : runtime_(runtime), wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  ~Hub() override {
    End();
    close(wake_fd_);
  }

  void Start(const Poco::Net::StreamSocket& socket, std::string head,
             std::unique_ptr<Session> session) override {
    std::lock_guard lock(mutex_);
    if (ending_) return;  // the socket closes: it was too late
    running_.remove_if([](const Running& one) { return one.done->load(); });
    Running one;
    // A thread's body is copied on its way; a session cannot be.
    auto shared = std::make_shared<std::unique_ptr<Session>>(std::move(session));
    one.thread = runtime_.threads.Start(
        "session", [this, socket, head = std::move(head), shared = std::move(shared),
                    done = one.done](const std::stop_token& stop) {
          Serve(socket, head, *std::move(*shared), stop);
          shared->reset();
          *done = true;
        });
    running_.push_back(std::move(one));  // last: where no thread could be started, nobody joins it
  }

  void End() override {
    std::list<Running> left;
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
      left.swap(running_);
    }
    const uint64_t one = 1;
    // Fails only if the counter is at its end, and then it is readable already.
    [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
    for (Running& session : left) session.thread->RequestStop();
    for (Running& session : left) session.thread->Join();
  }

 private:
  struct Running {
    std::shared_ptr<std::atomic<bool>> done = std::make_shared<std::atomic<bool>>(false);
    std::unique_ptr<a4c::Thread> thread;
  };

  void Serve(Poco::Net::StreamSocket socket, const std::string& head, Session& session,
             const std::stop_token& stop) const {
    socket.setBlocking(false);
    a4c_websocket::Connection connection(socket.impl()->sockfd(), a4c_websocket::Side::kServer, {},
                                         runtime_);
    connection.SendHead(head);
    session.Run({connection, wake_fd_, stop});
    socket.close();
  }

  const a4c::Runtime runtime_;
  const int wake_fd_;
  std::mutex mutex_;
  bool ending_ = false;         // guarded by mutex_, as is the next
  std::list<Running> running_;  // a thread that is done is joined with the next that begins
};

}  // namespace

std::unique_ptr<SessionHub> NewSessionHub(const a4c::Runtime& runtime) {
  return std::make_unique<Hub>(runtime);
}

}  // namespace a4cd
