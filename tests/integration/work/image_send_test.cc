// A workspace whose server lacks its image gets it from another that has it.
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

const a4c::MemoryHostOptions kTwoServers{.servers = {{.id = "one", .disk_total_bytes = 10 * kGiB},
                                                     {.id = "two", .disk_total_bytes = 10 * kGiB}}};

class ImageSend : public ::testing::Test {
 protected:
  a4c::HostImageSupply& supply() { return *world_.memory_hosts->As<a4c::HostImageSupply>(); }
  bool Has(const std::string& server, const std::string& image) {
    const auto found = supply().Find(world_.Within(), server, image);
    EXPECT_TRUE(found) << found.error().ToString();
    return found && found->has_value();
  }
  // The id of an image that server one has alone, and that no registry gives by this name.
  std::string OnlyOnOne() {
    const auto pulled =
        supply().Pull(world_.Within(), "one", "registry.local/busybox:1", [](std::string_view) {});
    EXPECT_TRUE(pulled) << pulled.error().ToString();
    EXPECT_FALSE(Has("two", pulled->digest));
    return pulled->digest;
  }
  Job CreateOnTwo(const std::string& image) {
    Json payload = CreatePayload("dev-1");
    payload.Set("image", image).Set("host", "two");
    const Job job = world_.Submit("workspace.create", std::move(payload));
    world_.Work();
    return world_.GetJob(job.id);
  }

  World world_{kTwoServers};
};

TEST_F(ImageSend, ItComesFromTheServerThatHasIt) {
  const std::string digest = OnlyOnOne();
  const Job job = CreateOnTwo(digest);
  EXPECT_EQ(job.state, JobState::kSucceeded) << job.message;
  EXPECT_TRUE(Has("two", digest));
  const std::string log = world_.LogOf(job.id);
  EXPECT_NE(log.find("from one to two\nsent "), std::string::npos) << log;
  EXPECT_EQ(world_.Committed("two"), kGiB) << "the room of the image is not given back";
  EXPECT_FALSE(world_.Find(ReservationRef("two", job.id)));
}

TEST_F(ImageSend, WithoutRoomForItNothingIsSentAndItWaits) {
  const std::string digest = OnlyOnOne();
  // All but half a MiB of what placement gives: the image has one.
  const int64_t room = 9 * kGiB - (1 << 19);
  Json payload = CreatePayload("dev-1", room);
  payload.Set("image", digest).Set("host", "two");
  const Job created = world_.Submit("workspace.create", std::move(payload));
  world_.Work();
  const Job job = world_.GetJob(created.id);
  EXPECT_EQ(job.state, JobState::kPending) << job.message;
  EXPECT_NE(job.message.find("no room for the image"), std::string::npos) << job.message;
  EXPECT_FALSE(Has("two", digest));
  EXPECT_EQ(world_.Committed("two"), room);
}

TEST_F(ImageSend, AnImageThatNobodyHasFailsTheJobNamingIt) {
  const Job job = CreateOnTwo("nowhere:1");
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_NE(job.message.find("nowhere:1"), std::string::npos) << job.message;
}

}  // namespace
}  // namespace a4cd::testing
