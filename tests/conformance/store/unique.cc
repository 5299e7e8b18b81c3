#include <array>
#include <atomic>

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreUnique : public StoreSuite {
 protected:
  std::string PutNamed(const std::string& id, const std::string& body,
                       const std::string& scope = "", bool tombstone = false) {
    return Apply({Put{.ref = Ref(id, scope), .body = body, .tombstone = tombstone}});
  }
};

TEST_F(StoreUnique, ANameIsTakenOnceInAScope) {
  EXPECT_EQ(PutNamed("a", R"({"name":"x"})", "s"), "applied 1");
  EXPECT_EQ(PutNamed("b", R"({"name":"x"})", "s"), "conflict 0:unique(by_name)");
  EXPECT_EQ(PutNamed("b", R"({"name":"X"})", "s"), "applied 1") << "names are bytes";
  EXPECT_EQ(PutNamed("c", R"({"name":"x"})", "t"), "applied 1");
  EXPECT_EQ(PutNamed("a", R"({"name":"x","n":2})", "s"), "applied 2") << "it is its own";
}

TEST_F(StoreUnique, NamesThatDifferInTheirLastByteAreTwo) {
  const std::string longest(1023, 'n');
  int count = 0;
  for (const std::string& name :
       {std::string("x"), std::string("x "), std::string("x  "), std::string("x\\t"),
        std::string("x\\u0001"), longest, longest + " ", longest + "a", longest + "b"}) {
    const std::string id = "id" + std::to_string(++count);
    const std::string body = R"({"name":")" + name + R"(","code":")" + name + "\"}";
    EXPECT_EQ(PutNamed(id, body), "applied 1") << name.substr(0, 9) << " of " << name.size();
    EXPECT_EQ(PutNamed("another", body), "conflict 0:unique(by_name)") << name.size();
  }
}

TEST_F(StoreUnique, AnUnscopedIndexIsUniqueOverAllScopes) {
  EXPECT_EQ(PutNamed("a", R"({"code":"x"})", "s"), "applied 1");
  EXPECT_EQ(PutNamed("b", R"({"code":"x"})", "t"), "conflict 0:unique(by_code)");
}

TEST_F(StoreUnique, TheSameIdInAnotherScopeIsAnotherRecord) {
  EXPECT_EQ(PutNamed("a", R"({"code":"x"})", "s"), "applied 1");
  EXPECT_EQ(PutNamed("a", R"({"code":"x"})", "t"), "conflict 0:unique(by_code)");
}

TEST_F(StoreUnique, TombstonesFreeTheirNames) {
  EXPECT_EQ(PutNamed("a", R"({"name":"x"})"), "applied 1");
  EXPECT_EQ(PutNamed("a", R"({"name":"x"})", "", true), "applied 2");
  EXPECT_EQ(PutNamed("b", R"({"name":"x"})"), "applied 1");
  EXPECT_EQ(PutNamed("a", R"({"name":"x"})"), "conflict 0:unique(by_name)")
      << "a tombstone that comes alive claims its name again";
  EXPECT_EQ(PutNamed("c", R"({"name":"x"})", "", true), "applied 1");
}

TEST_F(StoreUnique, DeletedAndRenamedRecordsFreeTheirNames) {
  EXPECT_EQ(PutNamed("a", R"({"name":"x"})"), "applied 1");
  EXPECT_EQ(Apply({Delete{Ref("a")}}), "applied 1");
  EXPECT_EQ(PutNamed("b", R"({"name":"x"})"), "applied 1");
  EXPECT_EQ(PutNamed("b", R"({"name":"y"})"), "applied 2");
  EXPECT_EQ(PutNamed("c", R"({"name":"x"})"), "applied 1");
}

TEST_F(StoreUnique, RecordsWithoutANameAreBoundByNothing) {
  EXPECT_EQ(PutNamed("a", "{}"), "applied 1");
  EXPECT_EQ(PutNamed("b", R"({"name":null})"), "applied 1");
  EXPECT_EQ(PutNamed("c", R"({"name":""})"), "applied 1");
  EXPECT_EQ(PutNamed("d", R"({"name":""})"), "conflict 0:unique(by_name)") << "empty is a name";
}

TEST_F(StoreUnique, OneBatchCannotPassANameOn) {
  EXPECT_EQ(PutNamed("a", R"({"name":"x"})"), "applied 1");
  EXPECT_EQ(Apply({Delete{Ref("a")}, Put{.ref = Ref("b"), .body = R"({"name":"x"})"}}),
            "conflict 1:unique(by_name)")
      << "every op is judged by what stood before the batch";
  EXPECT_EQ(Apply({Put{.ref = Ref("c"), .body = R"({"name":"z"})"},
                   Put{.ref = Ref("d"), .body = R"({"name":"z"})"}}),
            "invalid 1:invalid(by_name)");
}

TEST_F(StoreUnique, AllFieldsOfTheIndexCount) {
  const Kind pair{.name = Unique("pair"),
                  .fields = {{.name = "x"}, {.name = "n", .type = FieldType::kLong}},
                  .indexes = {{.name = "by_pair", .fields = {"x", "n"}, .unique = true}}};
  ASSERT_TRUE(store().Ensure(Within(), {&pair, 1}).has_value());
  const auto put = [&](const std::string& id, const std::string& body) {
    return Apply({Put{.ref = {pair.name, {"", id}}, .body = body}});
  };
  EXPECT_EQ(put("a", R"({"x":"k","n":1})"), "applied 1");
  EXPECT_EQ(put("b", R"({"x":"k","n":2})"), "applied 1");
  EXPECT_EQ(put("c", R"({"x":"k","n":1})"), "conflict 0:unique(by_pair)");
  EXPECT_EQ(put("d", R"({"x":"k"})"), "applied 1");
  EXPECT_EQ(put("e", R"({"x":"k"})"), "applied 1") << "a record that lacks a field claims nothing";
}

TEST_F(StoreUnique, OfManyAtOnceOneGetsTheName) {
  std::array<std::atomic<int>, 16> owners = {};
  OnInstances(16, [&](Store& store, int thread) {
    for (size_t i = 0; i < owners.size(); ++i) {
      const std::string name = std::to_string(i);
      std::string body = R"({"name":"x)";
      body.append(name).append(R"(","code":"y)").append(name).append("\"}");
      const RecordRef ref = Ref(name + "-" + std::to_string(thread));
      const BatchResult result = ApplySurely(store, {{Put{.ref = ref, .body = std::move(body)}}});
      if (result.outcome == BatchOutcome::kApplied) {
        ++owners[i];
      } else {
        EXPECT_EQ(Told(result), "conflict 0:unique(by_name)");
      }
    }
  });
  for (const auto& count : owners) EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace a4c::conformance
