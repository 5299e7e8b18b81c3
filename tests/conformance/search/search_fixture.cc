#include "tests/conformance/search/search_fixture.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace a4c::conformance {
namespace {

const Kind& KindOfTheRun() {
  static const auto* kind = new Kind(KindOfAllTypes(Unique("doc")));
  return *kind;
}

void Pause() {
  const auto waiter = TheRuntime().threads.NewWaiter();
  const Waiter::Lock lock(*waiter);
  waiter->Wait(TheRuntime().clock.MonotonicMs() + 50);
}

}  // namespace

Kind KindOfAllTypes(const std::string& name) {
  return Kind{.name = name,
              .fields = {{.name = "state", .type = FieldType::kKeyword, .searchable = true},
                         {.name = "tags", .type = FieldType::kKeyword, .searchable = true},
                         {.name = "title", .type = FieldType::kText, .searchable = true},
                         {.name = "note", .type = FieldType::kText, .searchable = true},
                         {.name = "views", .type = FieldType::kLong, .searchable = true},
                         {.name = "score", .type = FieldType::kDouble, .searchable = true},
                         {.name = "done", .type = FieldType::kBool, .searchable = true},
                         {.name = "created_at", .type = FieldType::kTime, .searchable = true},
                         {.name = "labels", .type = FieldType::kMap, .searchable = true},
                         {.name = "hidden", .type = FieldType::kKeyword}}};
}

SearchIndexTest::SearchIndexTest()
    : kind_(KindOfTheRun()), scope_(Unique("scope")), index_(Make<SearchIndex>()) {
  const auto ensured = index_->Ensure(Within(), {&kind_, 1});
  EXPECT_TRUE(ensured) << ensured.error().ToString();
}

Document SearchIndexTest::Doc(const std::string& id, int64_t rev, std::string body) const {
  return {.ref = {kind_.name, {scope_, Id(id)}}, .rev = rev, .body = std::move(body)};
}

Document SearchIndexTest::Tombstone(const std::string& id, int64_t rev) const {
  Document document = Doc(id, rev, "{}");
  document.tombstone = true;
  return document;
}

std::vector<BulkResult> SearchIndexTest::Bulk(const std::vector<Document>& documents) {
  std::vector<BulkResult> results(documents.size());
  std::vector<size_t> to_send(documents.size());
  std::iota(to_send.begin(), to_send.end(), size_t{0});
  for (const Call call = Within(); !to_send.empty() && !call.Expired(); Pause()) {
    std::vector<Document> part;
    for (const size_t i : to_send) part.push_back(documents[i]);
    auto answer = index_->Bulk(call, part);
    EXPECT_TRUE(answer) << answer.error().ToString();
    if (!answer) return results;
    EXPECT_EQ(answer->size(), part.size());
    answer->resize(part.size());
    for (size_t k = 0; k < to_send.size(); ++k) results[to_send[k]] = (*answer)[k];
    std::erase_if(to_send, [&](size_t i) { return results[i].outcome != BulkOutcome::kRetry; });
    if (to_send.empty()) break;
  }
  return results;
}

void SearchIndexTest::Add(const std::vector<Document>& documents) {
  const auto results = Bulk(documents);
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].outcome, BulkOutcome::kApplied)
        << documents[i].body.substr(0, 200) << ": "
        << (results[i].error ? results[i].error->ToString() : "");
  }
  Refresh();
}

void SearchIndexTest::Refresh() {
  const auto refreshed = index_->Refresh(Within(), kind_.name);
  EXPECT_TRUE(refreshed) << refreshed.error().ToString();
}

SearchRequest SearchIndexTest::Request(Query query) const {
  return {.kind = kind_, .scope = scope_, .query = std::move(query), .limit = 1000};
}

SearchRequest SearchIndexTest::Request(std::string_view text) const {
  auto query = ParseQuery(text, kind_, 0);
  EXPECT_TRUE(query) << text << ": " << query.error().ToString();
  return Request(query ? *std::move(query) : Query{.node = Query::Node::kOr});
}

SearchAnswer SearchIndexTest::Search(const SearchRequest& request) {
  auto answer = index_->Search(Within(), request);
  EXPECT_TRUE(answer) << answer.error().ToString();
  return answer ? *std::move(answer) : SearchAnswer{};
}

std::vector<std::string> SearchIndexTest::Find(std::string_view text) {
  return IdsOf(Search(Request(text)));
}

std::vector<std::string> SearchIndexTest::Find(Query query) {
  return IdsOf(Search(Request(std::move(query))));
}

std::vector<std::string> SearchIndexTest::IdsOf(const SearchAnswer& answer) const {
  std::vector<std::string> ids;
  for (const Hit& hit : answer.hits) {
    const std::string& id = hit.ref.key.id;
    ids.push_back(id.starts_with(scope_ + ".") ? id.substr(scope_.size() + 1) : "foreign " + id);
  }
  return ids;
}

}  // namespace a4c::conformance
