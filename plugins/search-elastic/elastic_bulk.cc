#include "elastic_bulk.h"

#include "elastic_mapping.h"

namespace a4c::elastic {
namespace {

void AppendLines(BulkChunk& chunk, size_t index, const Json& action, const std::string& source) {
  chunk.items.push_back({index, chunk.lines.size()});
  chunk.lines += action.ToString();
  chunk.lines += '\n';
  if (source.empty()) return;
  chunk.lines += source;
  chunk.lines += '\n';
}

BulkChunk Part(const BulkChunk& chunk, size_t begin, size_t end) {
  const size_t from = chunk.items[begin].offset;
  const size_t to = end == chunk.items.size() ? chunk.lines.size() : chunk.items[end].offset;
  BulkChunk part{.lines = chunk.lines.substr(from, to - from), .items = {}};
  for (size_t i = begin; i < end; ++i) {
    part.items.push_back({chunk.items[i].index, chunk.items[i].offset - from});
  }
  return part;
}

void FailAll(const BulkChunk& chunk, const Error& error, BulkOutcome outcome,
             std::vector<BulkResult>& results) {
  for (const BulkChunk::Item& item : chunk.items) {
    results[item.index] = {.outcome = outcome, .error = error};
  }
}

void SendHalves(HttpPool& pool, const Call& call, const BulkChunk& chunk, const Error& too_long,
                std::vector<BulkResult>& results) {
  const size_t count = chunk.items.size();
  if (count == 1) return FailAll(chunk, too_long, BulkOutcome::kRejected, results);
  SendChunk(pool, call, Part(chunk, 0, count / 2), results);
  SendChunk(pool, call, Part(chunk, count / 2, count), results);
}

// The usual answer, told without parsing it: every document was taken, and there are as many as
// sent.
bool AllApplied(const HttpAnswer& answer, size_t count) {
  if (answer.status != 200 || !answer.body.starts_with(R"({"errors":false)")) return false;
  size_t outcomes = 0;
  constexpr std::string_view kOutcome = "\"status\":";
  for (size_t at = answer.body.find(kOutcome); at != std::string::npos;
       at = answer.body.find(kOutcome, at + kOutcome.size())) {
    ++outcomes;
  }
  return outcomes == count;
}

}  // namespace

void AppendDocument(BulkChunk& chunk, size_t index, const std::string& alias,
                    const Document& document, const SearchDocument& indexed) {
  Json where = Json::Object{};
  where.AppendMember("_index", alias).AppendMember("_id", document.ref.key.id);
  where.AppendMember("version", document.rev).AppendMember("version_type", "external");
  Json action = Json::Object{};
  action.AppendMember("index", std::move(where));
  AppendLines(chunk, index, action, DocumentOf(document, indexed).ToString());
}

void AppendPurge(BulkChunk& chunk, size_t index, const std::string& alias, const RecordRef& ref) {
  Json where = Json::Object{};
  where.AppendMember("_index", alias).AppendMember("_id", ref.key.id);
  Json action = Json::Object{};
  action.AppendMember("delete", std::move(where));
  AppendLines(chunk, index, action, "");
}

void SendChunk(HttpPool& pool, const Call& call, const BulkChunk& chunk,
               std::vector<BulkResult>& results) {
  if (chunk.items.empty()) return;
  auto answer = pool.Send(
      call, {.method = "POST",
             .path = "/_bulk?require_alias=true&filter_path=errors,items.*.status,items.*.error",
             .body = chunk.lines,
             .effect = Effect::kWrites});
  if (!answer) return FailAll(chunk, answer.error(), BulkOutcome::kRetry, results);
  if (AllApplied(*answer, chunk.items.size())) {
    for (const BulkChunk::Item& item : chunk.items) {
      results[item.index] = {.outcome = BulkOutcome::kApplied};
    }
    return;
  }
  auto parsed = JsonOf(*answer, Effect::kWrites);
  if (!parsed && answer->status == 413) {
    return SendHalves(pool, call, chunk, parsed.error(), results);
  }
  if (!parsed) return FailAll(chunk, parsed.error(), BulkOutcome::kRetry, results);
  const Json::Array& items = (*parsed)["items"].Items();
  if (items.size() != chunk.items.size()) {
    const Error error(Code::kUnknownOutcome, "search-elastic: an answer to _bulk lacks documents");
    return FailAll(chunk, error, BulkOutcome::kRetry, results);
  }
  for (size_t i = 0; i < items.size(); ++i) results[chunk.items[i].index] = ResultOf(items[i]);
}

BulkResult ResultOf(const Json& item) {
  const bool removal = item.Find("delete") != nullptr;
  const Json& outcome = removal ? item["delete"] : item["index"];
  const int status = static_cast<int>(outcome["status"].Int());
  if ((status >= 200 && status < 300) || (removal && status == 404)) {
    return {.outcome = BulkOutcome::kApplied};
  }
  if (status == 409 && !removal) return {.outcome = BulkOutcome::kStale};
  const std::string& type = outcome["error"]["type"].Text();
  std::string reason = outcome["error"]["reason"].Text();
  const bool permanent = !removal && IsPermanent(status, type, reason);
  const std::string& cause = outcome["error"]["caused_by"]["reason"].Text();
  if (!cause.empty()) reason += ": " + cause;
  if (!permanent) {
    return {.outcome = BulkOutcome::kRetry, .error = ErrorOfRetry(status, type, reason)};
  }
  return {.outcome = BulkOutcome::kRejected,
          .error = ErrorOfStatus(status, type, reason, Effect::kWrites)};
}

}  // namespace a4c::elastic
