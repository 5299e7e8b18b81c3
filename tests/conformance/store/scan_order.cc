#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreScanOrder : public StoreSuite {
 protected:
  void CreateWith(const std::string& id, const std::string& field, const std::string& json) {
    Create(id, "{\"" + field + "\":" + json + "}");
  }
  // The same with pages of one, of two, and backwards.
  void ExpectOrder(ScanRequest request, const std::string& ids) {
    for (const int limit : {1, 2, 10'000}) EXPECT_EQ(Ids(request, limit), ids) << limit;
    std::string reversed;
    for (size_t end = ids.size(); end != std::string::npos && !ids.empty();) {
      const size_t space = end == 0 ? std::string::npos : ids.rfind(' ', end - 1);
      const size_t begin = space == std::string::npos ? 0 : space + 1;
      reversed += (reversed.empty() ? "" : " ") + ids.substr(begin, end - begin);
      end = space;
    }
    request.descending = !request.descending;
    for (const int limit : {1, 2, 10'000}) EXPECT_EQ(Ids(request, limit), reversed) << limit;
  }
};

TEST_F(StoreScanOrder, IntegersBySize) {
  CreateWith("a", "size", "9223372036854775807");
  CreateWith("b", "size", "-9223372036854775808");
  CreateWith("c", "size", "10");
  CreateWith("d", "size", "9");
  CreateWith("e", "size", "-1");
  CreateWith("f", "size", "0");
  CreateWith("g", "size", "9007199254740993");
  CreateWith("h", "size", "9007199254740992");
  ExpectOrder(By("by_size"), "b e f d c h g a");
}

TEST_F(StoreScanOrder, DoublesBySize) {
  CreateWith("a", "ratio", "1.5");
  CreateWith("b", "ratio", "-1e300");
  CreateWith("c", "ratio", "2");
  CreateWith("d", "ratio", "1e-300");
  CreateWith("e", "ratio", "-0.5");
  CreateWith("f", "ratio", "1.7976931348623157e308");
  CreateWith("g", "ratio", "0.1");
  CreateWith("h", "ratio", "0.10000000000000001");
  CreateWith("i", "ratio", "0.1000000000000001");
  ExpectOrder(By("by_ratio"), "b e d g h i a c f");
}

TEST_F(StoreScanOrder, StringsByteByByte) {
  const std::vector<std::pair<std::string, std::string>> names = {{"a", "b"},
                                                                  {"b", "B"},
                                                                  {"c", ""},
                                                                  {"d", "aa"},
                                                                  {"e", "a"},
                                                                  {"f", "a b"},
                                                                  {"g", "\xC3\xA9"},
                                                                  {"h", "z"},
                                                                  {"i", "\xF0\x9F\x98\x80"},
                                                                  {"j", "\xEF\xBF\xBD"},
                                                                  {"k", "10"},
                                                                  {"l", "9"},
                                                                  {"m", "a_"},
                                                                  {"n", "a%"},
                                                                  {"o", "_"},
                                                                  {"p", "a "},
                                                                  {"q", "a\\t"},
                                                                  {"r", "a\\u0001"}};
  for (const auto& [id, name] : names) CreateWith(id, "state", "\"" + name + "\"");
  ExpectOrder(ByScoped("by_state"), "c k l b o e r q p f n m d a h g j i");
}

TEST_F(StoreScanOrder, LongStringsToTheirLastByte) {
  const std::string begin(1023, 's');
  CreateWith("a", "state", "\"" + begin + "b\"");
  CreateWith("b", "state", "\"" + begin + "a\"");
  CreateWith("c", "state", "\"" + begin + "\"");
  CreateWith("d", "state", "\"" + begin + " \"");
  ExpectOrder(ByScoped("by_state"), "c d b a");
  ScanRequest one = ByScoped("by_state");
  one.prefix = {begin + "a"};
  ExpectOrder(one, "b");
}

TEST_F(StoreScanOrder, FalseBeforeTrue) {
  CreateWith("a", "flag", "true");
  CreateWith("b", "flag", "false");
  CreateWith("c", "flag", "true");
  ExpectOrder(By("by_flag"), "b a c");
}

TEST_F(StoreScanOrder, TimesBySize) {
  CreateWith("a", "due", "9224318016000000");  // year 294277
  CreateWith("b", "due", "-62135596800001");   // before year 1
  CreateWith("c", "due", "1767225600000");
  ExpectOrder(By("by_due"), "b c a");
}

TEST_F(StoreScanOrder, EqualValuesByScopeThenId) {
  Create("b", R"({"size":1})", {}, "s");
  Create("a", R"({"size":1})", {}, "t");
  Create("c", R"({"size":1})", {}, "s");
  Create("d", R"({"size":0})", {}, "z");
  ExpectOrder(By("by_size"), "d b c a");
}

TEST_F(StoreScanOrder, TheIdOrderIsByScopeThenIdInBytes) {
  for (const char* id : {"b", "B", "a", "a\t", "a\x01", "10", "9", "\xC3\xA9"}) {
    Create(id, "{}", {}, "s");
  }
  Create("0", "{}", {}, "t");
  Create("z", "{}", {}, "S");
  Create("1", "{}", {}, "s ");
  ExpectOrder({.kind = kind()}, "z 10 9 B a a\x01 a\t b \xC3\xA9 1 0");
  ExpectOrder({.kind = kind(), .scope = "s"}, "10 9 B a a\x01 a\t b \xC3\xA9");
  ExpectOrder({.kind = kind(), .scope = "s "}, "1");
  ExpectOrder({.kind = kind(), .scope = "u"}, "");
}

TEST_F(StoreScanOrder, AnIndexHoldsOnlyWhatHasItsFirstField) {
  Create("a", R"({"state":"x","due":2})");
  Create("b", R"({"due":1})");
  Create("c", R"({"state":null,"due":1})");
  Create("d", R"({"state":"x"})");
  Create("e", R"({"state":"x","due":1})");
  ExpectOrder(ByScoped("by_state"), "d e a");
  ExpectOrder(By("by_due"), "b c e a");
}

TEST_F(StoreScanOrder, RecordsMoveWithTheirValues) {
  Create("a", R"({"size":1})");
  Create("b", R"({"size":2})");
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = R"({"size":3})"}}), "applied 2");
  ExpectOrder(By("by_size"), "b a");
  EXPECT_EQ(Apply({Put{.ref = Ref("b"), .body = "{}"}}), "applied 2");
  ExpectOrder(By("by_size"), "a");
  EXPECT_EQ(Apply({Delete{Ref("a")}}), "applied 2");
  ExpectOrder(By("by_size"), "");
}

TEST_F(StoreScanOrder, QuietFieldsAreScannedToo) {
  Create("a", "{}", {{"next_at", int64_t{5}}});
  Create("b", "{}", {{"next_at", int64_t{3}}});
  Create("c", "{}");
  ExpectOrder(By("by_next_at"), "b a");
  EXPECT_EQ(Apply({Put{.ref = Ref("b"), .quiet = {{"next_at", int64_t{9}}}}}), "applied 1");
  EXPECT_EQ(Apply({Put{.ref = Ref("c"), .quiet = {{"next_at", int64_t{-9}}}}}), "applied 1");
  ExpectOrder(By("by_next_at"), "c a b");
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .quiet = {{"next_at", {}}}}}), "applied 1");
  ExpectOrder(By("by_next_at"), "c b");
}

TEST_F(StoreScanOrder, AnIndexMayMixQuietAndBodyFields) {
  Create("a", R"({"size":1})", {{"load", 0.5}});
  Create("b", R"({"size":0})", {{"load", 0.5}});
  Create("c", "{}", {{"load", 0.5}});
  Create("d", R"({"size":7})", {{"load", -1.0}});
  Create("e", R"({"size":7})");
  ExpectOrder(By("by_load"), "d c b a");
}

TEST_F(StoreScanOrder, ScopesAreIsolatedInAScopedIndex) {
  Create("a", R"({"state":"x"})", {}, "s");
  Create("b", R"({"state":"x"})", {}, "t");
  Create("c", R"({"state":"x"})", {}, "");
  ScanRequest request = ByScoped("by_state");
  ExpectOrder(request, "c");
  request.scope = "s";
  ExpectOrder(request, "a");
  request.scope = "st";
  ExpectOrder(request, "");
}

TEST_F(StoreScanOrder, TombstonesAreHiddenUnlessAskedFor) {
  Create("a", R"({"size":1})");
  Create("b", R"({"size":2})");
  Create("c", R"({"size":3})");
  EXPECT_EQ(Apply({Put{.ref = Ref("b"), .body = R"({"size":2})", .tombstone = true}}), "applied 2");
  ExpectOrder(By("by_size"), "a c");
  ExpectOrder({.kind = kind()}, "a c");
  ScanRequest with = By("by_size");
  with.tombstones = true;
  ExpectOrder(with, "a b c");
  EXPECT_TRUE(Page(with).records.at(1).tombstone);
  ExpectOrder({.kind = kind(), .tombstones = true}, "a b c");
}

TEST_F(StoreScanOrder, RecordsComeWhole) {
  const std::string body = R"({ "state" : "x", "more":[1,2] })";
  Create("a", body, {{"count", int64_t{4}}}, "s");
  ScanRequest request = ByScoped("by_state");
  request.scope = "s";
  const ScanAnswer page = Page(request);
  ASSERT_EQ(page.records.size(), 1u);
  EXPECT_EQ(page.records[0].ref, Ref("a", "s"));
  EXPECT_EQ(page.records[0].body, body);
  EXPECT_EQ(page.records[0].rev, 1);
  EXPECT_EQ(page.records[0].quiet, (FieldValues{{"count", int64_t{4}}}));
}

}  // namespace
}  // namespace a4c::conformance
