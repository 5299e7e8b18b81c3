// Which layers are there, by what a pretended dockerd tells of its images, and which files they
// are.
#include "images/image_layers.h"

#include <gtest/gtest.h>

#include "ssh/socket.h"
#include "tests/engine_fixture.h"

namespace a4c::baremetal {
namespace {

std::string Digest(char digit) {
  return "sha256:" + std::string(64, digit);
}
const std::string kA = Digest('a');
const std::string kB = Digest('b');
const std::string kC = Digest('c');

// Of layers a, b and c, in UTC and in other zones, as docker save names them before Docker 25; and
// whether it is one of the lowest two.
const std::pair<const char*, bool> kDirectories[] = {
    {"4bd69c4ca159d87240bfe5ee5b3ff69bf50ef7abd0d3d7860818262ed56cebdb", true},
    {"b81c4acc76de0c4164b47addff0945b4fdc0cad1b6d2614d7abfd371c8523562", true},
    {"9207ad44f2f69d0d8c553696c993abba650cc54f000a37da8546ed19bb7994c8", false},
    {"a4caa4c7ea3a60386c05bc44bb3ba29e50a09ab940842ae6e0d2e07d96a63abc", true},   // +05:30
    {"68592cc62c12d7eaf842ac88b113d3cd87e5b07fef5c80e9245a2b44f2d59e19", true}};  // -05:00

std::string Blob(char digit) {
  return "blobs/sha256/" + std::string(64, digit);
}

class ImageLayers : public EngineTest {
 protected:
  // GET /images/json lists it, and shows these layers of it.
  void Have(const std::string& id, const std::string& tag, int64_t created,
            const std::vector<std::string>& layers) {
    Json image;
    image.Set("Id", id).Set("RepoTags", Json(Json::Array{tag})).Set("Created", created);
    list_.Append(std::move(image));
    Json root;
    root.Set("Layers", Json(Json::Array(layers.begin(), layers.end())));
    Json shown;
    shown.Set("RootFS", std::move(root));
    engine_.SetAnswer("GET /images/" + id + "/json ", "200 OK", shown.ToString());
  }
  Result<size_t> Count(const std::vector<std::string>& layers) {
    engine_.SetAnswer("GET /images/json ", "200 OK", list_.IsNull() ? "[]" : list_.ToString());
    engine_.SetAnswer("GET /info ", "200 OK", info_);
    const Call call = Soon();
    A4C_TRY(auto channel, ConnectLocal(call, engine_.path()));
    DockerConnection docker(std::move(channel), 1 << 20);
    return CountLayersThere(call, docker, layers, "reg:5000/app:2");
  }
  void ExpectCount(const std::vector<std::string>& layers, size_t wanted) {
    const auto count = Count(layers);
    ASSERT_TRUE(count) << count.error().ToString();
    EXPECT_EQ(*count, wanted) << engine_.Heard();
  }
  size_t Heard(const std::string& text) const {
    const std::string heard = engine_.Heard();
    size_t count = 0;
    for (size_t at = 0; (at = heard.find(text, at)) != std::string::npos; ++at) ++count;
    return count;
  }

  Json list_;
  std::string info_ = R"({"Driver":"overlay2","DriverStatus":[["Backing Filesystem","extfs"]]})";
};

TEST_F(ImageLayers, TheLongestCommonBeginningIsThere) {
  Have("short", "other:1", 3, {kA});
  Have("long", "other:2", 2, {kA, kB, kA});
  Have("upper", "other:3", 1, {kB, kC});
  ExpectCount({kA, kB, kC}, 2);
}

TEST_F(ImageLayers, AServerWithoutImagesIsAskedOnce) {
  ExpectCount({kA}, 0);
  EXPECT_EQ(Heard("GET /"), 1u) << engine_.Heard();
}

TEST_F(ImageLayers, WithNothingInCommonTheEngineIsAskedNoMore) {
  Have("other", "other:1", 1, {kB});
  ExpectCount({kA, kB}, 0);
  EXPECT_EQ(Heard("GET /v1.41/info "), 0u);
}

TEST_F(ImageLayers, AnEarlierBuildOfTheSameIsLookedAtFirstThenWhatIsNew) {
  Have("new", "other:1", 9, {kA});
  Have("all", "reg:5000/app:1", 1, {kA, kB});
  ExpectCount({kA, kB}, 2);
  EXPECT_EQ(Heard("/images/new/json "), 0u) << "nothing more can be found";
}

TEST_F(ImageLayers, NoMoreImagesAreLookedAtThanTheBound) {
  for (int i = 0; i < 40; ++i) {
    Have("i" + std::to_string(i), "other:1", i, {i == 8 ? kA : kC});
  }
  Have("untold", "<none>:<none>", 7, {kA});
  ExpectCount({kA, kB}, 1);
  EXPECT_EQ(Heard("/json "), 1u + 32u);
}

TEST_F(ImageLayers, AnImageThatIsGoneWhenItIsLookedAtHasNone) {
  Have("stays", "other:1", 1, {kA});
  Have("goes", "other:2", 2, {kA, kB});
  engine_.SetAnswer("GET /images/goes/json ", "404 Not Found", "{}");
  ExpectCount({kA, kB}, 1);
}

// The containerd image store, as Docker 24 and later say it.
TEST_F(ImageLayers, AnEngineWhoseLoadWantsEveryFileHasNone) {
  info_ =
      R"({"Driver":"overlayfs","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]})";
  Have("same", "other:1", 1, {kA});
  ExpectCount({kA, kB}, 0);
}

TEST_F(ImageLayers, LayersOutOfFormAreNone) {
  const auto layers = [](const std::string& text) {
    return LayersOf(*ParseJson(R"({"RootFS":{"Layers":)" + text + "}}"));
  };
  EXPECT_EQ(layers("[\"" + kA + "\"]"), std::vector{kA});
  for (const char* text : {"null", "{}", "[1]", R"(["sha256:1"])", "[null]"}) {
    EXPECT_TRUE(layers(text).empty()) << text;
  }
  std::string many = "[";
  for (int i = 0; i < 201; ++i) many += (i == 0 ? "\"" : ",\"") + kA + "\"";
  EXPECT_TRUE(layers(many + "]").empty());
}

TEST(FilesOfLayers, OfNoLayersThereIsNothingToLeaveOut) {
  EXPECT_FALSE(FilesOfLayers({kA, kB}, 0));
}

TEST(FilesOfLayers, TheLowestAreFoundByDiffIdAndByDirectory) {
  const auto leaves_out = FilesOfLayers({kA, kB, kC}, 2);
  EXPECT_TRUE(leaves_out(Blob('a')));
  EXPECT_TRUE(leaves_out(Blob('b')));
  EXPECT_FALSE(leaves_out(Blob('c')));
  for (const auto& [directory, is_left_out] : kDirectories) {
    EXPECT_EQ(leaves_out(std::string(directory) + "/layer.tar"), is_left_out) << directory;
    EXPECT_FALSE(leaves_out(std::string(directory) + "/json"));
  }
  EXPECT_FALSE(leaves_out(std::string(64, 'd') + "/layer.tar"));
  EXPECT_FALSE(leaves_out("manifest.json"));
}

TEST(FilesOfLayers, WithAllOfThemThereEveryLayerGoesAndNothingElse) {
  const auto leaves_out = FilesOfLayers({kA, kB}, 2);
  EXPECT_TRUE(leaves_out(Blob('b')));
  EXPECT_TRUE(leaves_out(std::string(64, 'd') + "/layer.tar"));
  for (const std::string& path :
       {Blob('c'), std::string(64, 'd') + "/json", std::string(63, 'd') + "//layer.tar",
        std::string("manifest.json")}) {
    EXPECT_FALSE(leaves_out(path)) << path;
  }
}

// Its file is in the archive once, and what is there again is a link to it (or the same file).
TEST(FilesOfLayers, WhatIsNeededAgainFurtherUpStays) {
  const auto leaves_out = FilesOfLayers({kA, kB, kA, kC}, 2);
  EXPECT_FALSE(leaves_out(Blob('a')));
  EXPECT_FALSE(leaves_out(std::string(kDirectories[0].first) + "/layer.tar"));
  EXPECT_TRUE(leaves_out(Blob('b')));
  EXPECT_TRUE(FilesOfLayers({kA, kB, kA, kC}, 3)(Blob('a')));
}

}  // namespace
}  // namespace a4c::baremetal
