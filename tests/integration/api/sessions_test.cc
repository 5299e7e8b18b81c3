// Sessions as a client sees them, over pretended workspaces and over processes of this machine.
#include <Poco/Base64Decoder.h>

#include <csignal>
#include <iterator>
#include <sstream>
#include <thread>

#include "apps/a4cd/auth/api_key.h"
#include "tests/integration/support/session_client.h"
#include "tests/integration/support/workspace_fixture.h"

namespace a4cd {
namespace {

using a4c::Json;

constexpr const char* kExec = "a4c.exec.v1";
Json Command(std::initializer_list<const char*> words) {
  Json command(Json::Array{});
  for (const char* word : words) command.Append(std::string(word));
  return Json::Object{{"command", std::move(command)}};
}

template <typename Fixture>
class SessionsOver : public Fixture {
 protected:
  SessionClient Open(const std::string& key = "", const std::string& workspace = "dev-1",
                     const std::string& protocol = kExec) {
    return SessionClient(this->port_, key.empty() ? this->key_ : key,
                         "/v1/workspaces/" + workspace + ":exec", protocol);
  }
  int Places() {
    return this->metrics_->Text().find("a4c_sessions_open 0") != std::string::npos ? 0 : 1;
  }
};
using ApiSessions = SessionsOver<WorkspaceTest>;
using LocalSessions = SessionsOver<LocalWorkspaceTest>;

TEST_F(ApiSessions, ACommandGetsItsInputAndItsExitCodeIsTold) {
  SessionClient cat = Open();
  ASSERT_EQ(cat.status(), 101) << cat.head();
  EXPECT_NE(cat.head().find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            std::string::npos);
  EXPECT_NE(cat.head().find(std::string("Sec-WebSocket-Protocol: ") + kExec), std::string::npos);
  cat.Say(Command({"cat"}));
  EXPECT_EQ(cat.Hear()["type"].Text(), "started");
  cat.Input("hello ");
  cat.Input("there");
  cat.EndInput();
  const Json end = cat.HearTheEnd();
  EXPECT_EQ(end["type"].Text(), "exit");
  EXPECT_EQ(end["code"].Int(), 0);
  EXPECT_EQ(cat.output, "hello there");

  SessionClient failing = Open();
  failing.Say(Command({"sh", "-c", "echo right; echo wrong >&2; exit 7"}));
  EXPECT_EQ(failing.HearTheEnd()["code"].Int(), 7);
  EXPECT_EQ(failing.output, "right\n");
  EXPECT_EQ(failing.errors, "wrong\n");
}

TEST_F(ApiSessions, AKeyThatIsRevokedEndsThemAndTheyAreToldWhy) {
  const std::string key = KeyFor("default", R"("workspaces:read","workspaces:write")");
  SessionClient cat = Open(key);
  ASSERT_EQ(cat.status(), 101) << cat.head();
  cat.Say(Command({"cat"}));
  EXPECT_EQ(cat.Hear()["type"].Text(), "started");
  const std::string id = ApiKeyId(ApiKeyHash(key));
  EXPECT_EQ(Send("DELETE", "/v1/keys/" + id, "", {{"If-Match", "*"}}).status, 200);
  const Json end = cat.HearTheEnd();
  EXPECT_EQ(end["type"].Text(), "problem");
  EXPECT_EQ(end["problem"]["type"].Text(), "urn:a4c:problem:unauthenticated") << end.ToString();
}

TEST_F(ApiSessions, WhatMayNotBeIsRefusedAsAnyRequestIs) {
  EXPECT_EQ(Get("/v1/workspaces/dev-1:exec").status, 426);
  EXPECT_EQ(Open("", "dev-1", "a4c.exec.v0").status(), 400);
  // 101 to a HEAD would leave a connection of which a gateway thinks something else than a4cd.
  const std::string head = Raw(
      "HEAD /v1/workspaces/dev-1:exec HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key_ +
          "\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: "
          "a4c.exec.v1\r\n\r\n",
      "\r\n\r\n");
  EXPECT_EQ(head.find("HTTP/1.1 405"), 0u) << head;
  EXPECT_EQ(Open("", "nothing").status(), 404);
  EXPECT_EQ(Open(KeyFor("strangers")).status(), 404);
  EXPECT_EQ(Open(KeyFor("default", "\"workspaces:read\"")).status(), 403);
  EXPECT_EQ(Open("a4c_nobody").status(), 401);
  Post("/v1/workspaces/dev-1:stop", "");
  ASSERT_TRUE(
      Eventually([&] { return Get("/v1/workspaces/dev-1").body["actual"].Text() == "stopped"; }));
  const SessionClient stopped = Open();
  EXPECT_EQ(stopped.status(), 409);
  EXPECT_NE(stopped.head().find("a4c workspace start"), std::string::npos) << stopped.head();
}

// Also if it is to run.
TEST_F(ApiSessions, WhatDoesNotRunIsToldWithWhatItIsAndWhatHelps) {
  const auto refused = [this](const std::string& name, const std::string& state,
                              const std::string& hint) {
    EXPECT_TRUE(
        Eventually([&] { return Get("/v1/workspaces/" + name).body["actual"].Text() == state; }));
    const SessionClient client = Open("", name);
    EXPECT_EQ(client.status(), 409);
    const std::string told = "the workspace " + name + " is not running: it is " + state + ", ";
    EXPECT_NE(client.head().find(told), std::string::npos) << client.head();
    EXPECT_NE(client.head().find("\"hint\":\"a4c workspace " + hint), std::string::npos)
        << client.head();
  };
  const std::string create = R"({"command":["true"],"name":")";
  Post("/v1/workspaces", create + R"(ends"})");
  refused("ends", "stopped", "start ends --wait");
  Post("/v1/workspaces", create + R"(waits","constraints":{"labels":{"gpu":"yes"}}})");
  EXPECT_TRUE(
      Eventually([&] { return !Get("/v1/workspaces/waits").body["message"].Text().empty(); }));
  refused("waits", "pending", "get waits");
}

TEST_F(ApiSessions, EachIsInTheAuditLogOfItsTenant) {
  SessionClient cat = Open();
  cat.Say(Command({"cat", "a secret"}));
  Open("", "nothing");
  const Answer audit = Get("/v1/audit");
  int applied = 0;
  int refused = 0;
  for (const Json& row : audit.body["items"].Items()) {
    if (row["operation"].Text() != "execInWorkspace") continue;
    applied += row["outcome"].Text() == "applied" ? 1 : 0;
    refused += row["outcome"].Text() == "not-found" ? 1 : 0;
    if (row["outcome"].Text() == "applied") {
      EXPECT_EQ(row["record_kind"].Text(), "workspace");
    }
  }
  EXPECT_EQ(applied, 1) << audit.text;
  EXPECT_EQ(refused, 1) << audit.text;
  EXPECT_EQ(audit.text.find("a secret"), std::string::npos);
}

TEST_F(ApiSessions, PastTheirBoundsAreToldSoAndWhatEndsMakesRoom) {
  StartWith("api: {sessions_max: 2, sessions_per_tenant_max: 1}\n");
  SessionClient first = Open();
  ASSERT_EQ(first.status(), 101);
  first.Say(Command({"cat"}));
  EXPECT_EQ(first.Hear()["type"].Text(), "started");
  const SessionClient second = Open();
  EXPECT_EQ(second.status(), 429);
  EXPECT_NE(second.head().find("Retry-After"), std::string::npos) << second.head();
  EXPECT_NE(second.head().find("api.sessions_per_tenant_max"), std::string::npos) << second.head();
  first.EndInput();
  EXPECT_EQ(first.HearTheEnd()["type"].Text(), "exit");
  EXPECT_TRUE(Eventually([&] { return Open().status() == 101; }));
  StartWith("api: {sessions_max: 0}\n");
  const SessionClient none = Open();
  EXPECT_EQ(none.status(), 429);
  EXPECT_NE(none.head().find("api.sessions_max"), std::string::npos) << none.head();
}

TEST_F(ApiSessions, NonsenseIsAnsweredWithAProblem) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"command":[]})", "command"},
      {R"({"comand":["cat"]})", "command"},
      {R"({"command":["cat"],"terminal":{"rows":0}})", "rows"},
      {R"({"command":["cat"],"env":7})", "env"},
      {"{", "JSON"},
  };
  for (const auto& [text, named] : cases) {
    SessionClient client = Open();
    client.Send(a4c_websocket::Kind::kText, text);
    const Json end = client.HearTheEnd();
    EXPECT_EQ(end["type"].Text(), "problem") << text;
    EXPECT_EQ(end["problem"]["status"].Int(), 400) << text;
    EXPECT_NE(end["problem"].ToString().find(named), std::string::npos) << end.ToString();
  }
  SessionClient resized = Open();
  resized.Say(Command({"cat"}));
  resized.Say(Json::Object{{"type", "resize"}, {"rows", 9}, {"columns", 9}});
  EXPECT_EQ(resized.HearTheEnd()["problem"]["type"].Text(), "urn:a4c:problem:unsupported");
  SessionClient unknown = Open();
  unknown.Say(Command({"cat"}));
  unknown.Say(Json::Object{{"type", "dance"}});
  EXPECT_EQ(unknown.HearTheEnd()["problem"]["status"].Int(), 400);
}

TEST_F(ApiSessions, AWorkspaceThatIsStoppedEndsThem) {
  SessionClient cat = Open();
  cat.Say(Command({"cat"}));
  EXPECT_EQ(cat.Hear()["type"].Text(), "started");
  Post("/v1/workspaces/dev-1:stop", "");
  const Json end = cat.HearTheEnd();
  EXPECT_EQ(end["type"].Text(), "exit");
  EXPECT_EQ(end["code"].Int(), 137);
}

TEST_F(ApiSessions, AreToldWhenTheInstanceDrains) {
  SessionClient cat = Open();
  cat.Say(Command({"cat"}));
  EXPECT_EQ(cat.Hear()["type"].Text(), "started");
  std::thread drain([&] { app_->Drain(); });
  const Json end = cat.HearTheEnd();
  drain.join();
  EXPECT_EQ(end["problem"]["type"].Text(), "urn:a4c:problem:draining");
}

TEST_F(ApiSessions, OneInWhichNothingHappensIsEnded) {
  StartWith("api: {session_idle_max: 200ms}\n");
  SessionClient cat = Open();
  cat.Say(Command({"cat"}));
  const Json end = cat.HearTheEnd();
  EXPECT_EQ(end["problem"]["type"].Text(), "urn:a4c:problem:timeout");
  EXPECT_TRUE(Eventually([&] { return Places() == 0; }));
}

TEST_F(ApiSessions, AClientThatNoLongerAnswersHasGone) {
  StartWith("api: {session_ping_period: 20ms}\n");
  SessionClient cat = Open();
  cat.Say(Command({"cat"}));
  EXPECT_TRUE(cat.WaitUntilClosed());
  EXPECT_TRUE(Eventually([&] { return Places() == 0; }));
}

TEST_F(ApiSessions, APortLeadsToWhatListensThere) {
  Make("web", R"(,"env":{"PORT":"8080"})");
  const auto open = [&](const std::string& query) {
    return SessionClient(port_, key_, "/v1/workspaces/web:forward" + query, "a4c.forward.v1");
  };
  SessionClient port = open("?port=8080");
  ASSERT_EQ(port.status(), 101) << port.head();
  EXPECT_EQ(port.Hear()["type"].Text(), "started");
  port.Input("GET / HTTP/1.0");
  EXPECT_TRUE(port.HearOutput("GET / HTTP/1.0"));
  port.EndInput();
  EXPECT_EQ(port.HearTheEnd()["type"].Text(), "end");
  SessionClient closed = open("?port=8081");
  EXPECT_EQ(closed.HearTheEnd()["problem"]["type"].Text(), "urn:a4c:problem:unavailable");
  for (const char* query : {"", "?port=", "?port=0", "?port=65536", "?port=80x"}) {
    EXPECT_EQ(open(query).status(), 400) << query;
  }
}

std::string FromBase64(const std::string& text) {
  std::istringstream in(text);
  Poco::Base64Decoder decoder(in);
  return {std::istreambuf_iterator<char>(decoder), {}};
}

TEST_F(ApiSessions, ALogGoesOnAsItGrowsAndComesBackWhereItWas) {
  Make("talker", "", R"(["sh","-c","echo one; sleep 1; echo two; sleep 600"])");
  const std::string reader = KeyFor("default", "\"workspaces:read\"");
  const auto open = [&](const std::string& query) {
    return SessionClient(port_, reader, "/v1/workspaces/talker/logs:follow" + query, "a4c.logs.v1");
  };
  SessionClient first = open("");
  ASSERT_EQ(first.status(), 101) << first.head();
  EXPECT_EQ(first.Hear()["type"].Text(), "started");
  Json log = first.Hear();
  ASSERT_EQ(log["type"].Text(), "log") << log.ToString();
  std::string seen = FromBase64(log["bytes"].Text());
  EXPECT_TRUE(seen.starts_with("one\n")) << seen;
  first.Vanish();
  SessionClient second = open("?from=" + log["next"].Text());
  EXPECT_EQ(second.Hear()["type"].Text(), "started");
  while (seen.find("two\n") == std::string::npos) {
    log = second.Hear();
    ASSERT_EQ(log["type"].Text(), "log") << log.ToString();
    seen += FromBase64(log["bytes"].Text());
  }
  EXPECT_EQ(seen, "one\ntwo\n");
  Send("DELETE", "/v1/workspaces/talker");
  EXPECT_EQ(second.HearTheEnd()["problem"]["status"].Int(), 404);
  EXPECT_EQ(
      SessionClient(port_, KeyFor("strangers"), "/v1/workspaces/dev-1/logs:follow", "a4c.logs.v1")
          .status(),
      404);
}

TEST_F(ApiSessions, ALogThatIsFollowedBeginsWithItsLastLinesAndAPosition) {
  Make("talker", "", R"(["sh","-c","echo one; echo two; sleep 600"])");
  const std::string path = "/v1/workspaces/talker/logs";
  ASSERT_TRUE(Eventually([&] { return Get(path).text == "one\ntwo\n"; }));
  const std::string end = Get(path).Header("a4c-log-next");
  EXPECT_EQ(Get(path + "?tail=1").text, "two\n");
  EXPECT_EQ(Get(path + "?tail=1").Header("a4c-log-next"), end);
  for (const auto& [tail, text] : {std::pair("0", ""), {"1", "two\n"}, {"9", "one\ntwo\n"}}) {
    SessionClient client(port_, key_, path + ":follow?tail=" + tail, "a4c.logs.v1");
    ASSERT_EQ(client.status(), 101) << client.head();
    EXPECT_EQ(client.Hear()["type"].Text(), "started");
    const Json log = client.Hear();
    EXPECT_EQ(log["type"].Text(), "log") << log.ToString();
    EXPECT_EQ(FromBase64(log["bytes"].Text()), text);
    EXPECT_EQ(log["next"].Text(), end) << "also with nothing in it";
  }
}

TEST_F(ApiSessions, ALogBeginsAtATimeAndIsTellingWhereBeforeThereIsMore) {
  Make("talker", "", R"(["sh","-c","echo one; echo two; sleep 600"])");
  const std::string path = "/v1/workspaces/talker/logs";
  ASSERT_TRUE(Eventually([&] { return Get(path).text == "one\ntwo\n"; }));
  const std::string end = Get(path).Header("a4c-log-next");
  EXPECT_EQ(Get(path + "?since=1h").text, "one\ntwo\n");
  EXPECT_EQ(Get(path + "?since=1h&tail=1").text, "two\n");
  EXPECT_EQ(Get(path + "?since=0s").text, "");
  EXPECT_EQ(Get(path + "?since=2999-01-01&tail=5").text, "");
  EXPECT_EQ(Get(path + "?since=2999-01-01").Header("a4c-log-next"), end);
  const auto follow = [&](const std::string& query) {
    SessionClient client(port_, key_, path + ":follow?" + query, "a4c.logs.v1");
    EXPECT_EQ(client.status(), 101) << client.head();
    EXPECT_EQ(client.Hear()["type"].Text(), "started");
    Json log = client.Hear();
    EXPECT_EQ(log["type"].Text(), "log") << log.ToString();
    const std::string next = log["next"].Text();
    if (log["bytes"].Text().empty() && next != end) log = client.Hear();
    return FromBase64(log["bytes"].Text()) + "|" + next;
  };
  EXPECT_EQ(follow("since=2999-01-01"), "|" + end) << "also with nothing in it";
  EXPECT_EQ(follow("since=1h"), "one\ntwo\n|0");
  EXPECT_EQ(follow("since=1h&tail=1"), "two\n|" + end);
}

TEST_F(LocalSessions, ALogWithoutTimesIsRefusedFromATimeOn) {
  const std::string path = "/v1/workspaces/dev-1/logs";
  const Answer since = Get(path + "?since=10m");
  EXPECT_EQ(since.status, 501) << since.text;
  EXPECT_NE(since.body["hint"].Text().find("tail=100"), std::string::npos) << since.text;
  EXPECT_EQ(SessionClient(port_, key_, path + ":follow?since=10m", "a4c.logs.v1").status(), 501);
}

TEST_F(ApiSessions, ALogOfWhichTooMuchIsAskedIsRefused) {
  const std::string path = "/v1/workspaces/dev-1/logs";
  const auto follow = [&](const std::string& query) {
    return SessionClient(port_, key_, path + ":follow?" + query, "a4c.logs.v1").status();
  };
  for (const char* query :
       {"tail=-1", "tail=100001", "tail=x", "tail=5&from=7", "since=soon", "since=10m&from=7"}) {
    EXPECT_EQ(Get(path + "?" + query).status, 400) << query;
    EXPECT_EQ(follow(query), 400) << query;
  }
}

TEST_F(LocalSessions, MuchInputComesBackWholeAlsoToAClientThatIsSlow) {
  SessionClient cat = Open();
  cat.Say(Command({"cat"}));
  EXPECT_EQ(cat.Hear()["type"].Text(), "started");
  std::string input;
  for (int64_t i = 0; input.size() < 8'000'000; ++i) input += std::to_string(i * 7919) + '\0';
  // Nothing is read until the server takes no more.
  for (size_t at = 0; at < input.size(); at += 100'000) cat.Input(input.substr(at, 100'000));
  cat.EndInput();
  EXPECT_EQ(cat.HearTheEnd()["code"].Int(), 0);
  EXPECT_TRUE(cat.output == input) << cat.output.size() << " of " << input.size();
}

TEST_F(LocalSessions, ATerminalHasASizeThatChangesAndKeysThatActOnIt) {
  Json wanted = Command({"sh"});
  wanted.Set("terminal", Json::Object{{"rows", 31}, {"columns", 77}});
  SessionClient shell = Open();
  shell.Say(wanted);
  EXPECT_EQ(shell.Hear()["type"].Text(), "started");
  shell.Input("stty size\n");
  EXPECT_TRUE(shell.HearOutput("31 77")) << shell.output;
  shell.Say(Json::Object{{"type", "resize"}, {"rows", 40}, {"columns", 99}});
  shell.Input("stty size\n");
  EXPECT_TRUE(shell.HearOutput("40 99")) << shell.output;
  // Said by what is in the foreground then: keys that are typed before act on the shell.
  shell.Input("sh -c \"echo it sl''eeps; exec sleep 1000\"\n");
  EXPECT_TRUE(shell.HearOutput("it sleeps")) << shell.output;
  shell.Input("\x03");  // Ctrl-C
  shell.Input("echo still $((40 + 2))\n");
  EXPECT_TRUE(shell.HearOutput("still 42")) << shell.output;
  shell.Input("exit 9\n");
  EXPECT_EQ(shell.HearTheEnd()["code"].Int(), 9);
}

TEST_F(LocalSessions, AClientThatVanishesTakesItsCommandWithIt) {
  for (const bool terminal : {false, true}) {
    Json wanted =
        Command({"sh", "-c", "trap '' HUP TERM; sleep 1000 & echo pid $! end; wait; wait"});
    if (terminal) wanted.Set("terminal", Json::Object{});
    SessionClient client = Open();
    client.Say(wanted);
    ASSERT_TRUE(client.HearOutput(" end")) << client.output;
    const int pid = std::atoi(client.output.substr(4).c_str());
    ASSERT_EQ(kill(pid, 0), 0) << client.output;
    client.Vanish();
    EXPECT_TRUE(Eventually([&] { return kill(pid, 0) != 0; })) << client.output;
    EXPECT_TRUE(Eventually([&] { return Places() == 0; }));
  }
}

TEST_F(LocalSessions, ACommandThatReadsNoInputEndsAllTheSame) {
  SessionClient client = Open();
  client.Say(Command({"sh", "-c", "exec 0<&-; echo deaf; exit 3"}));
  client.HearOutput("deaf");
  for (int i = 0; i < 20; ++i) client.Input(std::string(100'000, 'x'));
  EXPECT_EQ(client.HearTheEnd()["code"].Int(), 3);
}

}  // namespace
}  // namespace a4cd
