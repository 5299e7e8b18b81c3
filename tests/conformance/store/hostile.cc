#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

// What may not be stored is refused by field, and what may be comes back byte for byte.
class StoreHostile : public StoreSuite {
 protected:
  std::string PutBody(const std::string& id, const std::string& body) {
    return Apply({Put{.ref = Ref(id), .body = body, .expect = Expect::Absent()}});
  }
  void ExpectKept(const std::string& body) {
    const std::string id = "kept" + std::to_string(++count_);
    EXPECT_EQ(PutBody(id, body), "applied 1") << body.substr(0, 100);
    const std::optional<Record> record = Read(id);
    ASSERT_TRUE(record.has_value());
    EXPECT_TRUE(record->body == body) << body.substr(0, 100);
  }
  void ExpectRefused(const std::string& body, const std::string& field = "body") {
    EXPECT_EQ(PutBody("refused", body), "invalid 0:invalid(" + field + ")") << body.substr(0, 100);
    EXPECT_FALSE(Read("refused").has_value());
  }
  static std::string Nested(int depth) {
    return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  }

 private:
  int count_ = 0;
};

TEST_F(StoreHostile, BodiesComeBackByteForByte) {
  ExpectKept("{}");
  ExpectKept(" \t\r\n{ \"b\" : 1 , \"a\" : 2 } \n");
  ExpectKept(R"({"z":1,"a":1.0,"m":1e2,"n":-0,"big":123456789012345678901234567890})");
  ExpectKept(R"({"x":"\u0000\u0001\ud83d\ude00\/\\\""})");
  ExpectKept("{\"x\":\"\xF0\x9F\x98\x80 \xEF\xBF\xBF \x7f\"}");
  ExpectKept(R"({"x":"'; drop table a; -- $1 ? %s %00 :id {} \\ \"\" `"})");
  ExpectKept(R"({"":0,"$1":1,"a.b":2,"a\u0000b":3})");
}

TEST_F(StoreHostile, BodiesThatAreNoJsonObjectAreRefused) {
  for (const char* body :
       {"", " ", "null", "1", "\"x\"", "[]", "{", "{}x", "{}{}", "{\"a\":}", "{a:1}", "{'a':1}",
        "{\"a\":1,}", "{\"a\":NaN}", "{\"a\":1e999}", "{\"a\":1,\"a\":2}", "\xEF\xBB\xBF[]"}) {
    ExpectRefused(body);
  }
  ExpectRefused(std::string("{\"a\":\"\0\"}", 9));
  ExpectRefused(std::string("{}\0", 3));
  ExpectRefused("{\"a\":\"\xff\"}");
  ExpectRefused("{\"a\":\"\xC0\xAF\"}");
  ExpectRefused("{\"a\":\"\xED\xA0\x80\"}");
  ExpectRefused(R"({"a":"\ud800"})");
}

TEST_F(StoreHostile, TenMegabytesAreKeptAndSeventeenRefused) {
  ExpectKept("{\"a\":\"" + std::string(10'000'000, 'x') + "\"}");
  ExpectRefused("{\"a\":\"" + std::string(17'000'000, 'x') + "\"}");
}

TEST_F(StoreHostile, DepthAThousandIsKeptAndOneMoreRefused) {
  ExpectKept(Nested(1000));
  ExpectRefused(Nested(1001));
  ExpectRefused(std::string(1'000'000, '['));
}

TEST_F(StoreHostile, IndexedFieldsAreRefusedByName) {
  ExpectRefused(R"({"name":5})", "name");
  ExpectRefused(R"({"name":["x"]})", "name");
  ExpectRefused(R"({"name":"a\u0000b"})", "name");
  ExpectRefused("{\"name\":\"" + std::string(1025, 'x') + "\"}", "name");
  ExpectRefused(R"({"size":1.5})", "size");
  ExpectRefused(R"({"size":9223372036854775808})", "size");
  ExpectRefused(R"({"due":"2026-01-01"})", "due");
  ExpectRefused(R"({"flag":1})", "flag");
  ExpectRefused(R"({"ratio":"1"})", "ratio");
}

TEST_F(StoreHostile, IndexedFieldsTakeWhateverHasAPlaceInTheirOrder) {
  ExpectKept("{\"name\":\"" + std::string(1024, 'x') + "\"}");
  ExpectKept(R"({"due":9224318016000000})");
  ExpectKept(R"({"due":9223372036854775807,"size":-9223372036854775808})");
  ExpectKept(R"({"ratio":1.7976931348623157e308})");
  ExpectKept(R"({"name":"'\"%_\\$1;--","state":"' or 1=1"})");
  ExpectKept(R"({"name":"","code":"\u0001\u007f"})");
  ScanRequest request = ByScoped("by_state");
  request.prefix = {"' or 1=1"};
  EXPECT_EQ(Ids(request), "kept5");
  request.prefix = {"%"};
  EXPECT_EQ(Ids(request), "");
  request = ByScoped("by_name");
  request.prefix = {"'\"%_\\$1;--"};
  EXPECT_EQ(Ids(request), "kept5");
}

TEST_F(StoreHostile, KeysAreAnyText) {
  const std::string longest(256, 'k');
  for (const std::string& id : {longest,
                                longest.substr(1) + "l",
                                std::string("key"),
                                std::string("a"),
                                std::string("a "),
                                std::string("a\t"),
                                std::string("a\x01"),
                                std::string(" a"),
                                std::string("'"),
                                std::string("\""),
                                std::string("\\"),
                                std::string("%"),
                                std::string("_"),
                                std::string("$1"),
                                std::string("a b"),
                                std::string("\n"),
                                std::string("../../etc"),
                                std::string("\xC3\xA9"),
                                std::string("e\xCC\x81"),
                                std::string("; drop table x"),
                                std::string("{}"),
                                std::string("null"),
                                std::string("0")}) {
    Create(id, R"({"n":1})", {}, id);
    ASSERT_TRUE(Read(id, id).has_value()) << id;
    EXPECT_FALSE(Read(id, "").has_value()) << id;
    EXPECT_EQ(Ids({.kind = kind(), .scope = id}), id);
  }
  EXPECT_FALSE(Read("KEY", "key").has_value());
  EXPECT_FALSE(Read("key", "KEY").has_value());
  EXPECT_FALSE(Read("a ", "a").has_value()) << "a space at the end is a byte as any other";
  EXPECT_FALSE(Read("a", "a ").has_value());
  EXPECT_FALSE(Read("' ", "'").has_value());
  EXPECT_FALSE(Read("\xC3\xA9", "e\xCC\x81").has_value()) << "text is never normalised";
}

TEST_F(StoreHostile, KeysOfOneScopeThatDifferInTheirLastByteAreTwo) {
  const std::string longest(255, 'k');
  for (const std::string& id :
       {longest + "k", longest + "l", longest + " ", longest, std::string("a"), std::string("a "),
        std::string("a  "), std::string("a\t"), std::string("a\x01")}) {
    Create(id, R"({"n":1})");
  }
  EXPECT_EQ(Ids({.kind = kind()}), "a a\x01 a\t a  a   " + longest + " " + longest + "  " +
                                       longest + "k " + longest + "l");
}

TEST_F(StoreHostile, KeysThatCannotBeAreRefused) {
  const auto put = [&](const std::string& id, const std::string& scope) {
    return Apply({Put{.ref = Ref(id, scope), .body = "{}"}});
  };
  const std::string wrong = "invalid 0:invalid(key)";
  EXPECT_EQ(put("", ""), wrong);
  EXPECT_EQ(put(std::string(257, 'k'), ""), wrong);
  EXPECT_EQ(put("k", std::string(257, 's')), wrong);
  EXPECT_EQ(put(std::string("a\0b", 3), ""), wrong);
  EXPECT_EQ(put("a", std::string("\0", 1)), wrong);
  EXPECT_EQ(put("\xff", ""), wrong);
  EXPECT_EQ(put("a", "\xC3"), wrong);
}

TEST_F(StoreHostile, QuietTextIsAnyTextWithoutNul) {
  Create("a");
  const auto set = [&](const std::string& text) {
    return Apply({Put{.ref = Ref("a"), .quiet = {{"holder", text}}}});
  };
  for (const std::string& text : {std::string("'; --"), std::string("\xF0\x9F\x98\x80"),
                                  std::string("$1 ? %s"), std::string(16'384, 'x')}) {
    EXPECT_EQ(set(text), "applied 1");
    EXPECT_EQ(Read("a")->quiet.at("holder"), Scalar(text));
  }
  EXPECT_EQ(set(std::string("a\0b", 3)), "invalid 0:invalid(holder)");
  EXPECT_EQ(set(std::string(16'385, 'x')), "invalid 0:invalid(holder)");
}

}  // namespace
}  // namespace a4c::conformance
