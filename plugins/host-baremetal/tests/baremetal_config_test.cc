#include "baremetal_config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "baremetal_keys.h"
#include "ssh/ssh_key.h"

namespace a4c::baremetal {
namespace {

// A key that was made for this test and opens nothing.
constexpr const char* kEd25519 =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
    "QyNTUxOQAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n"
    "-----END OPENSSH PRIVATE KEY-----\n";
// "openssh-key-v1", no cipher, type ssh-rsa.
constexpr const char* kOpenSshRsa =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAFwAAAAdzc2gtcnNhAAAA\n"
    "-----END OPENSSH PRIVATE KEY-----\n";
// "openssh-key-v1", aes256-ctr, bcrypt.
constexpr const char* kEncrypted =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABA=\n"
    "-----END OPENSSH PRIVATE KEY-----\n";
constexpr const char* kFingerprint = "SHA256:hNRIw48NH0oh39cjaCljmsXz5FM/q6L6x+EvnwDJekw";

class BaremetalConfig : public ::testing::Test {
 protected:
  BaremetalConfig()
      : dir_(std::filesystem::temp_directory_path() /
             ("a4c-baremetal-config-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(dir_);
  }
  ~BaremetalConfig() override { std::filesystem::remove_all(dir_); }

  std::string Write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::string path = (dir_ / name).string();
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }
  using Members = std::map<std::string, ConfigValue, std::less<>>;
  Members Server(const std::string& id = "one") {
    Members server;
    server["id"] = ConfigValue::Scalar(id);
    server["address"] = ConfigValue::Scalar("192.0.2.1");
    server["user"] = ConfigValue::Scalar("deploy");
    server["host_key_fingerprint"] = ConfigValue::Scalar(kFingerprint);
    server["private_key_path"] = ConfigValue::Scalar(Write("key", kEd25519));
    return server;
  }
  static Result<BaremetalOptions> Read(const std::vector<Members>& servers, Members others = {}) {
    ConfigValue list;
    list.shape = ConfigValue::Shape::kList;
    for (const Members& server : servers) list.list.push_back(ConfigValue::Map(server));
    others["servers"] = list;
    if (!others.contains("cluster")) others["cluster"] = ConfigValue::Scalar("test");
    auto config = CheckConfig(ConfigValue::Map(others), kBaremetalKeys);
    if (!config) return config.error();
    return ReadBaremetalConfig(*config);
  }
  static void ExpectRefused(const Result<BaremetalOptions>& read, const std::string& word) {
    ASSERT_FALSE(read) << word;
    EXPECT_EQ(read.error().code(), Code::kInvalid);
    EXPECT_NE(read.error().ToString().find(word), std::string::npos) << read.error().ToString();
  }

  std::filesystem::path dir_;
};

TEST_F(BaremetalConfig, ServersAndDefaultsAreRead) {
  const auto options = Read({Server("one"), Server("two")});
  ASSERT_TRUE(options) << options.error().ToString();
  ASSERT_EQ(options->servers.size(), 2u);
  EXPECT_EQ(options->servers[1].id, "two");
  EXPECT_EQ(options->servers[0].port, 22);
  EXPECT_EQ(options->servers[0].docker_socket, "/var/run/docker.sock");
  EXPECT_EQ(options->unit.network, "none");
  EXPECT_EQ(options->unit.memory_bytes, 512 << 20);
}

TEST_F(BaremetalConfig, ServersOfTheFileAreAdded) {
  const std::string key = Write("key", kEd25519);
  const std::string file =
      Write("servers.json", R"({"servers": [{"id": "filed", "address": "192.0.2.9", "port": 2222,
      "user": "deploy", "host_key_fingerprint": ")" +
                                std::string(kFingerprint) + R"(", "private_key_path": ")" + key +
                                R"("}]})");
  const auto options = Read({Server()}, {{"servers_file", ConfigValue::Scalar(file)}});
  ASSERT_TRUE(options) << options.error().ToString();
  ASSERT_EQ(options->servers.size(), 2u);
  EXPECT_EQ(options->servers[0].id, "filed");
  EXPECT_EQ(options->servers[0].port, 2222);
}

TEST_F(BaremetalConfig, AFileOfServersWithoutTheirListIsRefused) {
  for (const char* text : {"{}", R"({"server": []})", R"({"servers": {"id": "one"}})", "[]"}) {
    const std::string file = Write("servers.json", text);
    ExpectRefused(Read({}, {{"servers_file", ConfigValue::Scalar(file)}}), "no list \"servers\"");
  }
}

TEST_F(BaremetalConfig, TwoServersOfOneIdAndOddIdsAreRefused) {
  EXPECT_TRUE(Read({})) << "they may be enrolled later";
  ExpectRefused(Read({Server("one"), Server("one")}), "one is there twice");
  ExpectRefused(Read({Server("a b")}), "id has");
}

TEST_F(BaremetalConfig, EveryFaultyServerIsNamedAtOnce) {
  Members fingerprint = Server("one");
  fingerprint["host_key_fingerprint"] = ConfigValue::Scalar("SHA256:short");
  Members key = Server("two");
  key["private_key_path"] = ConfigValue::Scalar("/no/such/key");
  const auto read = Read({fingerprint, key});
  ExpectRefused(read, "SHA256:short");
  ExpectRefused(read, "/no/such/key");
}

TEST_F(BaremetalConfig, AJumpIsAnAddressWithAFingerprintAndTheServersKeyUnlessItHasOne) {
  Members server = Server();
  server["jump"] = ConfigValue::Scalar("ssh://gate@[2001:db8::1]:2222");
  ExpectRefused(Read({server}), "jump_fingerprint");
  server["jump_fingerprint"] = ConfigValue::Scalar(kFingerprint);
  const auto read = Read({server});
  ASSERT_TRUE(read) << read.error().ToString();
  const SshTarget& jump = *read->servers.at(0).jump;
  EXPECT_EQ(jump.address, "2001:db8::1");
  EXPECT_EQ(jump.port, 2222);
  EXPECT_EQ(jump.user, "gate");
  EXPECT_EQ(jump.private_key_path, read->servers.at(0).private_key_path);
  server["jump"] = ConfigValue::Scalar("gate:22");
  ExpectRefused(Read({server}), "jump: is no ssh://user@address");
  server["jump"] = ConfigValue::Scalar("ssh://gate@way");
  server["jump_key_path"] = ConfigValue::Scalar("/no/such/key");
  ExpectRefused(Read({server}), "/no/such/key");
}

TEST_F(BaremetalConfig, AnAgentTakesThePlaceOfAKeyAlsoOnTheWay) {
  Members server = Server();
  server["agent"] = ConfigValue::Scalar("/run/a4cd/agent");
  ExpectRefused(Read({server}), "exclude each other");
  server.erase("private_key_path");
  server["agent_key"] = ConfigValue::Scalar(kFingerprint);
  server["jump"] = ConfigValue::Scalar("ssh://gate@way");
  server["jump_fingerprint"] = ConfigValue::Scalar(kFingerprint);
  const auto read = Read({server});
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->servers.at(0).agent, "/run/a4cd/agent");
  EXPECT_EQ(read->servers.at(0).jump->agent, "/run/a4cd/agent");
  EXPECT_EQ(read->servers.at(0).jump->agent_key, kFingerprint);
  server["jump_key_path"] = ConfigValue::Scalar(Write("way", kEd25519));
  EXPECT_EQ(Read({server})->servers.at(0).jump->agent, "");
  server["agent_key"] = ConfigValue::Scalar("a4c@here");
  ExpectRefused(Read({server}), "agent_key");
  server["agent"] = ConfigValue::Scalar("agent.sock");
  ExpectRefused(Read({server}), "absolute path");
  server.erase("agent");
  ExpectRefused(Read({server}), "private_key_path is missing");
}

TEST_F(BaremetalConfig, AnRsaKeyIsRefusedWithAHint) {
  for (const char* text : {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", kOpenSshRsa}) {
    Members server = Server();
    server["private_key_path"] = ConfigValue::Scalar(Write("rsa", text));
    ExpectRefused(Read({server}), "RSA");
    ExpectRefused(Read({server}), "ssh-keygen -t ed25519");
  }
}

TEST_F(BaremetalConfig, KeysThatAreEncryptedOpenToOthersOrNoneAreRefused) {
  EXPECT_TRUE(CheckPrivateKey(Write("good", kEd25519)));
  EXPECT_FALSE(CheckPrivateKey(Write("encrypted", kEncrypted)));
  EXPECT_FALSE(CheckPrivateKey(Write("open", kEd25519, 0644)));
  EXPECT_FALSE(CheckPrivateKey(Write("none", "ssh-ed25519 AAAA")));
  EXPECT_FALSE(CheckPrivateKey(dir_.string()));
}

TEST_F(BaremetalConfig, PathsThatAShellWouldReadAreRefused) {
  for (const char* path :
       {"relative", "/a b", "/a;reboot", "/$(reboot)", "/a\nb", "/a'b", "/a\"b"}) {
    Members socket = Server();
    socket["docker_socket"] = ConfigValue::Scalar(path);
    ExpectRefused(Read({socket}), "docker_socket");
    Members disk = Server();
    disk["disk_path"] = ConfigValue::Scalar(path);
    ExpectRefused(Read({disk}), "disk_path");
  }
}

TEST_F(BaremetalConfig, ClusterAndNetworkAreChecked) {
  for (const char* cluster : {"", "has space", "a=b", "-x", "a.b"}) {
    ExpectRefused(Read({Server()}, {{"cluster", ConfigValue::Scalar(cluster)}}), "cluster");
  }
  for (const char* network : {"host", "container:abc"}) {
    ExpectRefused(Read({Server()}, {{"network", ConfigValue::Scalar(network)}}), "network");
  }
}

TEST(Fingerprint, IsWhatSshKeygenShows) {
  // printf '' | sha256sum, in base64.
  const unsigned char digest[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                  0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                  0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
  const std::string shown =
      Fingerprint(std::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
  EXPECT_EQ(shown, "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
  EXPECT_TRUE(CheckFingerprint(shown));
}

TEST(Fingerprint, OtherFormsAreRefused) {
  for (const char* text :
       {"", "SHA256:", "MD5:aa:bb", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSu U"}) {
    EXPECT_FALSE(CheckFingerprint(text)) << text;
  }
}

}  // namespace
}  // namespace a4c::baremetal
