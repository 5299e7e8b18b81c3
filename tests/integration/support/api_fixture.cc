#include "tests/integration/support/api_fixture.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/StreamCopier.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "apps/a4cd/config/config_file.h"

namespace a4cd {

namespace net = Poco::Net;

namespace {

net::StreamSocket Connect(int port) {
  net::StreamSocket socket(net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port)));
  socket.setReceiveTimeout(Poco::Timespan(30, 0));
  return socket;
}

bool ReadMore(net::StreamSocket& socket, std::string& got) {
  std::array<char, 4096> chunk{};
  const int count = socket.receiveBytes(chunk.data(), static_cast<int>(chunk.size()));
  got.append(chunk.data(), static_cast<size_t>(std::max(count, 0)));
  return count > 0;
}

}  // namespace

Headers Bearer(const std::string& key) {
  return {{"Authorization", "Bearer " + key}};
}

void ApiTest::WriteSecretsKey() {
  secrets_key_file_ = testing::TempDir() + "a4c_api_test_secrets_" + std::to_string(getpid());
  std::ofstream(secrets_key_file_) << "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";
  std::filesystem::permissions(secrets_key_file_, std::filesystem::perms::owner_read);
}

void ApiTest::StartApp(const std::string& yaml) {
  app_.reset();
  if (secrets_key_file_.empty()) WriteSecretsKey();
  key_file_ = testing::TempDir() + "a4c_api_test_key_" + std::to_string(getpid());
  std::filesystem::remove(key_file_);
  const std::string text =
      // Without workers, unless asked for: what is created stays as it was until the test changes
      // it.
      std::string(yaml.find("roles:") == std::string::npos ? "roles: [api, sync, poller]\n" : "") +
      std::string(yaml.find("store:") == std::string::npos ? "store: {plugin: store-memory}\n"
                                                           : "") +
      std::string(yaml.find("search:") == std::string::npos ? "search: {plugin: search-memory}\n"
                                                            : "") +
      std::string(yaml.find("hosts:") == std::string::npos ? "hosts: {plugin: host-memory}\n"
                                                           : "") +
      std::string(yaml.find("secrets:") == std::string::npos
                      ? "secrets: {key_file: '" + secrets_key_file_ + "'}\n"
                      : "") +
      "plugin_directories: ['" + std::string(A4C_PLUGIN_DIRECTORY) + "']\n" + yaml;
  auto root = ParseYaml(text, "test.yaml");
  ASSERT_TRUE(root) << root.error().ToString();
  ASSERT_TRUE(ApplyEnvironment(*root, {{"A4C_API_LISTEN", "127.0.0.1:0"},
                                       {"A4C_API_EVENTS_PERIOD", "20ms"},
                                       {"A4C_API_BOOTSTRAP_KEY_FILE", key_file_}}));
  const auto settings = CheckSettings(*root, "/nowhere", "/nowhere");
  ASSERT_TRUE(settings) << settings.error().ToString();
  auto app = App::Start(*settings, NewRuntime(), *metrics_);
  ASSERT_TRUE(app) << app.error().ToString();
  app_ = *std::move(app);
  port_ = app_->port();
  std::ifstream(key_file_) >> key_;
}

void ApiTest::TearDown() {
  app_.reset();
  std::filesystem::remove(key_file_);
  std::filesystem::remove(secrets_key_file_);
}

Answer ApiTest::Send(const std::string& method, const std::string& path, const std::string& body,
                     const Headers& headers) {
  net::HTTPClientSession session("127.0.0.1", static_cast<Poco::UInt16>(port_));
  session.setTimeout(Poco::Timespan(60, 0));
  net::HTTPRequest request(method, path, net::HTTPMessage::HTTP_1_1);
  request.set("Authorization", "Bearer " + key_);
  for (const auto& [name, value] : headers) request.set(name, value);
  if (method != "GET") request.setContentLength64(static_cast<Poco::Int64>(body.size()));
  Answer answer;
  try {
    session.sendRequest(request) << body << std::flush;
  } catch (const Poco::Exception&) {
    // The server may refuse a body before all of it is sent: its answer is there nevertheless.
    answer.status = -1;
  }
  try {
    net::HTTPResponse response;
    std::istream& input = session.receiveResponse(response);
    Poco::StreamCopier::copyToString(input, answer.text);
    answer.status = response.getStatus();
    for (const auto& [name, value] : response) {
      std::string lower = name;
      std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
      answer.headers[lower] = value;
    }
  } catch (const Poco::Exception& error) {
    answer.text = error.displayText();
  }
  if (auto parsed = a4c::ParseJson(answer.text)) answer.body = *std::move(parsed);
  return answer;
}

std::string ApiTest::Raw(const std::string& bytes, const std::string& until) {
  net::StreamSocket socket = Connect(port_);
  std::string got;
  try {
    socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
    while ((until.empty() || got.find(until) == std::string::npos) && ReadMore(socket, got)) {
    }
  } catch (const Poco::Exception& error) {
    got += "\n[" + error.displayText() + "]";
  }
  return got;
}

std::string ApiTest::RawEnded(const std::string& bytes) {
  net::StreamSocket socket = Connect(port_);
  socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
  socket.shutdownSend();
  std::string got;
  while (ReadMore(socket, got)) {
  }
  return got;
}

std::string ApiTest::Drip(const std::string& bytes) {
  constexpr int kBytesMax = 500;
  net::StreamSocket socket = Connect(port_);
  socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
  std::string got;
  for (int i = 0; i < kBytesMax; ++i) {
    if (!socket.poll(Poco::Timespan(0, 20'000), net::Socket::SELECT_READ)) {
      socket.sendBytes("x", 1);
    } else if (!ReadMore(socket, got)) {
      return got;
    }
  }
  return got + "[no end]";
}

std::string ApiTest::KeyFor(const std::string& tenant, const std::string& scopes) {
  Post("/v1/tenants", R"({"id":")" + tenant + R"("})");
  const Answer made =
      Post("/v1/keys", R"({"name":"k","tenant":")" + tenant + R"(","scopes":[)" + scopes + "]}");
  EXPECT_EQ(made.status, 201) << made.text;
  return made.body["key"].Text();
}

Answer ApiTest::CreateWorkspaceJob(const std::string& name, const Headers& headers) {
  return Post("/v1/jobs",
              R"({"type":"workspace.create","title":"the pier of )" + name +
                  R"(","payload":{"name":")" + name + R"(","command":["sleep","9"]}})",
              headers);
}

}  // namespace a4cd
