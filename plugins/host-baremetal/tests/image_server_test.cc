// Images on real servers: a registry with a password, and sends that break off.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "a4c/host_cleanup.h"
#include "images/image_layers.h"
#include "images/image_names.h"
#include "images/image_transfer.h"
#include "tests/server_fixture.h"
#include "tests/support/cutting_proxy.h"
#include "tests/support/tar.h"

namespace a4c::baremetal {
namespace {

using a4c::testing::CuttingProxy;

constexpr const char* kDigest = "sha256:";
constexpr int64_t kSmallBytes = 150'000;  // settings, small files, and the requests about them

class BaremetalImages : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (provider_ == nullptr) return;
    ASSERT_GE(options_.servers.size(), 2u);
    const char* image = std::getenv("A4C_TEST_REGISTRY_IMAGE");
    const char* registries = std::getenv("A4C_TEST_REGISTRIES");
    ASSERT_TRUE(image != nullptr && registries != nullptr) << "see dev/stack";
    reference_ = image;
    std::ifstream in(registries);
    const auto json = ParseJson(std::string(std::istreambuf_iterator<char>(in), {}));
    ASSERT_TRUE(json);
    const Json& first = (*json)["registries"].Items().at(0);
    registry_ = {.address = first["address"].Text(),
                 .username = first["username"].Text(),
                 .password_file = first["password_file"].Text()};
    Use(registry_);
  }
  void TearDown() override {
    ServerTest::TearDown();
    if (provider_ == nullptr) return;
    for (const ServerOptions& server : options_.servers) {
      DiscardImages(server.id);
    }
  }

  void DiscardImages(const std::string& server) {
    const auto use = provider_->As<HostCleanup>()->Survey(Soon(), server);
    ASSERT_TRUE(use) << use.error().ToString();
    for (const HostItem& item : use->items) {
      if (item.kind != HostItem::Kind::kImage) continue;
      EXPECT_TRUE(provider_->As<HostCleanup>()->DiscardImage(Soon(), server, item.id));
    }
  }
  void Use(const RegistryOptions& registry) {
    options_.registries = {registry};
    provider_ = NewBaremetalHostProvider(TestRuntime(), options_);
  }
  Result<ImageInfo> Pull(const std::string& reference) {
    return provider_->As<HostImageSupply>()->Pull(Soon(), unit_.host, reference,
                                                  [&](std::string_view text) { said_ += text; });
  }
  // Of two MiB that no compression makes less of, on the first server alone.
  std::string Built(const std::string& dockerfile = "FROM scratch\nCOPY data /\n") {
    std::string content(2u << 20, '\0');
    for (char& c : content) c = static_cast<char>(TestRuntime().random.Next());
    std::string tag = Word("a4c-test/sent") + ":1";
    const std::string tar =
        TarOf({{"Dockerfile", dockerfile}, {"data", content}, {"note", "a note"}});
    bool is_sent = false;
    const auto built = provider_->As<HostImages>()->Build(
        Soon(), {.host = unit_.host, .tag = tag},
        [&]() -> Result<std::string> { return std::exchange(is_sent, true) ? "" : tar; },
        [](std::string_view) {});
    EXPECT_TRUE(built) << built.error().ToString();
    return tag;
  }
  // From the first server to the second.
  Result<ImageInfo> Send(const BaremetalOptions& options, const std::string& tag) {
    return NewBaremetalHostProvider(TestRuntime(), options)
        ->As<HostImageSupply>()
        ->Send(Soon(), unit_.host, options.servers[1].id, tag,
               [&](std::string_view text) { said_ += text; });
  }
  std::string IdOf(const std::string& tag) {
    const auto found = provider_->As<HostImageSupply>()->Find(Soon(), unit_.host, tag);
    EXPECT_TRUE(found && *found) << tag;
    return found && *found ? (*found)->digest : "";
  }
  std::vector<std::string> Layers(const std::string& tag) {
    const auto image = ParseJson(Ask({.method = "GET", .target = "/images/" + tag + "/json"}));
    return image ? LayersOf(*image) : std::vector<std::string>();
  }
  // How many bytes go to the second server when it is sent there; what is said of it is in said_.
  int64_t BytesOfSend(const std::string& tag) {
    CuttingProxy proxy(TestRuntime().threads, options_.servers[1].address,
                       options_.servers[1].port);
    BaremetalOptions through = options_;
    through.servers[1].address = "127.0.0.1";
    through.servers[1].port = proxy.port();
    said_.clear();
    const auto sent = Send(through, tag);
    EXPECT_TRUE(sent) << sent.error().ToString();
    EXPECT_EQ(sent ? sent->digest : "", IdOf(tag));
    std::printf("  %s: %lld bytes; %s", tag.c_str(), static_cast<long long>(proxy.bytes_sent()),
                said_.c_str());
    return proxy.bytes_sent();
  }
  // By what was said of the last send; -1: it says nothing of them.
  int64_t BytesNotSent() const {
    constexpr std::string_view kBefore = ", and not ";
    const size_t at = said_.find(kBefore);
    return at == std::string::npos ? -1 : std::stoll(said_.substr(at + kBefore.size()));
  }
  // What this says in a unit of that image on the second server.
  std::string OutputThere(const std::string& tag, const std::vector<std::string>& command) {
    unit_.host = options_.servers[1].id;
    unit_.spec.image = tag;
    const auto status = provider_->Ensure(Soon(), unit_);
    EXPECT_TRUE(status) << status.error().ToString();
    return Output(command);
  }

  std::string reference_;
  RegistryOptions registry_;
  std::string said_;
};

TEST_F(BaremetalImages, AUnitRunsInAnImageByDigest) {
  ASSERT_TRUE(Pull(reference_));
  const size_t at = said_.find(kDigest);
  ASSERT_NE(at, std::string::npos) << said_;
  const std::string digest = said_.substr(at, 71);
  DiscardImages(unit_.host);
  unit_.spec.image = reference_.substr(0, reference_.rfind(':')) + "@" + digest;
  const auto status = provider_->Ensure(Soon(), unit_);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->state, UnitState::kRunning);
}

TEST_F(BaremetalImages, AWrongPasswordIsDeniedAndNotShown) {
  const auto file =
      std::filesystem::temp_directory_path() / ("a4c-wrong-" + std::to_string(getpid()));
  std::ofstream(file) << "not-the-password";
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  Use({registry_.address, registry_.username, file});
  unit_.spec.image = reference_;
  const auto status = provider_->Ensure(Soon(), unit_);
  std::filesystem::remove(file);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kDenied) << status.error().ToString();
  EXPECT_EQ(status.error().ToString().find("not-the-password"), std::string::npos);
}

TEST_F(BaremetalImages, WhatAFailedBuildLeavesIsDiscarded) {
  const std::string tar =
      TarOf({{"Dockerfile", "FROM busybox:local\nRUN echo " + Word("x") + " > /x\nRUN false\n"}});
  bool is_sent = false;
  std::string last;
  const auto built = provider_->As<HostImages>()->Build(
      Soon(), {.host = unit_.host, .tag = Word("a4c-test/failed") + ":1"},
      [&]() -> Result<std::string> { return std::exchange(is_sent, true) ? "" : tar; },
      [&](std::string_view text) {
        if (text.starts_with(" ---> ") && text.size() == 19) last = text.substr(6, 12);
      });
  ASSERT_FALSE(built);
  ASSERT_EQ(last.size(), 12u);
  const auto find = [&] {
    const auto found = provider_->As<HostImageSupply>()->Find(Soon(), unit_.host, last);
    EXPECT_TRUE(found) << found.error().ToString();
    return found && found->has_value();
  };
  EXPECT_TRUE(find()) << "it saves the next build its making";
  DiscardImages(unit_.host);
  EXPECT_FALSE(find());
}

// Shells, JSON and queries each have characters of their own.
TEST_F(BaremetalImages, ArgsAndTargetTakeEffectAsTheyAreWritten) {
  const std::string value = R"(a b&c=%41+"'$(x)\;#)"
                            "\n\u00e4";
  const std::string tar = TarOf({{"docker/File",
                                  "FROM scratch AS first\n"
                                  "ARG VALUE=none\nARG DEFAULT=kept\n"
                                  "LABEL value=\"$VALUE\" default=$DEFAULT stage=first\n"
                                  "FROM first AS second\nLABEL stage=second\n"}});
  const auto labels = [&](const std::string& target) {
    const std::string tag = Word("a4c-test/args") + ":1";
    bool is_sent = false;
    const auto built = provider_->As<HostImages>()->Build(
        Soon(),
        {.host = unit_.host,
         .tag = tag,
         .build_args = {{"VALUE", value}},
         .target = target,
         .dockerfile = "docker/File"},
        [&]() -> Result<std::string> { return std::exchange(is_sent, true) ? "" : tar; },
        [](std::string_view) {});
    EXPECT_TRUE(built) << built.error().ToString();
    const auto image = ParseJson(Ask({.method = "GET", .target = "/images/" + tag + "/json"}));
    return image ? (*image)["Config"]["Labels"] : Json();
  };
  const Json first = labels("first");
  EXPECT_EQ(first["value"].Text(), value);
  EXPECT_EQ(first["default"].Text(), "kept");
  EXPECT_EQ(first["stage"].Text(), "first");
  EXPECT_EQ(labels("")["stage"].Text(), "second");
}

TEST_F(BaremetalImages, WhatOthersBuildFromOursIsNeitherListedNorTaken) {
  const std::string theirs = Word("theirs") + ":1";
  const std::string tar =
      TarOf({{"Dockerfile", "FROM " + Built() + "\nLABEL of=" + theirs + "\n"}});
  const std::string said = Ask({.method = "POST",
                                .target = "/build?t=" + theirs,
                                .body = tar,
                                .content_type = "application/x-tar",
                                .effect = true});
  const auto find = [&] {
    const auto found = provider_->As<HostImageSupply>()->Find(Soon(), unit_.host, theirs);
    EXPECT_TRUE(found) << found.error().ToString();
    return found ? *found : std::nullopt;
  };
  ASSERT_TRUE(find()) << said;
  const std::string id = find()->digest;
  const auto use = provider_->As<HostCleanup>()->Survey(Soon(), unit_.host);
  ASSERT_TRUE(use) << use.error().ToString();
  EXPECT_EQ(std::ranges::count(use->items, id, &HostItem::id), 0);
  const auto discarded = provider_->As<HostCleanup>()->DiscardImage(Soon(), unit_.host, id);
  ASSERT_FALSE(discarded);
  EXPECT_EQ(discarded.error().code(), Code::kConflict) << discarded.error().ToString();
  DiscardImages(unit_.host);
  EXPECT_TRUE(find()) << "it went with ours";
  Ask({.method = "DELETE", .target = "/images/" + theirs, .effect = true});
  EXPECT_FALSE(find());
}

TEST_F(BaremetalImages, LayersThatAreThereAreNotSentAgain) {
  const std::string base = Built("FROM busybox:local\nCOPY data /\n");
  const int64_t base_bytes = BytesOfSend(base);
  EXPECT_GT(base_bytes, 2 << 20);
  EXPECT_LT(base_bytes, (2 << 20) + kSmallBytes) << "busybox is there";
  const std::string child = Built("FROM " + base + "\nCOPY note /\nRUN echo more >>/note\n");
  EXPECT_LT(BytesOfSend(child), kSmallBytes);
  EXPECT_GT(BytesNotSent(), 2 << 20) << said_;
  // All of them are there: the large one on top too.
  const std::string same = Built("FROM " + base + "\nLABEL only=settings\n");
  EXPECT_LT(BytesOfSend(same), kSmallBytes);
  EXPECT_EQ(OutputThere(child, {"sh", "-c", "cat /note; wc -c </data"}), "a notemore\n2097152\n");
}

// Its file is in the archive once; further up there is a link to it.
TEST_F(BaremetalImages, ALayerThatIsThereAndNeededAgainFurtherUpIsSent) {
  const std::string base = Built("FROM busybox:local\nCOPY note /\n");
  BytesOfSend(base);
  const std::string child = Built("FROM " + base + "\nRUN rm /note\nCOPY note /\n");
  const std::vector<std::string> layers = Layers(child);
  ASSERT_EQ(layers.size(), 4u);
  ASSERT_EQ(layers[1], layers[3]);
  EXPECT_LT(BytesOfSend(child), kSmallBytes);
  EXPECT_EQ(OutputThere(child, {"cat", "/note"}), "a note");
}

TEST_F(BaremetalImages, IfALayerHasGoneSinceItWasLookedForTheWholeImageIsSent) {
  const std::string tag = Built();
  const std::string own_tag = OwnTag(options_.cluster, IdOf(tag));
  const std::vector<std::string> layers = Layers(tag);
  const auto open = [&](size_t at, std::unique_ptr<SshSession>& session) {
    session = *ConnectSsh(Soon(), Target(at));
    return DockerConnection(*session->OpenSocket(Soon(), options_.servers[at].docker_socket),
                            1 << 20);
  };
  std::unique_ptr<SshSession> sessions[2];
  DockerConnection from = open(0, sessions[0]);
  DockerConnection to = open(1, sessions[1]);
  const auto copied = CopyImage(Soon(), from, to,
                                {.reference = own_tag,
                                 .bytes_max = 8 << 20,
                                 .leave_out = FilesOfLayers(layers, layers.size())});
  ASSERT_TRUE(copied) << copied.error().ToString();
  EXPECT_EQ(copied->left_out, 0);
  EXPECT_GT(copied->sent, 2 << 20);
  const auto there =
      provider_->As<HostImageSupply>()->Find(Soon(), options_.servers[1].id, IdOf(tag));
  ASSERT_TRUE(there) << there.error().ToString();
  EXPECT_TRUE(*there);
}

TEST_F(BaremetalImages, ASendThatBreaksOffLeavesNoNameAndTheSameAgainSettlesIt) {
  const std::string tag = Built();
  CuttingProxy proxy(TestRuntime().threads, options_.servers[1].address, options_.servers[1].port);
  BaremetalOptions through = options_;
  through.servers[1].address = "127.0.0.1";
  through.servers[1].port = proxy.port();
  const std::string target = options_.servers[1].id;
  for (const int64_t bytes : {6'000, 50'000, 500'000, 1'500'000, 2'100'000}) {
    proxy.CutAfter(bytes);
    const auto sent = Send(through, tag);
    proxy.Heal();
    if (!sent) {
      EXPECT_TRUE(sent.error().retryable() || sent.error().unknown_outcome())
          << sent.error().ToString();
    }
    const auto found = provider_->As<HostImageSupply>()->Find(Soon(), target, tag);
    ASSERT_TRUE(found) << found.error().ToString();
    EXPECT_EQ(found->has_value(), bool(sent)) << "cut after " << bytes;
  }
  const auto sent = Send(options_, tag);
  ASSERT_TRUE(sent) << sent.error().ToString();
}

}  // namespace
}  // namespace a4c::baremetal
