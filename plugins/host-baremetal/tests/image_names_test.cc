#include "images/image_names.h"

#include <gtest/gtest.h>

namespace a4c::baremetal {
namespace {

const std::string kId = "sha256:" + std::string(64, 'a');

void ExpectName(const std::string& reference, const std::string& registry, const std::string& name,
                const std::string& version, bool by_digest = false) {
  const ImageName parsed = ParseImageName(reference);
  EXPECT_EQ(parsed.registry, registry) << reference;
  EXPECT_EQ(parsed.name, name) << reference;
  EXPECT_EQ(parsed.version, version) << reference;
  EXPECT_EQ(parsed.by_digest, by_digest) << reference;
}

TEST(ImageNames, AReferenceIsTakenApartAsDockerDoes) {
  ExpectName("app", "docker.io", "app", "latest");
  ExpectName("app:1", "docker.io", "app", "1");
  ExpectName("team/app:1", "docker.io", "team/app", "1");
  ExpectName("reg.example/app:1", "reg.example", "reg.example/app", "1");
  ExpectName("reg:5000/team/app", "reg:5000", "reg:5000/team/app", "latest");
  ExpectName("localhost/app:2", "localhost", "localhost/app", "2");
  ExpectName("reg:5000/app@" + kId, "reg:5000", "reg:5000/app", kId, true);
}

TEST(ImageNames, AnIdIsNoName) {
  EXPECT_TRUE(IsImageId(kId));
  EXPECT_FALSE(IsImageId("sha256:abc"));
  EXPECT_FALSE(IsImageId("app:1"));
}

TEST(ImageNames, OnlyTheTagOfThisClusterMakesAnImageOurs) {
  const std::string own = OwnTag("prod", kId);
  EXPECT_EQ(own, "a4c-of:prod.aaaaaaaaaaaa");
  Json image;
  image.Set("RepoTags", Json::Array{"app:1", own, BuildingTag("prod", 7)});
  image.Set("RepoDigests", Json::Array{"reg/app@" + kId, "<none>@<none>"});
  EXPECT_TRUE(IsOwnTag(own, "prod"));
  EXPECT_FALSE(IsOwnTag(own, "pro"));
  EXPECT_FALSE(IsOwnTag(own, "production"));
  EXPECT_FALSE(IsOwnTag("app:1", "prod"));
  EXPECT_EQ(NamesOf(image), (std::vector<std::string>{"app:1", "reg/app@" + kId}));
}

TEST(ImageNames, OwnTagsAreOfThisClusterMadeOrBeingBuilt) {
  const std::string own = OwnTag("prod", kId);
  const std::string building = BuildingTag("prod", 7);
  Json image;
  image.Set("RepoTags", Json::Array{"app:1", own, building, OwnTag("test", kId)});
  EXPECT_EQ(OwnTagsOf(image, "prod"), (std::vector<std::string>{own, building}));
}

TEST(ImageNames, WhatIsBuiltFromOursIsNotOurs) {
  Json image;
  image.Set("RepoTags", Json::Array{"theirs:1"});
  image.Set("Labels", Json::Object{{"a4c.image_of", "prod"}});
  EXPECT_TRUE(OwnTagsOf(image, "prod").empty());
}

}  // namespace
}  // namespace a4c::baremetal
