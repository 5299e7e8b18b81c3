#include "tests/step_cutter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace a4c::baremetal {
namespace {

constexpr std::array<std::string_view, 20> kWords = {
    "a4c",    "build",  "containers", "create", "df",      "disk",   "fence",
    "get",    "images", "info",       "json",   "load",    "start",  "stop",
    "system", "tag",    "units",      "volume", "volumes", "version"};

bool IsRequest(std::string_view bytes) {
  return bytes.starts_with("GET /") || bytes.starts_with("POST /") || bytes.starts_with("DELETE /");
}

// Whether all of an answer has been seen.
class WholeAnswer {
 public:
  bool Add(std::string_view bytes) {
    text_ += bytes;
    const size_t end = text_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    std::string head = text_.substr(0, end);
    std::ranges::transform(head, head.begin(), [](unsigned char c) { return std::tolower(c); });
    if (head.find("transfer-encoding: chunked") != std::string::npos) {
      return text_.ends_with("\r\n0\r\n\r\n");
    }
    constexpr std::string_view kLength = "content-length:";
    const size_t at = head.find(kLength);
    return at == std::string::npos ||
           text_.size() >= end + 4 + std::stoull(head.substr(at + kLength.size()));
  }

 private:
  std::string text_;
};

}  // namespace

std::string StepName(const std::string& server, std::string_view request) {
  const size_t blank = request.find(' ');
  std::string name = server + " " + std::string(request.substr(0, blank)) + " ";
  std::string_view path = request.substr(blank + 1);
  path = path.substr(0, path.find_first_of(" ?"));
  if (path.starts_with("/v1.41/")) path.remove_prefix(6);
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view word = path.substr(0, path.find('/'));
    path.remove_prefix(word.size());
    name += "/";
    name += std::ranges::find(kWords, word) == kWords.end() ? "*" : word;
  }
  return name;
}

// Hands on what passes.
class StepChannel final : public ByteChannel {
 public:
  StepChannel(StepCutter& cutter, std::string server, std::unique_ptr<ByteChannel> inner)
      : cutter_(cutter), server_(std::move(server)), inner_(std::move(inner)) {}

  Result<void> Write(const Call& call, std::string_view bytes) override {
    if (IsRequest(bytes)) {
      step_ = cutter_.Began(StepName(server_, bytes));
      cutter_.Reached(step_, When::kBefore, server_);
    } else {
      cutter_.Reached(step_, When::kSending, server_);
    }
    return inner_->Write(call, bytes);
  }
  Result<size_t> Read(const Call& call, char* buffer, size_t size) override {
    if (cutter_.IsArmed(step_, When::kAfter)) A4C_CHECK(SwallowAnswer(call));
    A4C_TRY(const size_t count, inner_->Read(call, buffer, size));
    cutter_.Reached(step_, When::kAnswering, server_, {buffer, count});
    return count;
  }
  std::string Complaint() override { return inner_->Complaint(); }
  bool Alive() const override { return inner_->Alive(); }
  Result<std::optional<size_t>> ReadNow(char* buffer, size_t size) override {
    return inner_->ReadNow(buffer, size);
  }
  Result<size_t> WriteNow(std::string_view bytes) override { return inner_->WriteNow(bytes); }
  Result<bool> EndNow() override { return inner_->EndNow(); }
  Result<StreamWait> WaitFor(const Clock& clock, bool reading, bool writing) override {
    return inner_->WaitFor(clock, reading, writing);
  }

 private:
  Result<void> SwallowAnswer(const Call& call) {
    WholeAnswer answer;
    std::array<char, 16384> piece;
    while (true) {
      A4C_TRY(const size_t count, inner_->Read(call, piece.data(), piece.size()));
      if (count == 0 || answer.Add({piece.data(), count})) break;
    }
    cutter_.Reached(step_, When::kAfter, server_);
    return {};
  }

  StepCutter& cutter_;
  const std::string server_;
  const std::unique_ptr<ByteChannel> inner_;
  size_t step_ = SIZE_MAX;
};

void StepCutter::Arm(size_t step, When when, Cut cut, std::string text) {
  Disarm();
  const std::lock_guard lock(mutex_);
  step_ = step;
  when_ = when;
  cut_ = std::move(cut);
  text_ = std::move(text);
}

void StepCutter::Disarm() {
  const std::lock_guard lock(mutex_);
  steps_.clear();
  step_ = SIZE_MAX;
  cut_ = nullptr;
  has_cut_ = false;
}

std::vector<std::string> StepCutter::steps() const {
  const std::lock_guard lock(mutex_);
  return steps_;
}

bool StepCutter::has_cut() const {
  const std::lock_guard lock(mutex_);
  return has_cut_;
}

ChannelWrapper StepCutter::Wrapper() {
  return [this](const std::string& server, std::unique_ptr<ByteChannel> channel) {
    return std::make_unique<StepChannel>(*this, server, std::move(channel));
  };
}

size_t StepCutter::Began(const std::string& name) {
  const std::lock_guard lock(mutex_);
  steps_.push_back(name);
  return steps_.size() - 1;
}

bool StepCutter::IsArmed(size_t step, When when) const {
  const std::lock_guard lock(mutex_);
  return cut_ && !has_cut_ && step == step_ && when == when_;
}

bool StepCutter::Reached(size_t step, When when, const std::string& server, std::string_view said) {
  const std::lock_guard lock(mutex_);
  if (!cut_ || has_cut_ || step != step_ || when != when_) return false;
  if (when == When::kAnswering && said.find(text_) == std::string_view::npos) return false;
  has_cut_ = true;
  cut_(server);
  return true;
}

}  // namespace a4c::baremetal
