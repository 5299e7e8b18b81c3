// Builds whose context is streamed to the instance that claims the job: what becomes of the job
// when the context, the builder or that instance goes away.
#include "apps/a4cd/executors/image_upload.h"

#include "tests/integration/support/work_fixture.h"
#include "tests/support/tar.h"

namespace a4cd::testing {
namespace {

using a4c::ByteSource;
using a4c::Code;
using a4c::Error;

// Takes the context piece by piece, and says how many it has taken.
class CountingImages final : public a4c::HostImages {
 public:
  Result<a4c::ImageInfo> Build(const Call&, const a4c::ImageBuild& build, const ByteSource& tar,
                               const a4c::Progress&) override {
    while (true) {
      A4C_TRY(const std::string piece, tar());
      if (piece.empty()) return a4c::ImageInfo{build.tag, "sha256:1", bytes};
      bytes += static_cast<int64_t>(piece.size());
      ++taken;
    }
  }
  Result<std::vector<a4c::ImageInfo>> List(const Call&, const std::string&) override {
    return std::vector<a4c::ImageInfo>();
  }
  int64_t bytes = 0;
  int64_t taken = 0;
};

class ImageUpload : public ::testing::Test {
 protected:
  Job NewJob() {
    return world_.Submit("image.build", Json::Object{{"tag", "app:1"}, {"context_bytes", 4096}});
  }
  Result<void> Upload(const Job& job, const ByteSource& tar) {
    return world_.instance.worker.BuildFromContext(kTenant, job.id, tar);
  }
  // A whole context, after the test has done something.
  ByteSource Context(const std::function<void()>& before = {}) {
    return [this, before, is_sent = false]() mutable -> Result<std::string> {
      if (is_sent) return std::string();
      is_sent = true;
      if (before) before();
      return tar_;
    };
  }
  void ExpectLost(const Job& job) {
    const Job done = world_.GetJob(job.id);
    EXPECT_EQ(done.state, JobState::kFailed);
    EXPECT_EQ(done.reason, reason::kContextLost) << done.message;
    EXPECT_FALSE(world_.Find(ReservationRef("one", job.id))) << "its room stays reserved";
  }

  const std::string tar_ = TarOf({{"Dockerfile", "FROM busybox:local\nRUN true\n"}});
  static WorkerOptions Impatient() {
    WorkerOptions options;
    options.work.builder_wait_ms = 0;
    return options;
  }
  World world_{kOneServer, Impatient()};
};

TEST_F(ImageUpload, IsBuiltByWhoeverReceivesIt) {
  const Job job = NewJob();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kPending) << "others leave it alone";
  ASSERT_TRUE(Upload(job, Context()));
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded) << world_.GetJob(job.id).message;
  const auto again = Upload(job, Context());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kConflict);
}

TEST_F(ImageUpload, ABuildThatANewerVersionHasMadeIsLeftToOne) {
  const Job job = world_.Submit("image.build", Json::Object{{"tag", "app:1"}, {"squash", true}});
  const auto refused = Upload(job, Context());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kUnavailable) << refused.error().ToString();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kPending);
}

TEST_F(ImageUpload, OfALargeContextNoMoreIsHeldThanAPiece) {
  CountingImages images;
  world_.hosts.images = &images;
  const std::string piece(64 << 10, 'x');
  constexpr int64_t kPieces = (200 << 20) / (64 << 10);
  int64_t given = 0;
  const Job job = NewJob();
  ASSERT_TRUE(Upload(job, [&]() -> Result<std::string> {
    EXPECT_EQ(given, images.taken) << "asked for before the last one was taken";
    return given++ < kPieces ? piece : std::string();
  }));
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded) << world_.GetJob(job.id).message;
  EXPECT_EQ(images.bytes, 200 << 20);
}

TEST_F(ImageUpload, AContextThatBreaksOffIsLost) {
  const Job job = NewJob();
  const ByteSource breaks = [&]() -> Result<std::string> {
    return Error(Code::kCanceled, "the client went away");
  };
  ASSERT_TRUE(Upload(job, breaks));
  ExpectLost(job);
}

TEST_F(ImageUpload, AContextThatNobodySendsIsLost) {
  const Job job = NewJob();
  world_.WorkAfter(4 * 60'000);
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kPending);
  world_.WorkAfter(2 * 60'000);
  ExpectLost(job);
}

// As after a kill: its lease runs out while it has the context.
TEST_F(ImageUpload, OfAnInstanceThatIsGoneItIsLost) {
  const Job job = NewJob();
  (void)Upload(job, Context([&] { world_.WorkAfter(10 * 60'000); }));
  const Job done = world_.GetJob(job.id);
  EXPECT_EQ(done.state, JobState::kFailed);
  EXPECT_EQ(done.reason, reason::kContextLost) << done.message;
}

TEST_F(ImageUpload, OfAnInstanceThatStopsItIsLostAtOnce) {
  const Job job = NewJob();
  ASSERT_TRUE(Upload(job, [&]() -> Result<std::string> {
    world_.instance.worker.StopBuilds();
    return Error(Code::kCanceled, "the server stops");
  }));
  ExpectLost(job);
}

TEST_F(ImageUpload, WhoWaitedLongEnoughForABusyServerIsTold) {
  const Job first = NewJob();
  const Job second = NewJob();
  ASSERT_TRUE(Upload(first, Context([&] { ASSERT_TRUE(Upload(second, Context())); })));
  EXPECT_EQ(world_.GetJob(first.id).state, JobState::kSucceeded);
  const Job told = world_.GetJob(second.id);
  EXPECT_EQ(told.state, JobState::kFailed);
  EXPECT_NE(told.message.find("another job is at work on the server"), std::string::npos)
      << told.message;
  EXPECT_EQ(world_.Committed("one"), 0);
}

TEST_F(ImageUpload, ABuildThatFailsHasFailedAndItsContextIsNotLost) {
  const Job job = NewJob();
  bool is_sent = false;
  ASSERT_TRUE(Upload(job, [&]() -> Result<std::string> {
    const std::string failing = TarOf({{"Dockerfile", "FROM busybox:local\nRUN false\n"}});
    return std::exchange(is_sent, true) ? "" : failing;
  }));
  const Job done = world_.GetJob(job.id);
  EXPECT_EQ(done.state, JobState::kFailed);
  EXPECT_EQ(done.reason, reason::kError) << done.message;
  EXPECT_EQ(world_.Committed("one"), 0);
}

}  // namespace
}  // namespace a4cd::testing
