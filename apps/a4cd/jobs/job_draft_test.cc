#include "apps/a4cd/jobs/job_draft.h"

#include <gtest/gtest.h>

namespace a4cd {
namespace {

Faults FaultsOf(const std::string& text) {
  Faults faults;
  ReadJobDraft(*a4c::ParseJson(text), faults);
  return faults;
}

TEST(JobDraft, TakesEachTypeWithItsPayload) {
  const char* good[] = {
      R"({"type":"workspace.create","payload":{"name":"dev-1","command":["sleep","9"]}})",
      R"({"type":"workspace.create","payload":{"name":"d","image":"x","memory":"512MiB","ttl":"8h"}})",
      R"({"type":"workspace.create","payload":{"name":"d","image":"x","constraints":{"arch":"arm64","labels":{"gpu":"yes"}}}})",
      R"({"type":"workspace.start","payload":{"workspace":"d"}})",
      R"({"type":"workspace.stop","payload":{"workspace":"d"}})",
      R"({"type":"workspace.update","payload":{"workspace":"d","ttl":"never","idle_stop":0}})",
      R"({"type":"workspace.update","payload":{"workspace":"d","labels":{"remove":["gpu"]}}})",
      R"({"type":"workspace.update","payload":{"workspace":"d","command":[]}})",
      R"({"type":"workspace.update","payload":{"workspace":"d","env":{"set":{"A":""},"remove":["B"]}}})",
      R"({"type":"workspace.delete","payload":{"workspace":"d"},"priority":9})",
      R"({"type":"command.run","payload":{"workspace":"d","command":["true"]},"delay":"5m"})",
      R"({"type":"image.build","payload":{"tag":"t","context":"AAAA"}})",
      R"({"type":"image.build","payload":{"tag":"t","build_args":{"A":"","_b2":"x=y"},"target":"0"}})",
      R"({"type":"image.build","payload":{"tag":"t","dockerfile":"a/..b/File","no_cache":true}})",
      R"({"type":"host.cleanup","payload":{"host":"h"},"labels":{"a":"b"}})"};
  for (const char* text : good) EXPECT_TRUE(FaultsOf(text).empty()) << text;
}

TEST(JobDraft, OfANewerVersionIsNotUnderstoodAndWhatWeSayOurselvesIs) {
  const auto understood = [](const char* type, const char* payload) {
    return IsUnderstood(type, *a4c::ParseJson(payload));
  };
  EXPECT_TRUE(understood("workspace.move", R"({"workspace":"d","from":"one"})"));
  EXPECT_TRUE(understood("workspace.snapshot", R"({"workspace":"d","snapshot":"s"})"));
  EXPECT_TRUE(understood("workspace.stop", R"({"workspace":"d","because":"idle"})"));
  EXPECT_TRUE(understood("workspace.create", R"({"name":"Once Allowed"})"));
  EXPECT_FALSE(understood("workspace.update", R"({"workspace":"d","ttl":"8h","gpus":1})"));
  EXPECT_FALSE(understood("workspace.update", R"({"workspace":"d","env":{"sett":{"A":"1"}}})"));
  EXPECT_FALSE(understood("workspace.paint", R"({"workspace":"d"})"));
}

TEST(JobDraft, PointsAtWhatIsWrong) {
  const std::pair<const char*, std::string> wrong[] = {
      {R"({"type":"workspace.stop","payload":{"workspace":"d"},"delay":"2h","deadline":"1h"})",
       "/deadline"},
      {R"({"type":"workspace.update","payload":{"workspace":"d","env":{"set":{"A":1}}}})",
       "/payload/env/set/A"},
      {R"({"type":"workspace.update","payload":{"workspace":"d","env":{"set":{"A":"1"}},"secrets":{"set":{"A":"b"}}}})",
       "/payload/secrets"},
      {R"({"type":"snapshot.delete","payload":{"snapshot":"s"},"delay":"2h"})", "/delay"},
      {R"({"type":"image.build","payload":{"tag":"t","context_bytes":3},"delay":"2h"})", "/delay"},
      {R"({"payload":{}})", "/type"},
      {R"({"type":"workspace.crate","payload":{}})", "/type"},
      {R"({"type":"command.run","payload":{"workspace":"d"}})", "/payload/command"},
      {R"({"type":"command.run","payload":{"workspace":"d","command":["a",1]}})",
       "/payload/command"},
      {R"({"type":"workspace.stop","payload":{}})", "/payload/workspace"},
      {R"({"type":"workspace.stop","payload":[]})", "/payload"},
      {R"({"type":"workspace.create","payload":{"name":"Dev","command":["a"]}})", "/payload/name"},
      {R"({"type":"workspace.create","payload":{"name":"dev"}})", "/payload/command"},
      {R"({"type":"workspace.create","payload":{"name":"d","image":"x","memory":"5MB"}})",
       "/payload/memory"},
      {R"({"type":"workspace.create","payload":{"name":"d","image":"x","constraints":[]}})",
       "/payload/constraints"},
      {R"({"type":"workspace.create","payload":{"name":"d","image":"x","constraints":{"arch":"x 86"}}})",
       "/payload/constraints/arch"},
      {R"({"type":"workspace.create","payload":{"name":"d","image":"x","constraints":{"labels":{"gpu":1}}}})",
       "/payload/constraints/labels/gpu"},
      {R"({"type":"workspace.create","payload":{"name":"d","image":"x","constraints":{"label":{}}}})",
       "/payload/constraints/label"},
      {R"({"type":"workspace.update","payload":{"workspace":"d"}})", "/payload/image"},
      {R"({"type":"workspace.update","payload":{"workspace":"d","ttl":"soon"}})", "/payload/ttl"},
      {R"({"type":"workspace.update","payload":{"workspace":"d","ttl":"99999999d"}})",
       "/payload/ttl"},
      {R"({"type":"workspace.snapshot","payload":{"workspace":"d","ttl":"99999999d"}})",
       "/payload/ttl"},
      {R"({"type":"workspace.update","payload":{"workspace":"d","idle_stop":"10s"}})",
       "/payload/idle_stop"},
      {R"({"type":"workspace.update","payload":{"workspace":"d","restart":"often"}})",
       "/payload/restart"},
      {R"({"type":"workspace.update","payload":{"workspace":"d","on_drain":"go"}})",
       "/payload/on_drain"},
      {R"({"type":"workspace.update","payload":{"workspace":"d","labels":{}}})",
       "/payload/labels/set"},
      {R"({"type":"workspace.update","payload":{"workspace":"d","labels":{"set":{"a":"b"},"remove":["a"]}}})",
       "/payload/labels/remove"},
      {R"({"type":"host.cleanup","payload":{"host":"h","hots":1}})", "/payload/hots"},
      {R"({"type":"host.purge","payload":{"units":["ws-1"]}})", "/payload/host"},
      {R"({"type":"host.purge","payload":{"host":"h","units":["../ws-1"]}})", "/payload/units"},
      {R"({"type":"host.purge","payload":{"host":"h","units":{"ws-1":""}}})", "/payload/units"},
      {R"({"type":"host.purge","payload":{"host":"h","dry_run":"yes"}})", "/payload/dry_run"},
      {R"({"type":"host.cleanup","payload":{"host":"h"},"priority":10})", "/priority"},
      {R"({"type":"host.cleanup","payload":{"host":"h"},"labels":{"a/b":1}})", "/labels/a~1b"},
      {R"({"type":"host.cleanup","payload":{"host":"h"},"labels":{"a":"x\u0000y"}})", "/labels/a"},
      {R"({"type":"host.cleanup","payload":{"host":"h"},"labels":{"\u0000":"b"}})",
       std::string("/labels/\0", 9)},
      {R"({"type":"host.cleanup","payload":{"host":"h"},"deadline":"soon"})", "/deadline"},
      {R"({"type":"host.cleanup","payload":{"host":"h"},"titel":"x"})", "/titel"},
      {R"([])", ""}};
  for (const auto& [text, pointer] : wrong) {
    const Faults faults = FaultsOf(text);
    ASSERT_FALSE(faults.empty()) << text;
    EXPECT_EQ(faults[0].pointer, pointer) << text;
  }
}

// As Linux has it: MAX_ARG_STRLEN is with the NUL at the end.
TEST(JobDraft, AnArgumentIsNoLongerThanAProcessCanBeGiven) {
  const auto faults_of = [](const std::string& type, const std::string& rest, size_t bytes) {
    const std::string argument(bytes, 'A');
    return FaultsOf(R"({"type":")" + type + R"(","payload":{)" + rest + R"(,"command":["sh",")" +
                    argument + R"("]}})");
  };
  const std::pair<const char*, const char*> types[] = {{"command.run", R"("workspace":"d")"},
                                                       {"workspace.create", R"("name":"d")"},
                                                       {"workspace.update", R"("workspace":"d")"}};
  for (const auto& [type, rest] : types) {
    EXPECT_TRUE(faults_of(type, rest, (128 << 10) - 1).empty()) << type;
    const Faults faults = faults_of(type, rest, 128 << 10);
    ASSERT_EQ(faults.size(), 1u) << type;
    EXPECT_EQ(faults[0].pointer, "/payload/command/1");
    EXPECT_EQ(faults[0].detail, "is longer than 131071 bytes");
    EXPECT_NE(faults[0].hint.find("file"), std::string::npos) << faults[0].hint;
  }
  const std::string name(4097, 'A');
  const Faults faults =
      FaultsOf(R"({"type":"workspace.update","payload":{"workspace":"d","labels":{"remove":[")" +
               name + R"("]}}})");
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].pointer, "/payload/labels/remove/0");
}

TEST(JobDraft, PointsAtWhatIsWrongWithABuild) {
  const std::string long_text(4097, 'x');
  std::string many;
  std::string large;
  for (int i = 0; i < 17; ++i) {
    large +=
        (i == 0 ? "\"A" : ",\"A") + std::to_string(i) + "\":\"" + std::string(4000, 'x') + "\"";
  }
  for (int i = 0; i < 65; ++i) many += (i == 0 ? "\"A" : ",\"A") + std::to_string(i) + "\":\"\"";
  const std::pair<std::string, const char*> wrong[] = {
      {R"("build_args":[])", "/payload/build_args"},
      {R"("build_args":{)" + many + "}", "/payload/build_args"},
      {R"("build_args":{)" + large + "}", "/payload/build_args"},
      {R"("build_args":{"A":1})", "/payload/build_args/A"},
      {R"("build_args":{"A":")" + long_text + "\"}", "/payload/build_args/A"},
      {R"("build_args":{"A":"\u0000"})", "/payload/build_args/A"},
      {R"("build_args":{"A/B":""})", "/payload/build_args/A~1B"},
      {R"("build_args":{"2A":""})", "/payload/build_args/2A"},
      {R"("build_args":{"A=B":""})", "/payload/build_args/A=B"},
      {R"("build_args":{"":""})", "/payload/build_args/"},
      {R"("target":"a b")", "/payload/target"},
      {R"("target":"-a")", "/payload/target"},
      {R"("target":7)", "/payload/target"},
      {R"("dockerfile":"/etc/passwd")", "/payload/dockerfile"},
      {R"("dockerfile":"../Dockerfile")", "/payload/dockerfile"},
      {R"("dockerfile":"a/../../Dockerfile")", "/payload/dockerfile"},
      {R"("dockerfile":"a//b")", "/payload/dockerfile"},
      {R"("dockerfile":"./Dockerfile")", "/payload/dockerfile"},
      {R"("dockerfile":"a/")", "/payload/dockerfile"},
      {R"("dockerfile":"a\nb")", "/payload/dockerfile"},
      {R"("dockerfile":")" + long_text + "\"", "/payload/dockerfile"},
      {R"("no_cache":"yes")", "/payload/no_cache"}};
  for (const auto& [members, pointer] : wrong) {
    const Faults faults =
        FaultsOf(R"({"type":"image.build","payload":{"tag":"t",)" + members + "}}");
    ASSERT_EQ(faults.size(), 1u) << members;
    EXPECT_EQ(faults[0].pointer, pointer) << members;
  }
  EXPECT_NE(FaultsOf(R"({"type":"image.build","payload":{"tag":"t","dockerfile":"/x"}})")[0].hint,
            "");
}

TEST(JobDraft, ProposesTheNearestWord) {
  EXPECT_EQ(FaultsOf(R"({"type":"workspace.crate","payload":{}})")[0].hint,
            "did you mean \"workspace.create\"?");
  EXPECT_EQ(FaultsOf(R"({"type":"host.cleanup","payload":{"host":"h"},"titel":"x"})")[0].hint,
            "did you mean \"title\"?");
  EXPECT_EQ(FaultsOf(R"({"type":"workspace.create","payload":{"name":"d","image":"x",)"
                     R"("constraints":{"arch":"x86_64"}}})")[0]
                .hint,
            "did you mean \"amd64\"?");
}

}  // namespace
}  // namespace a4cd
