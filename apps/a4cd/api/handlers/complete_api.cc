// What can stand at the cursor of a query that somebody is writing.
#include <algorithm>
#include <charconv>
#include <string_view>

#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;
using What = a4c::Suggestion::What;

bool BeginsCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u;
}

size_t CharactersOf(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, BeginsCharacter));
}

// The byte at which this many characters have passed.
size_t ByteOf(std::string_view text, size_t characters) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (BeginsCharacter(text[at]) && characters-- == 0) return at;
  }
  return at;
}

// cursor=, in characters from 0; the end if it is not given.
Result<size_t> Cursor(const Request& request, std::string_view query) {
  if (!request.HasQuery("cursor")) return query.size();
  const std::string& text = request.Query("cursor");
  size_t cursor = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cursor);
  const bool number = error == std::errc() && end == text.data() + text.size();
  if (number && cursor <= CharactersOf(query)) return ByteOf(query, cursor);
  return Error(Code::kInvalid, "cursor is no position in q",
               "characters from 0 to the length of q");
}

const char* NameOf(What what) {
  switch (what) {
    case What::kField:
      return "field";
    case What::kComparison:
      return "comparison";
    case What::kValue:
      return "value";
    case What::kOperator:
      return "operator";
  }
  return "value";
}

Json ToJson(std::string_view query, const a4c::QueryCompletion& completion) {
  const size_t start = CharactersOf(query.substr(0, completion.offset));
  const size_t size = CharactersOf(query.substr(completion.offset, completion.size));
  Json suggestions(Json::Array{});
  for (const a4c::Suggestion& suggestion : completion.suggestions) {
    Json one(Json::Object{{"text", suggestion.text}, {"kind", NameOf(suggestion.what)}});
    if (!suggestion.description.empty()) one.AppendMember("description", suggestion.description);
    suggestions.Append(std::move(one));
  }
  return Json(Json::Object{{"start", static_cast<int64_t>(start)},
                           {"end", static_cast<int64_t>(start + size)},
                           {"suggestions", std::move(suggestions)}});
}

}  // namespace

Response CompleteJobQuery(ApiContext& api, Request& request) {
  const std::string& query = request.Query("q");
  const Result<size_t> cursor = Cursor(request, query);
  if (!cursor) return ErrorResponse(cursor.error());
  const Result<a4c::QueryCompletion> completion =
      api.jobs.Complete(api.CallFor(request), request.principal.tenant, query, *cursor);
  if (!completion) return ErrorResponse(completion.error());
  return JsonResponse(200, ToJson(query, *completion));
}

}  // namespace a4cd
