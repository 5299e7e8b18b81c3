// The command line, run as a program against an a4cd in this process: its conventions, what it
// prints, and its exit codes.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "apps/a4c/exit_code.h"
#include "tests/integration/cli/cli_fixture.h"

namespace a4cd {
namespace {

TEST_F(Cli, OutputThatCannotBeWrittenIsNoSuccess) {
  const Ran ran = Run({"status", "-o", "json"}, {}, "/dev/full");
  EXPECT_EQ(ran.exit_code, a4c_cli::kFailed);
  EXPECT_NE(ran.err.find("standard output could not be written"), std::string::npos) << ran.err;
}

TEST_F(Cli, ADirectoryInPlaceOfAFileIsAnError) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"job", "create", "command.run", "--payload", "@" + directory_},
        {"secret", "set", "token", "--from-file", directory_},
        {"job", "batch", directory_},
        {"host", "add", "-f", directory_}}) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, a4c_cli::kUsage) << ran.err;
    EXPECT_NE(ran.err.find("cannot be read"), std::string::npos) << ran.err;
  }
}

TEST_F(Cli, AnEmptyListIsASuccess) {
  const Ran ran = Run({"job", "list", "-o", "json"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out, "[]\n");
}

TEST_F(Cli, ExitCodesTellWhatWentWrong) {
  Run({"workspace", "create", "dev-1", "--", "sleep", "9"});
  const std::string id = Get("/v1/jobs").body["items"].Items().at(0)["id"].Text();
  struct Case {
    std::vector<std::string> arguments;
    std::vector<std::pair<std::string, std::string>> environment;
    int exit_code;
  };
  const Case cases[] = {
      {{"job", "list"}, {}, 0},
      {{"--no-such-flag"}, {}, 2},
      {{"job", "create", "nope"}, {}, 2},
      {{"job", "list", "-q", "state:("}, {}, 2},
      {{"job", "get", "nope"}, {}, 3},
      {{"workspace", "get", "nope"}, {}, 3},
      {{"job", "list"}, {{"A4C_API_KEY", "a4c_wrong"}}, 4},
      {{"job", "retry", id}, {}, 5},
      {{"workspace", "create", "dev-1", "--", "sleep", "9"}, {}, 5},
      {{"job", "cancel", id}, {}, 0},
      {{"job", "watch", id}, {}, 1},
      {{"--context", "nowhere", "job", "list"}, {}, 2},
      {{"--request-timeout-ms", "500", "job", "list"}, {{"A4C_URL", "http://127.0.0.1:1"}}, 8},
      {{"host", "add", "nonsense", "--fingerprint", "f"}, {}, 2},
      {{"host", "add", "memory:new", "--fingerprint", "SHA256:other"}, {}, 5},
      {{"host", "add"}, {}, 2},
      {{"host", "remove", "nope"}, {}, 3},
      {{"host", "remove", "local-1"}, {}, 5},
      {{"audit", "list"}, {}, 0},
  };
  for (const Case& one : cases) {
    const Ran ran = Run(one.arguments, one.environment);
    EXPECT_EQ(ran.exit_code, one.exit_code) << testing::PrintToString(one.arguments) << ran.err;
    // A job that was watched to its end has its say on standard output.
    const bool watched = one.arguments.size() > 1 && one.arguments[1] == "watch";
    EXPECT_EQ(ran.err.empty(), one.exit_code == 0 || watched)
        << testing::PrintToString(one.arguments) << ran.err;
  }
}

TEST_F(Cli, WhatIsWrongIsSaidOnceAndWithWhatToDo) {
  struct Case {
    std::vector<std::string> arguments;
    std::string err;
  };
  const Case cases[] = {
      {{"workspace", "create", "dev-1"},
       "error: without an image there has to be a command to run\n"
       "hint: a4c workspace create dev-1 -- sleep 600\n"},
      {{"workspace", "create", "dev-1", "--restart", "often", "--", "sleep", "9"},
       "error: --restart: often not in {never,on_failure,always}\n"
       "hint: a4c workspace create --help\n"},
      {{"workspace", "update", "dev-1", "--memory", "lots"},
       "error: /memory is a size\nhint: write 1048576 (bytes), \"512MiB\" or \"20GiB\"\n"},
      {{"workspace", "update", "dev-1", "--ttl", "soon"},
       "error: /ttl is a duration\nhint: write 90 (seconds), \"30s\", \"5m\", "},
      {{"workspace", "update", "dev-1", "--label", "old"},
       "error: \"old\" is no change of a label\nhint: NAME=value sets NAME, NAME- removes it\n"},
      {{"workspace", "update", "dev-1", "--env", "OLD"},
       "error: \"OLD\" is no change of a variable\nhint: NAME=value sets NAME, NAME- removes it\n"},
      {{"workspace", "update", "dev-1", "memory=1GiB"},
       "error: \"memory=1GiB\" is no option, and a command follows --\n"
       "hint: a4c workspace update dev-1 -- sleep 600\n"},
      {{"workspace", "create", "dev-1", "--cpu-millis", "-5", "--", "sleep", "9"},
       "error: --cpu-millis: "},
      {{"workspace", "update", "dev-1", "--cpu-millis", "0"}, "error: --cpu-millis: "},
      {{"workspace", "update", "dev-1", "--pids", "0"}, "error: --pids: "},
      {{"workspace", "update", "dev-1"}, "error: there is nothing to change\nhint: give --image, "},
      {{"image", "build", "-t", "a:1", "--cpu-millis", "-5", "."}, "error: --cpu-millis: "},
      {{"job", "create", "host.cleanup", "--priority", "-1"}, "error: --priority: "},
      {{"job", "create", "host.cleanup", "--priority", "10"}, "error: --priority: "},
      {{"job", "cancel", "nope", "--timeout", "-1"}, "error: --timeout: "},
      {{"workspace", "update", "dev-1", "sleep", "--", "9"},
       "error: \"sleep\" is no option, and a command follows --\n"},
      {{"workspace", "create", "dev-1", "sleep", "--timeout", "5", "100"},
       "error: --timeout behind \"sleep\" may be meant for either\n"
       "hint: options of a4c stand before the command, and it follows --: "
       "a4c workspace create dev-1 -- sleep --timeout 5 100\n"},
      {{"job", "create", "nope"},
       "error: /type is no type of job\nhint: one of workspace.create, workspace.start, "},
      {{"key", "create", "ci", "--scope", "bogus"},
       "error: /scopes \"bogus\" is no scope\nhint: one of *, "},
      {{"host", "add"},
       "error: name one server, or a file of them with -f, and not both\nhint: a4c host add "},
      {{"host", "add", "-f", "/no/such/file"},
       "error: the file /no/such/file cannot be read: No such file or directory\n"},
      {{"host", "cleanup", "nope"}, "error: there is no server nope\nhint: "},
      {{"host", "adopt", "nope"}, "error: there is no server nope\nhint: "},
  };
  for (const Case& one : cases) {
    const Ran ran = Run(one.arguments);
    EXPECT_TRUE(ran.err.starts_with(one.err)) << ran.err;
    EXPECT_LE(std::ranges::count(ran.err, '\n'), 2) << ran.err;
    EXPECT_EQ(ran.out, "") << testing::PrintToString(one.arguments);
  }
}

// What stands behind an option's value is a word of its own.
TEST_F(Cli, AnOptionThatIsRepeatedTakesOneValueEachTime) {
  const Ran job = Run({"job", "create", "--label", "a=b", "--label", "c=d,e", "--set",
                       "host=local-1", "--set", "dry_run=true", "host.cleanup", "-o", "json"});
  ASSERT_EQ(job.exit_code, 0) << job.err;
  EXPECT_EQ((*a4c::ParseJson(job.out))["labels"].ToString(), R"({"a":"b","c":"d,e"})");
  const Ran key = Run({"key", "create", "--scope", "jobs:read", "--scope", "hosts:read", "ci"});
  EXPECT_EQ(key.exit_code, 0) << key.err;
  const Ran host = Run({"host", "add", "--set", "a=b", "--label", "c=d", "nonsense"});
  EXPECT_EQ(host.err.find("name one server"), std::string::npos) << host.err;
  const Ran purge = Run({"host", "purge", "--unit", "u", "nope"});
  EXPECT_EQ(purge.exit_code, a4c_cli::kNotFound) << purge.err;
}

TEST_F(Cli, ATenantIsMadeAndHasKeysOfItsOwn) {
  const std::vector<std::string> create_key = {"key",     "create",    "ci", "--tenant", "acme",
                                               "--scope", "jobs:read", "-o", "json"};
  const Ran early = Run(create_key);
  EXPECT_EQ(early.exit_code, 3);
  EXPECT_NE(early.err.find("a4c tenant create acme"), std::string::npos) << early.err;
  EXPECT_EQ(Run({"tenant", "create", "acme", "--share", "2"}).exit_code, 0);
  EXPECT_EQ(Run({"tenant", "create", "acme"}).exit_code, 5);
  const auto tenants = a4c::ParseJson(Run({"tenant", "list", "-o", "json"}).out);
  ASSERT_TRUE(tenants);
  EXPECT_EQ(tenants->Items().back()["id"].Text(), "acme");
  EXPECT_EQ(tenants->Items().back()["share"].Int(), 2);
  const auto made = a4c::ParseJson(Run(create_key).out);
  ASSERT_TRUE(made);
  const Ran theirs = Run({"tenant", "list"}, {{"A4C_API_KEY", (*made)["key"].Text()}});
  EXPECT_EQ(theirs.exit_code, 4) << "that needs a scope of its own";
}

TEST_F(Cli, TheFormatIsThatOfTheEnvironmentUnlessItIsGiven) {
  const auto list = [&](const char* of_environment, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"tenant", "list"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words, {{"A4C_OUTPUT", of_environment}});
  };
  EXPECT_EQ(list("name").out, "tenant/default\n");
  EXPECT_TRUE(list("").out.starts_with("ID ")) << list("").out;
  EXPECT_TRUE(list("name", {"-o", "json"}).out.starts_with("[")) << "the command line wins";
  const Ran wrong = list("xml");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_EQ(wrong.out, "");
  EXPECT_NE(wrong.err.find("A4C_OUTPUT: xml is none of table"), std::string::npos) << wrong.err;
  EXPECT_EQ(list("xml", {"-o", "name"}).exit_code, 0) << "nobody asks it";
  EXPECT_EQ(Run({"completion", "bash"}, {{"A4C_OUTPUT", "xml"}}).exit_code, 0);
  EXPECT_EQ(Run({"help", "exit-codes"}, {{"A4C_OUTPUT", "xml"}}).exit_code, 0);
}

TEST_F(Cli, ANameIsWhatIdentifiesAndIsRefusedWhereNothingHasOne) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"status"},
                                                    {"doctor"},
                                                    {"sync", "status"},
                                                    {"sync", "rebuild", "--drop-old"},
                                                    {"sync", "retry", "--all"},
                                                    {"job", "count", "--by", "state"}}) {
    std::vector<std::string> words = arguments;
    words.insert(words.end(), {"-o", "name"});
    const Ran ran = Run(words);
    EXPECT_EQ(ran.exit_code, a4c_cli::kUsage) << ran.out;
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err.find("hint: -o json"), std::string::npos) << ran.err;
  }
  std::ofstream(directory_ + "/value") << "s3cr3t";
  Run({"secret", "set", "token", "--from-file", directory_ + "/value"});
  EXPECT_EQ(Run({"secret", "list", "-o", "name"}).out, "secret/token\n");
  const Ran images = Run({"image", "list", "-o", "name"});
  EXPECT_EQ(images.out.find("image/\n"), std::string::npos) << images.out;
}

TEST_F(Cli, ATenantIsUpdated) {
  ASSERT_EQ(Run({"tenant", "create", "acme"}).exit_code, 0);
  const Ran updated =
      Run({"tenant", "update", "tenant/acme", "--share", "5", "--name", "Acme", "-o", "json"});
  ASSERT_EQ(updated.exit_code, 0) << updated.err;
  EXPECT_EQ((*a4c::ParseJson(updated.out))["share"].Int(), 5) << updated.out;
  EXPECT_EQ(Get("/v1/tenants/acme").body["name"].Text(), "Acme");
  for (const char* share : {"0", "-1", "1001", "many"}) {
    const Ran wrong = Run({"tenant", "update", "acme", "--share", share});
    EXPECT_EQ(wrong.exit_code, 2) << share;
    EXPECT_NE(wrong.err.find("--share"), std::string::npos) << wrong.err;
  }
  const Ran nothing = Run({"tenant", "update", "acme"});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_NE(nothing.err.find("give --name, --share"), std::string::npos) << nothing.err;
  EXPECT_EQ(Run({"tenant", "update", "nobody", "--share", "2"}).exit_code, 3);
  EXPECT_EQ(Run({"tenant", "update", "default", "--share", "2"}).exit_code, 5);
}

TEST_F(Cli, TheAuditLogIsListed) {
  Run({"workspace", "create", "dev-1", "--", "sleep", "9"});
  const Ran ran = Run({"audit", "list"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("createWorkspace"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("applied"), std::string::npos) << ran.out;
}

TEST_F(Cli, ErrorsInJsonAreProblemsWithTheHint) {
  const Ran ran = Run({"job", "get", "nope", "-o", "json"});
  const auto problem = a4c::ParseJson(ran.err);
  ASSERT_TRUE(problem) << ran.err;
  EXPECT_EQ((*problem)["status"].Int(), 404);
  EXPECT_NE(Run({"job", "get", "nope"}).err.find("hint: list them: a4c job list"),
            std::string::npos);
}

TEST_F(Cli, KeepsContextsInAFileThatOthersCannotRead) {
  const std::string file = directory_ + "/config.yaml";
  EXPECT_EQ(Run({"context", "set", "home"}).exit_code, 0);
  EXPECT_EQ(std::filesystem::status(file).permissions() & std::filesystem::perms::all,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  // The context alone is enough now.
  EXPECT_EQ(Run({"job", "list"}, {{"A4C_URL", ""}, {"A4C_API_KEY_FILE", ""}}).exit_code, 0);
  EXPECT_NE(Run({"context", "list"}).out.find("home  yes"), std::string::npos);
  EXPECT_EQ(Run({"context", "list", "-o", "json"}).out.find(key_), std::string::npos);
  EXPECT_EQ(Run({"context", "use", "away"}).exit_code, 3);
  EXPECT_EQ(Run({"context", "set", "away"}).exit_code, 0);
  EXPECT_EQ(Run({"context", "use", "away"}).exit_code, 0);
  EXPECT_EQ(Run({"context", "remove", "away"}).exit_code, 0);
  EXPECT_EQ(Run({"context", "remove", "away"}).exit_code, 3);
  EXPECT_NE(Run({"context", "list"}).out.find("home  no"), std::string::npos) << "none is chosen";
  std::filesystem::permissions(file, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(Run({"context", "list"}).exit_code, 4);
}

class CliContexts : public Cli {
 protected:
  // With nothing of the environment but what is given.
  Ran Say(const std::vector<std::string>& arguments,
          std::vector<std::pair<std::string, std::string>> more = {}) {
    more.insert(more.begin(), {{"A4C_URL", ""}, {"A4C_API_KEY_FILE", ""}});
    return Run(arguments, more);
  }
  a4c::Json Named(const std::string& name) {
    const auto list = a4c::ParseJson(Say({"context", "list", "-o", "json"}).out);
    for (const a4c::Json& one : list->Items()) {
      if (one["id"].Text() == name) return one;
    }
    return nullptr;
  }
};

TEST_F(CliContexts, OneIsSetFromItsOwnValuesAndWhatIsGiven) {
  const Ran home =
      Say({"--url", url_ + "/", "--api-key-file", key_file_, "context", "set", "home"});
  EXPECT_EQ(home.err, "context home: " + url_ + ", with a key; it is the current one\n");
  const Ran away = Say({"--url", "https://gw.example/a4c", "context", "set", "away"});
  EXPECT_EQ(away.err,
            "context away: https://gw.example/a4c, without a key; to make it the current one: "
            "a4c context use away\n");
  EXPECT_FALSE(Named("away")["key"].Bool()) << "home's key is home's";
  EXPECT_EQ(Say({"context", "set", "away", "--api-key-file", key_file_, "--quiet"}).err, "");
  EXPECT_EQ(Named("away")["url"].Text(), "https://gw.example/a4c");
  EXPECT_TRUE(Named("away")["key"].Bool());
  EXPECT_EQ(Named("home")["url"].Text(), url_);
  const Ran moved = Say({"context", "set", "away", "--url", "https://other.example"});
  EXPECT_EQ(moved.exit_code, a4c_cli::kUsage) << "its key was for another";
  EXPECT_NE(moved.err.find("hint: name the key as well"), std::string::npos) << moved.err;
  EXPECT_EQ(Say({"--context", "home", "context", "set", "new"}).exit_code, a4c_cli::kUsage);
  const Ran no_ca = Say({"context", "set", "away", "--ca-file", directory_ + "/none.pem"});
  EXPECT_EQ(no_ca.exit_code, a4c_cli::kUsage);
  EXPECT_NE(no_ca.err.find("/none.pem"), std::string::npos) << no_ca.err;
  EXPECT_EQ(Named("away")["ca_file"].Text(), "");
}

TEST_F(CliContexts, AKeyOfAContextGoesToItsUrlAlone) {
  Say({"--url", "http://127.0.0.1:1", "--api-key-file", key_file_, "context", "set", "home"});
  for (const bool by_flag : {true, false}) {
    const Ran other =
        by_flag ? Say({"--url", url_, "job", "list"}) : Say({"job", "list"}, {{"A4C_URL", url_}});
    EXPECT_EQ(other.exit_code, a4c_cli::kAuth);
    EXPECT_EQ(other.out, "");
    EXPECT_TRUE(
        other.err.starts_with("error: the API key of the context is for "
                              "http://127.0.0.1:1, and is not sent to " +
                              url_ + "\nhint: "))
        << other.err;
  }
  EXPECT_EQ(Say({"--url", url_, "--api-key-file", key_file_, "job", "list"}).exit_code, 0);
  Say({"--url", url_, "--api-key-file", key_file_, "context", "set", "home"});
  EXPECT_EQ(Say({"--url", url_ + "/", "job", "list"}).exit_code, 0) << "it is the same";
}

TEST_F(CliContexts, WhoHasNoKeyIsToldHowToGiveOne) {
  const Ran none = Say({"--url", url_, "job", "list"});
  EXPECT_EQ(none.exit_code, a4c_cli::kAuth);
  EXPECT_EQ(
      none.err,
      "error: there is no API key for " + url_ +
          "\nhint: --api-key-file FILE or A4C_API_KEY_FILE names one; to keep it: a4c --url " +
          url_ + " --api-key-file FILE context set NAME\n");
  const Ran wrong = Say({"--url", url_, "job", "list"}, {{"A4C_API_KEY", "a4c_wrong"}});
  EXPECT_EQ(wrong.err.find("there is no API key for"), std::string::npos) << wrong.err;
  const Ran file = Say({"--api-key-file", directory_ + "/none", "job", "list"});
  EXPECT_EQ(file.exit_code, a4c_cli::kUsage);
  EXPECT_NE(file.err.find("none cannot be read: No such file or directory\nhint: --api-key-file"),
            std::string::npos)
      << file.err;
}

TEST_F(Cli, CompletesCommandsFlagsAndIds) {
  EXPECT_EQ(Run({"__complete", "--", "job", "ca"}).out, "cancel\n");
  EXPECT_NE(Run({"__complete", "--", "job", "list", "--qu"}).out.find("--query\n"),
            std::string::npos);
  EXPECT_EQ(Run({"__complete", "--", "host", "get", "local-"}).out, "local-1\nlocal-2\nlocal-3\n");
  EXPECT_EQ(Run({"__complete", "--", "workspace", "create", "x", "--on-drain", ""}).out,
            "keep\nrecreate\n");
  EXPECT_EQ(Run({"__complete", "--", "job", "list", "-o", "n"}).out, "ndjson\nname\n");
  EXPECT_EQ(Run({"__complete", "--", "host", "get", "--url", ""}).out, "") << "no server";
  EXPECT_EQ(Run({"__complete", "--", "--url", "http://127.0.0.1:1", "host", "get", ""}).out, "")
      << "what is asked is what the words say";
  EXPECT_EQ(Run({"__complete", "--", "--url=http://127.0.0.1:1", "host", "get", ""}).out, "");
  EXPECT_EQ(Run({"__complete", "--", "host", "get", "--url", "=", url_, "local-2"}).out,
            "local-2\n");
  ASSERT_EQ(Run({"--url", url_, "context", "set", "away"}).exit_code, 0);
  EXPECT_EQ(Run({"__complete", "--", "--context", "aw"}).out, "away\n");
  EXPECT_EQ(Run({"__complete", "--", "context", "use", ""}).out, "away\n");
  EXPECT_EQ(Run({"__complete", "--", "workspace", "create", "x", "--host", "local-2"}).out,
            "local-2\n");
  EXPECT_EQ(Run({"__complete", "--", "host", "cordon", "local-1", "local-"}).out,
            "local-2\nlocal-3\n")
      << "what was not named yet";
  EXPECT_EQ(Run({"__complete", "--", "host", "enrol", "local-1", ""}).out, "") << "it takes one";
  EXPECT_EQ(Run({"__complete", "--", "job", "create", "host.c"}).out, "host.cleanup\n");
  EXPECT_EQ(Run({"__complete", "--", "job", "list", "--type", "image"}).out, "image.build\n");
  const std::string id = CreateWorkspaceJob("dev-1").body["id"].Text();
  EXPECT_EQ(Run({"__complete", "--", "job", "create", ""}).out.find(id), std::string::npos);
  EXPECT_EQ(Run({"__complete", "--", "job", "cancel", ""}).out, id + "\n");
  EXPECT_EQ(Run({"__complete", "--", "explain", ""}).out, id + "\n");
  EXPECT_NE(Run({"completion", "bash"}).out.find("complete -o default -F _a4c a4c"),
            std::string::npos);
}

TEST_F(Cli, CompletesQueriesWithFieldsAndValues) {
  const Answer created = CreateWorkspaceJob("dev-1");
  ASSERT_EQ(Get("/v1/jobs?q=*&token=" + created.Header("a4c-token")).status, 200);
  const auto complete = [&](const std::string& query) {
    return Run({"__complete", "--", "job", "list", "-q", query}).out;
  };
  EXPECT_EQ(complete("sta"), "state:\nstarted_at:\n");
  EXPECT_EQ(complete("'type:image.build or state:pen"), "type:image.build or state:pending\n");
  EXPECT_EQ(complete("\"\u00e4rger or wor"), "\u00e4rger or workspace:\n");
  EXPECT_EQ(complete("state:a) b"), "");
}

TEST_F(Cli, AWrongCommandLineSaysWhatWasProbablyMeant) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"workspce", "list"},
       "error: unknown command \"workspce\"\nhint: did you mean \"workspace\"?"},
      {{"job", "lst"}, "error: unknown command \"lst\"\nhint: did you mean \"list\"?"},
      {{"zzzz"}, "error: unknown command \"zzzz\"\nhint: a4c --help"},
      {{"job", "list", "--sorted", "x"},
       "error: unknown option --sorted\nhint: did you mean \"--sort\"?"},
      {{"job", "get", "--bogus=1"}, "error: unknown option --bogus\nhint: a4c job get --help"},
      {{"job", "list", "x"}, "error: unexpected argument \"x\"\nhint: a4c job list --help"},
      {{"job", "get"}, "error: job is required\nhint: a4c job get --help"},
      {{"help", "job", "lst"}, "error: unknown command \"lst\"\nhint: did you mean \"list\"?"},
      {{}, "Usage: a4c [OPTIONS] SUBCOMMAND"},
      {{"job"}, "Usage: a4c job [OPTIONS] SUBCOMMAND"},
  };
  for (const auto& [arguments, what] : wrong) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, a4c_cli::kUsage) << what;
    EXPECT_NE(ran.err.find(what), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "") << "what is wrong is no output";
  }
  const std::string of_secret = Run({"secret", "list", "s3cr3t"}).err;
  EXPECT_NE(of_secret.find("error: an argument too many"), std::string::npos) << of_secret;
  EXPECT_EQ(of_secret.find("s3cr3t"), std::string::npos);
  EXPECT_NE(Run({"help"}).out.find("Usage: a4c [OPTIONS] SUBCOMMAND"), std::string::npos);
  EXPECT_NE(Run({"help", "job", "get"}).out.find("Usage: a4c job get "), std::string::npos);
}

TEST_F(Cli, AWrongCommandLineIsAProblemWhereJsonIsAskedFor) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"-o", "json", "workspce", "list"}, "unknown command \"workspce\""},
      {{"job", "list", "--sorted", "x", "-o", "json"}, "unknown option --sorted"},
      {{"job", "get", "-o", "ndjson"}, "job is required"},
      {{"job", "create", "x", "--priority", "10", "--output=json"}, "--priority: "},
      {{"job", "-ojson"}, "a command is required"},
      {{"help", "job", "lst", "-o", "json"}, "unknown command \"lst\""},
  };
  for (const auto& [arguments, what] : wrong) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, a4c_cli::kUsage) << what;
    const auto problem = a4c::ParseJson(ran.err);
    ASSERT_TRUE(problem) << ran.err;
    EXPECT_TRUE((*problem)["detail"].Text().starts_with(what)) << ran.err;
    EXPECT_EQ((*problem)["title"].Text(), "invalid");
    EXPECT_FALSE((*problem)["hint"].Text().empty()) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
  const Ran by_environment = Run({"job", "lst"}, {{"A4C_OUTPUT", "json"}});
  EXPECT_TRUE(a4c::ParseJson(by_environment.err)) << by_environment.err;
}

TEST_F(Cli, TheHelpOfACommandHasTheFlagsThatMayStandAnywhere) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"job", "list", "--help"}, {"help", "job", "list"}}) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, 0);
    EXPECT_NE(ran.out.find("--sort"), std::string::npos) << ran.out;
    const size_t global = ran.out.find("Global options:\n");
    ASSERT_NE(global, std::string::npos) << ran.out;
    for (const char* flag : {"--url", "--context", "-o,--output", "--quiet"}) {
      EXPECT_NE(ran.out.find(flag, global), std::string::npos) << flag << " in " << ran.out;
    }
  }
  EXPECT_EQ(Run({"--help"}).out.find("Global options:"), std::string::npos);
}

TEST_F(Cli, AListIsWholeHoweverSmallAPageMayBe) {
  StartApp("api: {page_limit_max: 2}\n");
  url_ = "http://127.0.0.1:" + std::to_string(app_->port());
  for (const char* name : {"one", "two", "three", "four"}) {
    ASSERT_EQ(Run({"key", "create", name, "--scope", "jobs:read"}).exit_code, 0);
  }
  const Ran keys = Run({"key", "list", "-o", "name"});
  EXPECT_EQ(keys.exit_code, 0) << keys.err;
  EXPECT_EQ(std::ranges::count(keys.out, '\n'), 5) << "the first key too: " << keys.out;
  for (const char* noun : {"workspace", "secret", "snapshot"}) {
    const Ran ran = Run({noun, "list"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  }
}

}  // namespace
}  // namespace a4cd
