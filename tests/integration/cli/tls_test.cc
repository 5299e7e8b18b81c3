// The command line through a gateway with TLS, and a path in front of the API.
#include <Poco/Net/StreamSocket.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <thread>

#include "apps/a4c/exit_code.h"
#include "tests/integration/cli/sessions_fixture.h"
#include "tests/integration/support/tls_front.h"

namespace a4cd {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLoopback = "DNS:localhost,IP:127.0.0.1";

template <typename Fixture>
class TlsOver : public Fixture {
 protected:
  void SetUp() override {
    Fixture::SetUp();
    WriteCa(ca_, "ca.pem");
  }
  void TearDown() override {
    fronts_.clear();
    Fixture::TearDown();
  }

  void WriteCa(const CertificateAuthority& ca, const std::string& name) {
    std::ofstream(this->home_ + "/" + name) << ca.Pem();
  }
  // From here on the command line goes there, and trusts our CA.
  TlsFront& GoThrough(const Identity& identity, const TlsFrontOptions& options = {},
                      const std::string& host = "127.0.0.1") {
    fronts_.push_back(std::make_unique<TlsFront>(identity, this->port_, options));
    this->url_ = "https://" + host + ":" + std::to_string(fronts_.back()->port()) + options.prefix;
    this->ca_file_ = this->home_ + "/ca.pem";
    return *fronts_.back();
  }
  TlsFront& GoThrough(const TlsFrontOptions& options = {}) {
    return GoThrough(ca_.Issue(kLoopback), options);
  }
  // It fails with this code, in one sentence and with a next step, and has said nothing.
  void ExpectRefused(const TlsFront& front, int exit_code, const std::string& sentence,
                     const std::string& step) {
    const Ran ran = this->Run({"workspace", "list"});
    EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(ran.err.starts_with("error: " + sentence)) << ran.err;
    EXPECT_NE(ran.err.find(step, ran.err.find("\nhint: ")), std::string::npos) << ran.err;
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 2) << ran.err;
    EXPECT_EQ(front.bytes_heard(), 0);
    EXPECT_EQ(front.connections(), 1) << "it was tried again";
  }

  const CertificateAuthority ca_;
  std::list<std::unique_ptr<TlsFront>> fronts_;
};
using TlsSessions = TlsOver<CliSessions>;
using TlsOverMemory = TlsOver<CliOverMemory>;

std::string ManyBytes(size_t count) {
  std::string bytes;
  for (int64_t i = 0; bytes.size() < count; ++i) bytes += std::to_string(i * 7919) + "\n";
  return bytes;
}

TEST_F(TlsOverMemory, CreatesListsAndReadsWithAndWithoutAPrefix) {
  for (const std::string prefix : {"", "/of/a4c"}) {
    const TlsFront& front = GoThrough({.prefix = prefix});
    const std::string name = "w" + std::to_string(prefix.size());
    const Ran created = Run({"workspace", "create", name, "--wait", "--", "sleep", "60"});
    EXPECT_EQ(created.exit_code, 0) << created.err;
    EXPECT_EQ(created.err, "");
    EXPECT_NE(Run({"workspace", "list"}).out.find(name), std::string::npos);
    EXPECT_NE(Run({"job", "list", "--all"}).out.find("workspace.create"), std::string::npos);
    EXPECT_EQ(Run({"workspace", "get", "nothing"}).exit_code, a4c_cli::kNotFound);
    const Ran doctor = Run({"doctor"});
    EXPECT_EQ(doctor.exit_code, 0) << doctor.out;
    EXPECT_NE(doctor.out.find("ok    " + url_ + " answers"), std::string::npos) << doctor.out;
    EXPECT_GT(front.bytes_heard(), 0);
  }
  // The path is a part of where it is.
  url_ = url_.substr(0, url_.find("/of/")) + "/elsewhere";
  EXPECT_NE(Run({"workspace", "list"}).exit_code, 0);
}

// Pages, a batch and an image: bodies of some size both ways.
TEST_F(TlsOverMemory, LargeBodiesArriveWhole) {
  for (const std::string prefix : {"", "/a4c"}) {
    GoThrough({.prefix = prefix});
    std::ofstream batch(home_ + "/jobs.ndjson");
    for (int i = 0; i < 300; ++i) {
      batch << R"({"type":"host.cleanup","title":")" << std::string(200, 'x')
            << R"(","payload":{"host":"local-1"}})"
            << "\n";
    }
    batch.close();
    const Ran sent = Run({"job", "batch", "jobs.ndjson", "-o", "ndjson"});
    EXPECT_EQ(sent.exit_code, 0) << sent.err << sent.out.substr(0, 300);
    EXPECT_EQ(std::ranges::count(sent.out, '\n'), 300);
    const std::string listed = Run({"job", "list", "--all", "-o", "name"}).out;
    EXPECT_GE(std::ranges::count(listed, '\n'), 300) << listed;
    fs::create_directories(home_ + "/context");
    std::ofstream(home_ + "/context/Dockerfile") << "FROM busybox:local\nRUN true\n";
    std::ofstream(home_ + "/context/large") << ManyBytes(3'000'000);
    const Ran built = Run({"image", "build", "-t", "app:1", "-o", "table", "context"});
    EXPECT_EQ(built.exit_code, 0) << built.out << built.err;
    EXPECT_NE(built.err.find("RUN true"), std::string::npos) << built.err;
  }
}

TEST_F(TlsOverMemory, JobsAndLogsAreFollowed) {
  for (const std::string prefix : {"", "/a4c"}) {
    GoThrough({.prefix = prefix});
    const std::string name = "w" + std::to_string(prefix.size());
    const std::string watched = home_ + "/.watched";
    const pid_t watch = Start({"job", "watch"}, {"/dev/null", watched, home_ + "/.err2"});
    Make(name, "", R"(["sh","-c","echo one; sleep 0.3; echo two; sleep 600"])");
    // Until the stream is there, changes are made.
    int made = 0;
    EXPECT_TRUE(Eventually([&] {
      if (made++ % 20 == 0) CreateWorkspaceJob(name + "-" + std::to_string(made));
      return ReadAll(watched).find("the pier of " + name + "-") != std::string::npos;
    })) << ReadAll(home_ + "/.err2");
    const std::string out = home_ + "/.log";
    const pid_t logs =
        Start({"workspace", "logs", "-f", name}, {"/dev/null", out, home_ + "/.err3"});
    EXPECT_TRUE(Eventually([&] { return ReadAll(out) == "one\ntwo\n"; }))
        << ReadAll(out) << ReadAll(home_ + "/.err3");
    for (const pid_t child : {watch, logs}) {
      kill(child, SIGTERM);
      int status = 0;
      waitpid(child, &status, 0);
    }
  }
}

TEST_F(TlsSessions, ManyBytesGoBothWaysThroughACommandAtOnce) {
  const std::string bytes = ManyBytes(12'000'000);
  for (const std::string prefix : {"", "/a4c"}) {
    GoThrough({.prefix = prefix});
    const Ran cat = Run({"workspace", "exec", "dev-1", "--", "cat"}, bytes);
    EXPECT_EQ(cat.exit_code, 0) << cat.err;
    EXPECT_TRUE(cat.out == bytes) << cat.out.size() << " of " << bytes.size();
    const Ran failed = Run({"workspace", "exec", "dev-1", "--", "sh", "-c", "cat >&2; exit 37"},
                           bytes.substr(0, 1'000'000));
    EXPECT_EQ(failed.exit_code, 37);
    EXPECT_TRUE(failed.err == bytes.substr(0, 1'000'000)) << failed.err.size();
  }
}

// Both sides send all that they have before they read: what waits must hold up nothing else.
TEST_F(TlsSessions, OneDirectionDoesNotWaitForTheOther) {
  GoThrough();
  const std::string bytes = ManyBytes(4'000'000);
  const Ran ran = Run({"workspace", "exec", "dev-1", "--", "sh", "-c",
                       "head -c 9000000 /dev/zero; cat | wc -c; head -c 9000000 /dev/zero"},
                      bytes);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  const std::string count = std::to_string(bytes.size()) + "\n";
  EXPECT_EQ(ran.out.size(), 18'000'000 + count.size());
  EXPECT_EQ(ran.out.find(count), 9'000'000u);
}

// A reader that is slower than the network: what TLS has taken from it already is not forgotten.
TEST_F(TlsSessions, AReaderThatIsSlowGetsAll) {
  GoThrough();
  ASSERT_EQ(mkfifo((home_ + "/pipe").c_str(), 0600), 0);
  const std::string expected = ManyBytes(1'500'000);
  std::ofstream(home_ + "/bytes") << expected;
  ASSERT_EQ(Run({"workspace", "cp", "bytes", "dev-1:bytes"}).exit_code, 0);
  // It reads in small pieces, and the process that writes ends before it has read much.
  const int reader = open((home_ + "/pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const pid_t child = Start({"workspace", "exec", "-n", "dev-1", "--", "cat", "bytes"},
                            {"/dev/null", home_ + "/pipe", home_ + "/.err2"});
  std::string got;
  std::array<char, 700> piece;
  pollfd entry{reader, POLLIN, 0};
  while (got.size() < expected.size() && poll(&entry, 1, 60'000) > 0) {
    const ssize_t count = read(reader, piece.data(), piece.size());
    if (count <= 0) break;
    got.append(piece.data(), static_cast<size_t>(count));
  }
  close(reader);
  EXPECT_TRUE(got == expected) << got.size() << ReadAll(home_ + "/.err2");
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

TEST_F(TlsSessions, CopiesTerminalsAndSshGoThroughToo) {
  GoThrough({.prefix = "/a4c"});
  fs::create_directories(home_ + "/tree");
  std::ofstream(home_ + "/tree/large") << ManyBytes(3'000'000);
  EXPECT_EQ(Run({"workspace", "cp", "tree", "dev-1:"}).exit_code, 0);
  EXPECT_EQ(Run({"workspace", "cp", "dev-1:tree", "back"}).exit_code, 0);
  EXPECT_TRUE(ReadAll(home_ + "/back/large") == ManyBytes(3'000'000));
  Screen screen({31, 77, 0, 0});
  const pid_t child = StartOnTerminal(screen, {"workspace", "shell", "dev-1"});
  ASSERT_TRUE(Eventually([&] { return screen.Shows("$ "); })) << screen.seen();
  EXPECT_TRUE(screen.Type("stty size; exit 9\r"));
  EXPECT_TRUE(Eventually([&] { return screen.Shows("31 77"); })) << screen.seen();
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 9);
  // What is given to config ssh is kept, also where neither variable is set.
  const std::string url = url_;
  const Ran set = Run({"--url", url, "--ca-file", "ca.pem", "config", "ssh"});
  ASSERT_EQ(set.exit_code, 0) << set.err;
  url_ = "http://127.0.0.1:1";
  ca_file_ = "";
  const std::string bytes = ManyBytes(2'000'000);
  const Ran ssh = Run({"-F", home_ + "/.ssh/config", "dev-1.a4c", "cat"}, bytes, "ssh");
  EXPECT_EQ(ssh.exit_code, 0) << ssh.err;
  EXPECT_TRUE(ssh.out == bytes) << ssh.out.size();
}

TEST_F(TlsOverMemory, APortOfTheLoopbackLeadsThroughTls) {
  GoThrough({.prefix = "/a4c"});
  Make("web", R"(,"env":{"PORT":"8080"})");
  const std::string err = home_ + "/.err2";
  const pid_t child =
      Start({"workspace", "port-forward", "web", "0:8080"}, {"/dev/null", "/dev/null", err});
  ASSERT_TRUE(Eventually([&] { return ReadAll(err).ends_with('\n'); }));
  const std::string said = ReadAll(err);
  const int port = std::atoi(said.substr(said.find("127.0.0.1:") + 10).c_str());
  const std::string bytes = ManyBytes(2'000'000);
  Poco::Net::StreamSocket socket(
      Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port)));
  socket.setReceiveTimeout(Poco::Timespan(60, 0));
  std::thread writer([&] { socket.sendBytes(bytes.data(), static_cast<int>(bytes.size())); });
  std::string got;
  std::array<char, 4096> piece;
  while (got.size() < bytes.size()) {
    const int count = socket.receiveBytes(piece.data(), static_cast<int>(piece.size()));
    if (count <= 0) break;
    got.append(piece.data(), static_cast<size_t>(count));
  }
  writer.join();
  EXPECT_TRUE(got == bytes) << got.size();
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
}

TEST_F(TlsOverMemory, ACertificateOfAnUnknownCaIsRefusedBeforeTheKeyIsSent) {
  const TlsFront& front = GoThrough();
  ca_file_ = "";
  ExpectRefused(front, a4c_cli::kAuth,
                "the certificate of 127.0.0.1 is signed by no CA that is known here\n",
                "--ca-file FILE");
  const CertificateAuthority another;
  WriteCa(another, "another.pem");
  const TlsFront& again = GoThrough();
  ca_file_ = home_ + "/another.pem";
  ExpectRefused(again, a4c_cli::kAuth,
                "the certificate of 127.0.0.1 is signed by no CA that is known here\n",
                "--ca-file FILE");
}

TEST_F(TlsOverMemory, ACertificateForAnotherNameIsRefusedBeforeTheKeyIsSent) {
  // Also on the loopback, and also an address.
  const Identity other = ca_.Issue("DNS:other.example,DNS:*.other.example");
  for (const char* host : {"localhost", "127.0.0.1"}) {
    ExpectRefused(GoThrough(other, {}, host), a4c_cli::kAuth,
                  std::string("the certificate of ") + host +
                      " is not for that name: it is for other.example, *.other.example\n",
                  "--url");
  }
  GoThrough(ca_.Issue("DNS:localhost"), {}, "localhost");
  EXPECT_EQ(Run({"workspace", "list"}).exit_code, 0);
}

TEST_F(TlsOverMemory, ACertificateThatHasExpiredIsRefusedBeforeTheKeyIsSent) {
  ExpectRefused(GoThrough(ca_.Issue(kLoopback, -60)), a4c_cli::kAuth,
                "the certificate of 127.0.0.1 has expired\n", "renew it");
}

TEST_F(TlsOverMemory, SessionsAreRefusedLikewise) {
  const TlsFront& front = GoThrough(ca_.Issue("DNS:other.example"));
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"workspace", "exec", "dev-1", "--", "true"},
                                             {"workspace", "logs", "-f", "dev-1"},
                                             {"job", "watch"}}) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, a4c_cli::kAuth) << ran.err;
    EXPECT_NE(ran.err.find("is not for that name"), std::string::npos) << ran.err;
  }
  EXPECT_EQ(front.bytes_heard(), 0);
}

TEST_F(TlsOverMemory, TheWrongSchemeIsSaid) {
  // A server without TLS behind https://.
  url_ = "https://127.0.0.1:" + std::to_string(port_);
  const Ran plain = Run({"workspace", "list"});
  EXPECT_EQ(plain.exit_code, a4c_cli::kUsage) << plain.err;
  EXPECT_TRUE(plain.err.starts_with("error: 127.0.0.1 answers without TLS\n")) << plain.err;
  EXPECT_NE(plain.err.find("hint: write http://"), std::string::npos) << plain.err;
  // A server with TLS behind http://: whether it hangs up or says so in plain words.
  for (const char* answer : {"",
                             "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n"
                             "Content-Length: 4\r\n\r\nTLS!"}) {
    const TlsFront& front = GoThrough({.plain_answer = answer});
    url_ = "http://127.0.0.1:" + std::to_string(front.port());
    const Ran ran = Run({"workspace", "list"});
    EXPECT_EQ(ran.exit_code, a4c_cli::kUsage) << ran.err;
    EXPECT_TRUE(ran.err.starts_with("error: " + url_ + " answers with TLS only\n")) << ran.err;
    EXPECT_NE(ran.err.find("hint: write https://"), std::string::npos) << ran.err;
    EXPECT_EQ(front.bytes_heard(), 0);
  }
}

TEST_F(TlsOverMemory, WhereAGatewayRefersToIsSaid) {
  const TlsFront& front = GoThrough(
      {.plain_answer = "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://gw.example/a4c\r\n"
                       "Content-Length: 0\r\n\r\n"});
  url_ = "http://127.0.0.1:" + std::to_string(front.port());
  const Ran ran = Run({"workspace", "list"});
  EXPECT_EQ(ran.exit_code, a4c_cli::kFailed);
  EXPECT_NE(ran.err.find("hint: it refers to https://gw.example/a4c: --url"), std::string::npos)
      << ran.err;
}

// People are told; what a script reads stays as it was.
TEST_F(TlsOverMemory, AKeyThatCanBeReadOnTheWayIsANoteForPeople) {
  url_ = "http://0.0.0.0:" + std::to_string(port_);
  EXPECT_EQ(Run({"workspace", "list"}).err, "");
  const Ran doctor = Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 0) << doctor.out;
  EXPECT_NE(doctor.out.find("WARN  the key goes over http://\n"), std::string::npos) << doctor.out;
  Screen screen;
  const pid_t child = StartOnTerminal(screen, {"workspace", "list"});
  EXPECT_TRUE(Eventually([&] { return screen.Shows("can read the API key"); })) << screen.seen();
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

TEST_F(TlsOverMemory, AContextKeepsTheCaFileAndAFlagGoesFirst) {
  GoThrough();
  const Ran set = Run({"--url", url_, "--ca-file", "ca.pem", "context", "set", "away"});
  ASSERT_EQ(set.exit_code, 0) << set.err;
  url_ = " ";
  const Ran listed = Run({"context", "list", "-o", "wide"});
  EXPECT_NE(listed.out.find(fs::canonical(home_).string() + "/ca.pem"), std::string::npos)
      << listed.out;
  const std::string config = ReadAll(home_ + "/config.yaml");
  EXPECT_NE(config.find("ca_file: "), std::string::npos) << config;
  // Neither variable is set: the context alone.
  const auto from_context = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"-u", "A4C_URL", "-u", "A4C_CA_FILE", A4C_CLI};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words, "", "env");
  };
  const Ran ran = from_context({"workspace", "list"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  const Ran missing = from_context({"--ca-file", "/no/such/file", "workspace", "list"});
  EXPECT_EQ(missing.exit_code, a4c_cli::kUsage) << missing.err;
  EXPECT_NE(missing.err.find("there is no CA certificate in /no/such/file"), std::string::npos)
      << missing.err;
  EXPECT_EQ(Run({"__complete", "--", "--ca"}).out, "--ca-file\n");
}

}  // namespace
}  // namespace a4cd
