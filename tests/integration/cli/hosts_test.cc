// Servers and workspaces by the command line, and what the doctor says of them.
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "apps/a4c/commands/known_hosts.h"
#include "apps/a4c/exit_code.h"
#include "tests/integration/cli/cli_fixture.h"
#include "tests/integration/cli/sessions_fixture.h"
#include "tests/support/canned.h"

namespace a4cd {
namespace {

TEST_F(Cli, AServerIsAddedOnlyWithAFingerprintThatSomebodyHasSeen) {
  const Ran asked = Run({"host", "add", "memory:srv-9"});
  EXPECT_EQ(asked.exit_code, 2) << "there is no terminal to ask at";
  EXPECT_NE(asked.err.find("SHA256:srv-9"), std::string::npos) << asked.err;
  EXPECT_NE(asked.err.find("--fingerprint SHA256:srv-9"), std::string::npos) << asked.err;
  EXPECT_EQ(Run({"host", "get", "srv-9"}).exit_code, 3);
  const Ran added = Run({"host", "add", "memory:srv-9", "--fingerprint", "SHA256:srv-9", "--set",
                         "disk=7GiB", "--label", "zone=b", "-o", "name"});
  ASSERT_EQ(added.exit_code, 0) << added.err;
  EXPECT_EQ(added.out, "host/srv-9\n");
  EXPECT_NE(Run({"host", "list"}).out.find("srv-9    yes"), std::string::npos);
  const auto host = a4c::ParseJson(Run({"host", "get", "srv-9", "-o", "json"}).out);
  ASSERT_TRUE(host);
  EXPECT_EQ((*host)["labels"]["zone"].Text(), "b");
  EXPECT_EQ((*host)["settings"]["disk"].Text(), "7GiB");
  EXPECT_EQ(Run({"host", "remove", "srv-9"}).exit_code, 5) << "it is not cordoned";
  EXPECT_EQ(Run({"host", "drain", "srv-9", "--wait"}).exit_code, 0);
  EXPECT_EQ(Run({"host", "remove", "srv-9"}).exit_code, 0);
}

TEST_F(Cli, HowAServerIsReachedIsUpdated) {
  ASSERT_EQ(
      Run({"host", "add", "memory:srv-9", "--fingerprint", "SHA256:srv-9", "--set", "disk=7GiB"})
          .exit_code,
      0);
  const Ran updated = Run({"host", "update", "host/srv-9", "--set", "arch=arm64", "--set", "disk-",
                           "--address", "memory:srv-9", "-o", "json"});
  ASSERT_EQ(updated.exit_code, 0) << updated.err;
  const a4c::Json settings = Get("/v1/hosts/srv-9").body["settings"];
  EXPECT_EQ(settings["arch"].Text(), "arm64");
  EXPECT_EQ(settings.Members().size(), 1u);
  EXPECT_EQ(Run({"host", "update", "srv-9", "--address", "memory:elsewhere"}).exit_code, 5);
  const Ran nothing = Run({"host", "update", "srv-9"});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_NE(nothing.err.find("give --address, --set"), std::string::npos) << nothing.err;
  EXPECT_EQ(Run({"host", "update", "nobody", "--set", "a=b"}).exit_code, 3);
}

// By ssh-keygen, which also reads names that are hashed.
TEST_F(Cli, KnownHostsSayWhichKeysAServerHas) {
  const std::string key = directory_ + "/key";
  const std::string known = directory_ + "/known_hosts";
  ASSERT_EQ(std::system(("ssh-keygen -q -t ed25519 -N '' -f " + key + " && ssh-keygen -lf " + key +
                         " > " + directory_ + "/print")
                            .c_str()),
            0);
  const std::string print = ReadAll(directory_ + "/print");
  const std::string fingerprint = print.substr(4, print.find(' ', 4) - 4);
  std::ofstream(known) << "plain.example " + ReadAll(key + ".pub")
                       << "[2001:db8::1]:2222 " + ReadAll(key + ".pub");
  ASSERT_EQ(std::system(("ssh-keygen -q -H -f " + known + " >/dev/null 2>&1").c_str()), 0);
  ASSERT_EQ(ReadAll(known).find("example"), std::string::npos) << "hashed";
  const auto of = [&](const std::string& address) {
    const auto found = a4c_cli::KnownFingerprints(known, address);
    EXPECT_TRUE(found) << found.error().ToString();
    return found ? *found : std::set<std::string>();
  };
  const std::set<std::string> one{fingerprint};
  EXPECT_EQ(of("ssh://deploy@plain.example"), one);
  EXPECT_EQ(of("ssh://deploy@[2001:db8::1]:2222/"), one);
  EXPECT_TRUE(of("ssh://deploy@[2001:db8::1]").empty()) << "another port is another server";
  EXPECT_TRUE(of("ssh://other.example").empty());
  EXPECT_FALSE(a4c_cli::KnownFingerprints(directory_, "ssh://plain.example"));
}

TEST_F(Cli, AServerThatKnownHostsDoesNotKnowIsNotAdded) {
  const std::string known = directory_ + "/known_hosts";
  std::ofstream(known) << "";
  const Ran ran = Run({"host", "add", "memory:srv-9", "--known-hosts", known});
  EXPECT_EQ(ran.exit_code, a4c_cli::kAuth) << ran.err;
  EXPECT_NE(ran.err.find("has no key of memory:srv-9"), std::string::npos) << ran.err;
}

TEST_F(Cli, WhatIsWrongWithAServerIsSaidWhenItIsAddedAndByTheDoctor) {
  const Ran added = Run({"host", "add", "memory:srv-9", "--fingerprint", "SHA256:srv-9", "--set",
                         "warning=its clock is 9 s behind ours"});
  ASSERT_EQ(added.exit_code, 0) << added.err;
  const std::string said = "warning: srv-9: its clock is 9 s behind ours";
  EXPECT_NE(added.err.find(said), std::string::npos) << added.err;
  const Ran wide = Run({"host", "get", "srv-9", "-o", "wide"});
  EXPECT_NE(wide.out.find("amd64"), std::string::npos) << wide.out;
  EXPECT_NE(wide.err.find(said), std::string::npos) << wide.err;
  const Ran doctor = Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 0) << "a warning is no failure: " << doctor.out;
  EXPECT_NE(doctor.out.find("ok    server srv-9 answers"), std::string::npos) << doctor.out;
  EXPECT_NE(doctor.out.find("WARN  server srv-9\n      its clock is 9 s behind ours"),
            std::string::npos)
      << doctor.out;
}

TEST_F(Cli, AServerWithAnotherKeyIsShownWithTheNextStepWhichEndsIt) {
  const Ran added = Run({"host", "add", "memory:srv-9", "--fingerprint", "SHA256:srv-9", "--set",
                         "shows=SHA256:set+up/anew"});
  ASSERT_EQ(added.exit_code, 0) << added.err;
  const std::string said = "next: compare SHA256:set+up/anew with what the server's own console";
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"host", "list"}, {"host", "get", "srv-9"}}) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(ran.out.find("  no         quarantined"), std::string::npos) << ran.out;
    EXPECT_NE(ran.err.find("pinned is SHA256:srv-9"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find(said), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("a4c host enrol srv-9 --fingerprint SHA256:set+up/anew"),
              std::string::npos)
        << ran.err;
  }
  const Ran doctor = Run({"doctor"});
  EXPECT_NE(doctor.exit_code, 0);
  EXPECT_NE(doctor.out.find("a4c host enrol srv-9 --fingerprint"), std::string::npos) << doctor.out;
  EXPECT_EQ(Run({"host", "enrol", "srv-9", "--fingerprint", "SHA256:wrong"}).exit_code, 5);
  const Ran enrolled = Run({"host", "enrol", "srv-9", "--fingerprint", "SHA256:set+up/anew"});
  EXPECT_EQ(enrolled.exit_code, 0) << enrolled.err;
  const Ran back = Run({"host", "get", "srv-9"});
  EXPECT_NE(back.out.find("srv-9  yes        reachable"), std::string::npos) << back.out;
  EXPECT_EQ(back.err, "");
}

std::string Told(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

// Asks before it does something.
class CliAsks : public Cli {
 protected:
  // The exit code, of an answer to that question.
  int Answer(const std::vector<std::string>& arguments, const std::string& answer,
             const std::string& question) {
    const Screen screen;
    const pid_t child = Spawn({.path = A4C_CLI,
                               .arguments = arguments,
                               .environment = {{"A4C_URL", url_}, {"A4C_API_KEY_FILE", key_file_}},
                               .files = {screen.path(), directory_ + "/out", directory_ + "/err"}});
    EXPECT_TRUE(screen.Type(answer + "\n"));
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    const std::string asked = ReadAll(directory_ + "/err");
    EXPECT_NE(asked.find(question), std::string::npos) << asked;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

// Whoever answers at an address may be anybody.
TEST_F(CliAsks, WhatAServerSaysOfItselfCannotPassForItsFingerprint) {
  const a4c::testing::Canned server(
      {Told("200 OK", R"({"address":"memory:srv-9","fingerprint":"SHA256:own\u001b[8m",)"
                      R"("summary":"SSH-2.0-x\u001b[2K\nits fingerprint is SHA256:forged\u009b1A)" +
                          std::string(200, ' ') + R"(its fingerprint is SHA256:other"})")});
  url_ = server.url();
  EXPECT_EQ(Answer({"host", "add", "memory:srv-9"}, "no", "\nits fingerprint is SHA256:own [8m\n"),
            a4c_cli::kAuth);
  const std::string asked = ReadAll(directory_ + "/err");
  EXPECT_TRUE(asked.starts_with("memory:srv-9 answers: SSH-2.0-x [2K its fingerprint")) << asked;
  EXPECT_EQ(asked.find_first_of("\x1b\x9b"), std::string::npos) << asked;
  EXPECT_EQ(asked.find("SHA256:other"), std::string::npos) << "it would be in the next line";
  EXPECT_EQ(asked.find("\nits fingerprint"), asked.rfind("\nits fingerprint")) << asked;
}

TEST_F(Cli, WhatAnIndexSaysOfItselfMovesNoCursor) {
  const a4c::testing::Canned server(
      {Told("200 OK", R"({"kind":"job","index_trouble":"it is \u001b[2J\u009b2Jfull"})")});
  const Ran ran = Run({"sync", "status"}, {{"A4C_URL", server.url()}});
  EXPECT_NE(ran.out.find("cannot be written: it is  [2J 2Jfull\n"), std::string::npos) << ran.out;
}

class CliLost : public CliAsks {
 protected:
  // With a workspace on a server that can be lost.
  void StartWithOne() {
    StartApp("roles: [api, worker, sync, poller]\nwork: {idle_period: 20ms}\n");
    url_ = "http://127.0.0.1:" + std::to_string(port_);
    ASSERT_EQ(Run({"host", "add", "memory:srv-9", "--fingerprint", "SHA256:srv-9"}).exit_code, 0);
    const Ran made =
        Run({"workspace", "create", "dev-1", "--host", "srv-9", "--wait", "--", "sleep", "600"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  int AnswerAtATerminal(const std::string& answer) {
    return Answer({"host", "remove", "srv-9", "--lost"}, answer,
                  "1 workspace and 0 snapshots on srv-9, and what they have written, are lost");
  }
};

TEST_F(CliLost, AServerIsGivenUpForLostOnlyOnceSomebodyHasSaidSo) {
  StartWithOne();
  const std::vector<std::string> sure = {"host", "remove", "srv-9", "--lost", "--yes"};
  EXPECT_EQ(Run(sure).exit_code, a4c_cli::kConflict) << "it answers";
  EXPECT_FALSE(Get("/v1/hosts/srv-9").body["cordoned"].Bool(true)) << "and is left as it is";
  ASSERT_EQ(Run({"host", "update", "srv-9", "--set", "shows=SHA256:anew"}).exit_code, 0);
  const Ran unsure = Run({"host", "remove", "srv-9", "--lost"});
  EXPECT_EQ(unsure.exit_code, a4c_cli::kUsage) << unsure.err;
  EXPECT_NE(unsure.err.find("1 workspace and 0 snapshots on srv-9 would be given up"),
            std::string::npos)
      << unsure.err;
  EXPECT_EQ(AnswerAtATerminal("no"), a4c_cli::kAuth);
  EXPECT_EQ(Run({"host", "get", "srv-9"}).exit_code, 0);
  EXPECT_EQ(AnswerAtATerminal("yes"), 0) << ReadAll(directory_ + "/err");
  EXPECT_EQ(Run({"host", "get", "srv-9"}).exit_code, a4c_cli::kNotFound);
  EXPECT_NE(Run({"workspace", "get", "dev-1"}).out.find("lost"), std::string::npos);
  EXPECT_EQ(Run({"workspace", "delete", "dev-1", "--wait"}).exit_code, 0);
  EXPECT_EQ(Run({"host", "remove", "srv-9", "--yes"}).exit_code, a4c_cli::kUsage)
      << "there is nothing to be sure of";
}

// What runs outlives the store that it was made by.
class CliPurge : public CliAsks {
 protected:
  // With a store that knows nothing.
  void StartAnew(const std::string& purge_age) {
    const std::string user = geteuid() == 0 ? "run_as_user: nobody, " : "";
    StartApp(
        "roles: [api, worker, sync, poller]\nwork: {idle_period: 20ms}\ncleanup: {purge_age: " +
        purge_age + "}\nhosts: {plugin: host-local, config: {" + user +
        "servers: [{id: one, path: '" + directory_ + "/one', disk: 1GiB}]}}\n");
    url_ = "http://127.0.0.1:" + std::to_string(port_);
  }
  void TearDown() override {
    StartAnew("0s");
    EXPECT_EQ(Run({"host", "purge", "one", "--all", "--yes"}).exit_code, 0);
    Cli::TearDown();
  }
  Ran Purge(std::vector<std::string> more) {
    more.insert(more.begin(), {"host", "purge", "one"});
    return Run(more);
  }
  // Asked whether all are to go.
  int AnswerAtATerminal(const std::string& answer) {
    return Answer({"host", "purge", "one", "--all"}, answer,
                  "1 unit of one and all that they keep would be gone for good. Purge?");
  }
  std::vector<std::string> Units() {
    std::vector<std::string> units;
    std::istringstream lines(Purge({"-o", "name"}).out);
    for (std::string line; std::getline(lines, line);) units.push_back(line);
    return units;
  }
};

TEST_F(CliPurge, UnitsWithoutARecordGoOnlyOnceSomebodyHasSaidWhich) {
  StartAnew("1h");
  for (const char* name : {"dev-1", "dev-2"}) {
    const Ran made = Run({"workspace", "create", name, "--wait", "--", "sleep", "600"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  EXPECT_EQ(Purge({}).err, "every unit on one has a record\n");
  StartAnew("1h");
  const std::vector<std::string> units = Units();
  ASSERT_EQ(units.size(), 2u);
  const Ran young = Purge({"--unit", units[0], "--yes"});
  EXPECT_EQ(young.exit_code, 1);
  EXPECT_NE(young.out.find("too short a while ago"), std::string::npos) << young.out;
  StartAnew("0s");
  const Ran list = Purge({});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_EQ(list.out.find("UNIT "), 0u) << list.out;
  EXPECT_NE(list.out.find("running"), std::string::npos) << list.out;
  EXPECT_NE(list.err.find("a4c host purge one --unit UNIT, or --all"), std::string::npos);
  const Ran unsure = Purge({"--all"});
  EXPECT_EQ(unsure.exit_code, 2);
  EXPECT_NE(unsure.err.find("2 units of one would be purged"), std::string::npos) << unsure.err;
  EXPECT_EQ(Purge({"--unit", "ws-typo"}).exit_code, a4c_cli::kNotFound);
  const Ran dry = Purge({"--all", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_NE(dry.out.find("would_go"), std::string::npos) << dry.out;
  EXPECT_EQ(Units().size(), 2u) << "nothing has gone so far";
  const Ran first = Purge({"--unit", units[0], "--yes", "-o", "json"});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  const auto told = a4c::ParseJson(first.out);
  ASSERT_TRUE(told) << first.out;
  EXPECT_EQ("unit/" + told->Items().at(0)["unit"].Text(), units[0]);
  EXPECT_EQ(told->Items().at(0)["result"].Text(), "gone");
  EXPECT_EQ(Units(), std::vector<std::string>{units[1]});
  EXPECT_EQ(AnswerAtATerminal("no"), a4c_cli::kAuth);
  EXPECT_EQ(Units().size(), 1u);
  EXPECT_EQ(AnswerAtATerminal("yes"), 0);
  EXPECT_TRUE(Units().empty());
}

TEST_F(Cli, AWorkspaceLivesLongerAndChangesItsLabels) {
  StartApp("roles: [api, worker, sync, poller]\nwork: {idle_period: 20ms}\n");
  url_ = "http://127.0.0.1:" + std::to_string(port_);
  ASSERT_EQ(Run({"workspace", "create", "dev-1", "--ttl", "1h", "--label", "old=yes", "--wait",
                 "--", "sleep", "infinity"})
                .exit_code,
            0);
  const Ran longer = Run({"workspace", "update", "dev-1", "--ttl", "never", "--idle-stop", "2h",
                          "--label", "team=blue", "--label", "old-", "--wait"});
  ASSERT_EQ(longer.exit_code, 0) << longer.err;
  const auto found = a4c::ParseJson(Run({"workspace", "get", "dev-1", "-o", "json"}).out);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->Find("expires_at"), nullptr) << found->ToString();
  EXPECT_EQ((*found)["idle_stop_ms"].Int(), 2 * 3'600'000);
  EXPECT_EQ((*found)["labels"].ToString(), R"({"team":"blue"})");
  EXPECT_EQ((*found)["actual"].Text(), "running");
}

TEST_F(Cli, StatsShowWhatWorkspacesUse) {
  StartApp("roles: [api, worker, sync, poller]\nwork: {idle_period: 20ms}\n");
  url_ = "http://127.0.0.1:" + std::to_string(port_);
  ASSERT_EQ(Run({"workspace", "create", "busy", "--memory", "64MiB", "--wait", "--", "sh", "-c",
                 "while :; do :; done"})
                .exit_code,
            0);
  ASSERT_EQ(
      Run({"workspace", "create", "quiet", "--disk", "1GiB", "--wait", "--", "sleep", "infinity"})
          .exit_code,
      0);
  const Ran all = Run({"workspace", "stats", "-o", "json"});
  ASSERT_EQ(all.exit_code, 0) << all.err;
  const auto list = a4c::ParseJson(all.out);
  ASSERT_TRUE(list) << all.out;
  ASSERT_EQ(list->Items().size(), 2u) << all.out;
  for (const a4c::Json& one : list->Items()) {
    const double cpu = std::strtod(one["cpu_percent"].ToString().c_str(), nullptr);
    EXPECT_EQ(cpu > 50, one["name"].Text() == "busy") << all.out;
  }
  const Ran table = Run({"workspace", "stats", "busy"});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_EQ(table.out.find("NAME  ACTUAL   CPU %"), 0u) << table.out;
  EXPECT_NE(table.out.find("4.0 MiB  64.0 MiB"), std::string::npos) << table.out;
  const Ran partly = Run({"workspace", "stats", "nobody", "quiet"});
  EXPECT_EQ(partly.exit_code, 3) << partly.err;
  EXPECT_NE(partly.out.find("quiet"), std::string::npos) << "the others are shown: " << partly.out;
  EXPECT_NE(partly.err.find("there is no workspace nobody"), std::string::npos) << partly.err;
  const Ran none = Run({"workspace", "stats", "nobody"});
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_EQ(none.out, "");
}

TEST_F(Cli, LabelsOfAServerAreChangedAndWorkspacesAskForThem) {
  const Ran labelled = Run({"host", "label", "local-2", "gpu=yes", "zone=b", "-o", "json"});
  ASSERT_EQ(labelled.exit_code, 0) << labelled.err;
  const Ran removed = Run({"host", "label", "local-2", "zone-", "-o", "json"});
  ASSERT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_NE(removed.out.find("\"gpu\""), std::string::npos) << removed.out;
  EXPECT_EQ(removed.out.find("\"zone\""), std::string::npos) << removed.out;
  EXPECT_EQ(Run({"host", "label", "local-2", "gpu"}).exit_code, 2);
  const Ran created = Run({"workspace", "create", "dev-1", "--constraint", "arch=amd64",
                           "--constraint", "label:gpu=yes", "-o", "json", "--", "sleep", "9"});
  ASSERT_EQ(created.exit_code, 0) << created.err;
  const Answer workspace = Get("/v1/workspaces/dev-1");
  EXPECT_EQ(workspace.body["constraints"]["arch"].Text(), "amd64") << workspace.text;
  EXPECT_EQ(workspace.body["constraints"]["labels"]["gpu"].Text(), "yes") << workspace.text;
  const Ran wrong = Run({"workspace", "create", "dev-2", "--constraint", "gpu=yes", "--", "true"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("label:gpu=yes"), std::string::npos) << wrong.err;
}

TEST_F(Cli, TheServerWithTheLeastUsedDiskIsNamed) {
  const Ran least = Run({"host", "least-used", "--disk", "1GiB", "-o", "name"});
  EXPECT_EQ(least.exit_code, 0) << least.err;
  EXPECT_TRUE(least.out.starts_with("host/local-")) << least.out;
  const Ran table = Run({"host", "least-used"});
  EXPECT_NE(table.out.find(" %"), std::string::npos) << table.out;
  const Ran none = Run({"host", "least-used", "--label", "gpu=yes"});
  EXPECT_EQ(none.exit_code, a4c_cli::kNoCapacity) << none.err;
  EXPECT_NE(none.err.find("3 labels"), std::string::npos) << none.err;
}

TEST_F(Cli, ServersAreAddedByAFileEachForItself) {
  const std::string file = directory_ + "/hosts.yaml";
  std::ofstream(file) << "hosts:\n"
                         "  - {address: 'memory:one', fingerprint: 'SHA256:one'}\n"
                         "  - {id: bad, address: 'memory:two', fingerprint: 'SHA256:other'}\n"
                         "  - {id: third, address: 'memory:three', fingerprint: 'SHA256:three',"
                         " labels: {zone: b}}\n";
  const Ran ran = Run({"host", "add", "-f", file, "-o", "name"});
  EXPECT_EQ(ran.exit_code, 5) << ran.err;
  EXPECT_EQ(ran.out, "host/one\nhost/third\n");
  EXPECT_NE(ran.err.find("SHA256:two"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("error: bad: "), std::string::npos) << ran.err;
  EXPECT_TRUE(ran.err.ends_with("2 added, 0 already enrolled, 1 failed\n")) << ran.err;
  std::ofstream(file) << "hosts:\n  - {adress: 'memory:one'}\n";
  const Ran wrong = Run({"host", "add", "-f", file});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("adress"), std::string::npos) << wrong.err;
}

TEST_F(Cli, AFileOfServersIsAddedAgainWithoutHarm) {
  const std::string file = directory_ + "/hosts.yaml";
  std::string list;
  for (int i = 1; i <= 12; ++i) {
    const std::string id = "srv-" + std::to_string(i);
    list += "- {address: 'memory:";
    list.append(id).append("', fingerprint: 'SHA256:").append(id).append("'}\n");
  }
  std::ofstream(file) << list;
  const Ran first = Run({"host", "add", "-f", file, "-o", "name"});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_TRUE(first.out.starts_with("host/srv-1\nhost/srv-2\n")) << "in their order: " << first.out;
  EXPECT_EQ(first.err, "12 added, 0 already enrolled, 0 failed\n");
  // One is new, one is another than the one enrolled, and one names no fingerprint any more.
  std::ofstream(file) << list << "- {address: 'memory:srv-13', fingerprint: 'SHA256:srv-13'}\n"
                      << "- {id: srv-1, address: 'memory:else', fingerprint: 'SHA256:else'}\n"
                      << "- {address: 'memory:srv-2'}\n";
  const Ran again = Run({"host", "add", "-f", file, "-o", "name"});
  EXPECT_EQ(again.exit_code, a4c_cli::kConflict) << again.err;
  EXPECT_EQ(again.out, "host/srv-13\n");
  EXPECT_TRUE(again.err.starts_with("srv-1 is already enrolled\n")) << again.err;
  EXPECT_NE(again.err.find("error: srv-1: "), std::string::npos) << again.err;
  EXPECT_TRUE(again.err.ends_with("1 added, 13 already enrolled, 1 failed\n")) << again.err;
}

TEST_F(Cli, AWorkspaceSaysWhatADrainMayDoWithIt) {
  const auto created = [&](const std::string& name, const std::vector<std::string>& flags) {
    std::vector<std::string> arguments{"workspace", "create", name};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    arguments.insert(arguments.end(), {"--", "sleep", "9"});
    return Run(arguments).exit_code;
  };
  EXPECT_EQ(created("kept", {}), 0);
  EXPECT_EQ(created("moved", {"--on-drain", "recreate"}), 0);
  EXPECT_EQ(created("wrong", {"--on-drain", "explode"}), 2);
  EXPECT_EQ(Get("/v1/workspaces/kept").body["on_drain"].Text(), "keep");
  EXPECT_EQ(Get("/v1/workspaces/moved").body["on_drain"].Text(), "recreate");
}

TEST_F(Cli, DoctorSaysWhatToDo) {
  const Ran well = Run({"doctor"});
  EXPECT_EQ(well.exit_code, 0) << well.out;
  for (const char* check : {" answers", "the clocks agree", "the key is accepted", "versions fit",
                            "search is available", "ok    background loops go on"}) {
    EXPECT_NE(well.out.find(check), std::string::npos) << check << " in " << well.out;
  }
  const Ran ran =
      Run({"--request-timeout-ms", "300", "doctor"}, {{"A4C_URL", "http://127.0.0.1:1"}});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.out.find("FAIL  http://127.0.0.1:1 answers"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("do: start it"), std::string::npos) << ran.out;
}

TEST_F(Cli, ALoopThatFailsAndAClockThatIsWrongAreFindingsOfDoctor) {
  const std::string ok = Told("200 OK", "{}");
  const a4c::testing::Canned server(
      {ok, ok,
       Told("200 OK",
            R"({"version":"0.1","clock_ahead_ms":-7000,"search":{"available":true},"loops":[)"
            R"({"name":"idle","role":"worker","healthy":true},)"
            R"({"name":"drain","role":"worker","healthy":false,"error":"no such row"}]})"),
       Told("403 Forbidden", "{}")});
  const Ran ran = Run({"doctor"}, {{"A4C_URL", server.url()}});
  EXPECT_EQ(ran.exit_code, 1) << ran.out;
  EXPECT_NE(ran.out.find("FAIL  background loop drain\n      no such row\n      do: "),
            std::string::npos)
      << ran.out;
  EXPECT_EQ(ran.out.find("loop idle"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("FAIL  the clocks of a4cd and its store agree\n"
                         "      a4cd is 7000 ms behind\n"),
            std::string::npos)
      << ran.out;
}

TEST_F(Cli, AnErrorInsideIsToldWithTheIdThatTheLogHas) {
  const auto ran = [&](const std::string& status) {
    const std::string body = R"({"title":"t","detail":"it failed"})";
    const a4c::testing::Canned server(
        {"HTTP/1.1 " + status + "\r\nContent-Type: application/problem+json\r\n" +
         "X-Request-Id: the-id\x1b[2J\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body});
    return Run({"--request-timeout-ms", "500", "tenant", "list"}, {{"A4C_URL", server.url()}}).err;
  };
  const std::string inside = ran("500 Internal Server Error");
  EXPECT_NE(inside.find("error: it failed\nrequest: the-id?[2J\n"), std::string::npos) << inside;
  EXPECT_EQ(ran("404 Not Found").find("request:"), std::string::npos);
}

// As most have that are not of an operator.
TEST_F(Cli, AKeyThatMaySeeLittleIsNoFailureOfDoctor) {
  const std::string file = directory_ + "/key";
  std::ofstream(file) << KeyFor("other", R"("jobs:read")");
  const Ran ran = Run({"doctor"}, {{"A4C_API_KEY_FILE", file}});
  EXPECT_EQ(ran.exit_code, 0) << ran.out;
  EXPECT_NE(ran.out.find("ok    the key is accepted\n"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("WARN  versions, search and plugins were not looked at\n"
                         "      this needs the scope status:read\n"),
            std::string::npos)
      << ran.out;
}

TEST_F(Cli, DoctorTellsProgramsTheSame) {
  const Ran ran = Run({"--request-timeout-ms", "300", "doctor", "-o", "json"},
                      {{"A4C_URL", "http://127.0.0.1:1"}});
  EXPECT_EQ(ran.exit_code, 1);
  const auto told = a4c::ParseJson(ran.out);
  ASSERT_TRUE(told) << ran.out;
  const auto& items = told->Items();
  ASSERT_EQ(items.size(), 3u) << ran.out;
  EXPECT_EQ(items[1].ToString(), R"({"level":"ok","check":"URL and key are known"})");
  EXPECT_EQ(items[2]["level"].Text(), "FAIL");
  EXPECT_EQ(items[2]["check"].Text(), "http://127.0.0.1:1 answers");
  EXPECT_NE(items[2]["hint"].Text().find("start it"), std::string::npos);
}

TEST_F(Cli, DisksAreDrawn) {
  const Ran all = Run({"host", "disks"});
  EXPECT_EQ(all.exit_code, a4c_cli::kOk) << all.err;
  EXPECT_NE(all.out.find("local-1  [..............................]   0 %"), std::string::npos)
      << all.out;
  const Ran one = Run({"host", "disks", "local-1"});
  EXPECT_EQ(one.exit_code, a4c_cli::kOk) << one.err;
  EXPECT_NE(one.out.find("cache"), std::string::npos) << one.out;
  EXPECT_EQ(Run({"host", "disks", "local-1", "-o", "name"}).out, "host/local-1\n");
  EXPECT_TRUE(Run({"host", "disks", "local-1", "-o", "yaml"}).out.starts_with("host: local-1\n"));
  EXPECT_EQ(Run({"host", "disks", "nowhere"}).exit_code, a4c_cli::kNotFound);
}

}  // namespace
}  // namespace a4cd
