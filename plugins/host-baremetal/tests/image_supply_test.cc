// Images on their way to and between servers whose dockerds are only pretended.
#include <condition_variable>
#include <mutex>
#include <thread>

#include "a4c/host_images.h"
#include "docker/docker_connection.h"
#include "tests/engine_fixture.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kPatienceMs = 10'000;  // no end within it: there would be none
constexpr int64_t kMeanwhileMs = 500;
constexpr const char* kImage = "registry.example:5000/app:1";
constexpr const char* kLookForImage = "GET /images/registry.example%3A5000%2Fapp%3A1/json ";

std::string IdOf(char digit) {
  return "sha256:" + std::string(64, digit);
}

// What is written may wait for something, or not arrive: then the connection has broken.
using OnWrite = std::function<Result<void>(std::string_view bytes)>;

class WatchedChannel final : public ByteChannel {
 public:
  WatchedChannel(std::unique_ptr<ByteChannel> channel, const OnWrite& on_write)
      : channel_(std::move(channel)), on_write_(on_write) {}
  Result<size_t> Read(const Call& call, char* buffer, size_t size) override {
    return channel_->Read(call, buffer, size);
  }
  Result<void> Write(const Call& call, std::string_view bytes) override {
    A4C_CHECK(on_write_(bytes));
    return channel_->Write(call, bytes);
  }
  bool Alive() const override { return channel_->Alive(); }
  Result<std::optional<size_t>> ReadNow(char* buffer, size_t size) override {
    return channel_->ReadNow(buffer, size);
  }
  Result<size_t> WriteNow(std::string_view bytes) override { return channel_->WriteNow(bytes); }
  Result<bool> EndNow() override { return channel_->EndNow(); }
  Result<StreamWait> WaitFor(const Clock& clock, bool reading, bool writing) override {
    return channel_->WaitFor(clock, reading, writing);
  }

 private:
  const std::unique_ptr<ByteChannel> channel_;
  const OnWrite& on_write_;
};

class EngineImages : public EngineTest {
 protected:
  EngineImages() {
    options_.image_send_bytes_max = 1 << 20;
    options_.registries = {{.address = "registry.example:5000"}};
    options_.wrap_channel = [this](const std::string&, std::unique_ptr<ByteChannel> channel) {
      on_open_();
      return std::make_unique<WatchedChannel>(std::move(channel), on_write_);
    };
    provider_ = NewBaremetalHostProvider(TestRuntime(), options_);
  }
  void TearDown() override { provider_.reset(); }  // before what its channels call
  // Its connection breaks, and the engine goes on with it.
  Result<ImageInfo> PullCutShort() {
    on_write_ = [this](std::string_view bytes) -> Result<void> {
      if (bytes.find("/images/create?") == std::string_view::npos) return {};
      engine_.SetAnswer(kLookForImage, "200 OK", R"({"Id":")" + IdOf('b') + R"("})");
      return Error(Code::kUnavailable, "cut");
    };
    return provider_->As<HostImageSupply>()->Pull(Soon(), "one", kImage, [](std::string_view) {});
  }

  OnWrite on_write_ = [](std::string_view) { return Result<void>(); };
  std::function<void()> on_open_ = [] {};
};

// Each needs one of the connections of either server, of which there is one.
TEST_F(EngineImages, ThoseThatAreSentOppositeWaysDoNotWaitForEachOther) {
  FakeEngine other(TestRuntime().threads, engine_.path() + ".two");
  options_.servers.push_back(options_.servers[0]);
  options_.servers[1].id = "two";
  options_.servers[1].address = "unix://" + other.path();
  const auto provider = NewBaremetalHostProvider(TestRuntime(), options_);
  for (const auto& [engine, digit] : {std::pair(&engine_, 'a'), std::pair(&other, 'b')}) {
    const std::string image = R"({"Id":")" + IdOf(digit) + R"(","RepoTags":["app:1"]})";
    engine->SetAnswer("GET /images/app%3A1/json ", "200 OK", image);
    engine->SetAnswer("GET /images/" + PercentEncode(IdOf(digit)) + "/json ", "200 OK", image);
  }
  // Both look whether the image is there before either goes on; then whoever has one connection
  // lets the other one have one too, if it can.
  std::mutex mutex;
  std::condition_variable both;
  int looking = 0;
  int opened = 0;
  const auto meet = [&](std::unique_lock<std::mutex>& lock, int& count, int64_t patience_ms) {
    ++count;
    both.notify_all();
    both.wait_for(lock, std::chrono::milliseconds(patience_ms), [&] { return count >= 2; });
  };
  on_write_ = [&](std::string_view bytes) -> Result<void> {
    std::unique_lock lock(mutex);
    if (bytes.find("/images/sha256") != std::string_view::npos) meet(lock, looking, kPatienceMs);
    return {};
  };
  on_open_ = [&] {
    std::unique_lock lock(mutex);
    if (looking >= 2) meet(lock, opened, kMeanwhileMs);
  };
  const auto send = [&](const std::string& from, const std::string& to) {
    const auto sent = provider->As<HostImageSupply>()->Send(Soon(kPatienceMs), from, to, "app:1",
                                                            [](std::string_view) {});
    ASSERT_FALSE(sent) << "these engines hand out no image";
    EXPECT_EQ(sent.error().code(), Code::kNotFound) << sent.error().ToString();
    EXPECT_NE(sent.error().message().find("sending app:1 from " + from), std::string::npos)
        << sent.error().ToString();
  };
  const std::jthread one([&] { send("one", "two"); });
  const std::jthread two([&] { send("two", "one"); });
}

// Whoever wants it next finds it there, and cannot know who brought it.
TEST_F(EngineImages, OneThatCameThoughItsPullWasCutShortIsOurs) {
  engine_.SetAnswer("GET /images/json ", "200 OK", "[]");
  engine_.SetAnswer("POST /images/" + PercentEncode(IdOf('b')) + "/tag?", "201 Created", "");
  const auto pulled = PullCutShort();
  ASSERT_FALSE(pulled);
  EXPECT_TRUE(pulled.error().unknown_outcome()) << pulled.error().ToString();
  EXPECT_NE(engine_.Heard().find("/tag?repo=a4c-of&tag=test."), std::string::npos)
      << engine_.Heard();
}

TEST_F(EngineImages, OneThatWasThereByAnotherNameIsNotOursThen) {
  engine_.SetAnswer("GET /images/json ", "200 OK", R"([{"Id":")" + IdOf('b') + R"("}])");
  ASSERT_FALSE(PullCutShort());
  EXPECT_EQ(engine_.Heard().find("/tag?"), std::string::npos) << engine_.Heard();
}

}  // namespace
}  // namespace a4c::baremetal
