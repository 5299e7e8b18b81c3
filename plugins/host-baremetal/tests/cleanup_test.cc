// HostCleanup over a dockerd that is only pretended: whose images are listed, and which go.
#include <string>

#include "a4c/host_cleanup.h"
#include "docker/docker_connection.h"
#include "images/image_names.h"
#include "tests/engine_fixture.h"

namespace a4c::baremetal {
namespace {

const std::string kOurs = "sha256:" + std::string(64, 'a');
const std::string kTheirs = "sha256:" + std::string(64, 'b');  // built from ours
const std::string kLeft = "sha256:" + std::string(64, 'c');    // by a build that failed

class EngineCleanup : public EngineTest {
 protected:
  EngineCleanup() {
    Json images(Json::Array{});
    images.Append(AddImage(kOurs, {"app:1", "app:latest", OwnTag("test", kOurs)}, 5000));
    images.Append(AddImage(kTheirs, {"theirs:1", OwnTag("other", kTheirs)}, 6000));
    images.Append(AddImage(kLeft, {BuildingTag("test", 7)}, 700));
    Json usage(Json::Object{{"LayersSize", 9000}, {"Images", std::move(images)}});
    engine_.SetAnswer("GET /system/df ", "200 OK", usage.ToString());
    engine_.SetAnswer("GET /info ", "200 OK", R"({"SystemTime":"2026-01-02T00:00:00Z"})");
  }

  // As dockerd tells of it: in the list, and alone. Labels say nothing: they are inherited.
  Json AddImage(const std::string& id, Json::Array tags, int64_t bytes) {
    Json image(Json::Object{{"Id", id}, {"Size", bytes}, {"SharedSize", 200}});
    image.Set("RepoTags", std::move(tags));
    image.Set("Labels", Json::Object{{"a4c.image_of", "test"}});
    Json alone = image;
    alone.Set("Metadata", Json::Object{{"LastTagTime", "2026-01-01T00:00:00Z"}});
    engine_.SetAnswer("GET /images/" + PercentEncode(id) + "/json ", "200 OK", alone.ToString());
    return image;
  }
  void SetTakesAway(const std::string& name, bool takes) {
    engine_.SetAnswer("DELETE /images/" + PercentEncode(name) + " ",
                      takes ? "200 OK" : "409 Conflict",
                      takes ? "[]" : R"({"message":"a container is using it"})");
  }
  HostCleanup& cleanup() { return *provider_->As<HostCleanup>(); }
  size_t Heard(const std::string& text) const { return engine_.Heard().find(text); }
  bool HasTakenAnything() const { return Heard("DELETE ") != std::string::npos; }
};

TEST_F(EngineCleanup, OnlyWhatHasATagOfThisClusterIsListed) {
  const auto use = cleanup().Survey(Soon(), "one");
  ASSERT_TRUE(use) << use.error().ToString();
  ASSERT_EQ(use->items.size(), 2u);
  EXPECT_EQ(use->items[0].id, kOurs);
  EXPECT_EQ(use->items[0].names, (std::vector<std::string>{"app:1", "app:latest"}));
  EXPECT_EQ(use->items[0].bytes, 4800) << "without what it shares";
  EXPECT_EQ(use->items[0].age_ms, 24 * 3'600'000);
  EXPECT_EQ(use->items[1].id, kLeft);
  EXPECT_TRUE(use->items[1].names.empty());
  EXPECT_EQ(use->images_bytes, 9000);
  EXPECT_EQ(use->cache_bytes, 500);
}

TEST_F(EngineCleanup, AnImageOfOthersIsRefused) {
  SetTakesAway("theirs:1", true);
  const auto discarded = cleanup().DiscardImage(Soon(), "one", kTheirs);
  ASSERT_FALSE(discarded);
  EXPECT_EQ(discarded.error().code(), Code::kConflict) << discarded.error().ToString();
  EXPECT_FALSE(HasTakenAnything());
}

TEST_F(EngineCleanup, AnImageInUseIsRefusedWithItsNamesUntouched) {
  engine_.SetAnswer("GET /containers/json?all=1 ", "200 OK",
                    Json(Json::Array{Json::Object{{"ImageID", kOurs}}}).ToString());
  const auto use = cleanup().Survey(Soon(), "one");
  ASSERT_TRUE(use) << use.error().ToString();
  EXPECT_TRUE(use->items.at(0).in_use) << "by a container that is not ours, too";
  const auto discarded = cleanup().DiscardImage(Soon(), "one", kOurs);
  ASSERT_FALSE(discarded);
  EXPECT_EQ(discarded.error().code(), Code::kConflict) << discarded.error().ToString();
  EXPECT_FALSE(HasTakenAnything());
}

TEST_F(EngineCleanup, AnImageGoesByItsNamesTheOneThatMakesItOursLast) {
  const std::string own = OwnTag("test", kOurs);
  for (const std::string& name : {std::string("app:1"), std::string("app:latest"), own}) {
    SetTakesAway(name, true);
  }
  const auto discarded = cleanup().DiscardImage(Soon(), "one", kOurs);
  ASSERT_TRUE(discarded) << discarded.error().ToString();
  const size_t last = Heard("/images/" + PercentEncode(own) + " ");
  ASSERT_NE(last, std::string::npos);
  EXPECT_LT(Heard("/images/app%3A1 "), last);
  EXPECT_LT(Heard("/images/app%3Alatest "), last);
}

TEST_F(EngineCleanup, OneThatAnotherClusterHasAsWellKeepsItsNames) {
  const std::string own = OwnTag("test", kOurs);
  AddImage(kOurs, {"app:1", own, OwnTag("other", kOurs)}, 5000);
  SetTakesAway(own, true);
  const auto discarded = cleanup().DiscardImage(Soon(), "one", kOurs);
  ASSERT_TRUE(discarded) << discarded.error().ToString();
  EXPECT_NE(Heard("/images/" + PercentEncode(own) + " "), std::string::npos);
  EXPECT_EQ(Heard("/images/app%3A1 "), std::string::npos);
  EXPECT_EQ(Heard("/images/" + PercentEncode(OwnTag("other", kOurs)) + " "), std::string::npos);
}

TEST_F(EngineCleanup, OneThatAContainerUsesMeanwhileGetsItsNamesBack) {
  SetTakesAway("app:1", true);
  SetTakesAway("app:latest", true);
  SetTakesAway(OwnTag("test", kOurs), false);
  engine_.SetAnswer("POST /images/" + PercentEncode(kOurs) + "/tag?", "201 Created", "");
  const auto discarded = cleanup().DiscardImage(Soon(), "one", kOurs);
  ASSERT_FALSE(discarded);
  EXPECT_EQ(discarded.error().code(), Code::kConflict) << discarded.error().ToString();
  EXPECT_NE(Heard("/tag?repo=app&tag=1 "), std::string::npos);
  EXPECT_NE(Heard("/tag?repo=app&tag=latest "), std::string::npos);
}

TEST_F(EngineCleanup, AnImageThatIsNotThereHasGone) {
  EXPECT_TRUE(cleanup().DiscardImage(Soon(), "one", "sha256:" + std::string(64, 'd')));
  const auto odd = cleanup().DiscardImage(Soon(), "one", "app:1");
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().code(), Code::kInvalid) << "a name may be another image by now";
}

}  // namespace
}  // namespace a4c::baremetal
