#include "elastic_generations.h"

#include <algorithm>
#include <charconv>

#include "elastic_index.h"
#include "elastic_mapping.h"

namespace a4c::elastic {
namespace {

constexpr size_t kDigits = 6;

Json AliasAction(const char* what, const std::string& index, const std::string& alias) {
  Json named(Json::Object{{"index", index}, {"alias", alias}});
  // Of a swap that another one overtook nothing is done.
  named.Set(std::string_view(what) == "add" ? "is_write_index" : "must_exist", true);
  return Json().Set(what, std::move(named));
}

Error NoGeneration(const std::string& index) {
  return Error(Code::kNotFound, "search-elastic: there is no index " + index);
}

Error IsOvertaken(const std::string& index) {
  return Error(Code::kConflict, "search-elastic: a later index than " + index + " is live");
}

Error IsLive(const std::string& index) {
  return Error(Code::kConflict, "search-elastic: index " + index + " is live");
}

}  // namespace

std::string IndexOf(const std::string& alias, int64_t number) {
  const std::string digits = std::to_string(number);
  const size_t zeros = digits.size() < kDigits ? kDigits - digits.size() : 0;
  return alias + "-" + std::string(zeros, '0') + digits;
}

std::string DirectAliasOf(const std::string& index) {
  return index + "_direct";
}

int64_t NumberOf(const std::string& alias, const std::string& index) {
  if (!index.starts_with(alias + "-")) return 0;
  const std::string_view digits = std::string_view(index).substr(alias.size() + 1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole && number > 0 && IndexOf(alias, number) == index ? number : 0;
}

Result<std::vector<IndexGeneration>> ElasticGenerations::Generations(const Call& call,
                                                                     const Kind& kind) {
  const std::string alias = AliasOf(options_, kind.name);
  A4C_TRY(Json indices,
          SendJson(*pool_, call, {.method = "GET", .path = "/" + alias + "-*/_alias"}));
  std::vector<IndexGeneration> list;
  for (const auto& [index, description] : indices.Members()) {
    const int64_t number = NumberOf(alias, index);
    if (number > 0) list.push_back({number, description["aliases"].Find(alias) != nullptr});
  }
  std::ranges::sort(list, {}, &IndexGeneration::number);
  return list;
}

Result<void> ElasticGenerations::Create(const Call& call, const Kind& kind, int64_t number) {
  A4C_CHECK(CheckKind(kind));
  A4C_TRY(const std::vector<IndexGeneration> list, Generations(call, kind));
  const std::string index = IndexOf(AliasOf(options_, kind.name), number);
  const auto found = std::ranges::find(list, number, &IndexGeneration::number);
  if (found != list.end() && found->live) return IsLive(index);
  if (found != list.end()) return {};
  const auto created =
      SendJson(*pool_, call,
               {.method = "PUT",
                .path = "/" + index,
                .body = CreateBody(kind, DirectAliasOf(index), options_).ToString(),
                .effect = Effect::kWrites});
  // Somebody else made it meanwhile: that one will do.
  if (created || created.error().code() == Code::kConflict) return {};
  return created.error();
}

Result<std::unique_ptr<SearchIndex>> ElasticGenerations::Open(const Call& call, const Kind& kind,
                                                              int64_t number) {
  const std::string index = IndexOf(AliasOf(options_, kind.name), number);
  A4C_TRY(const std::vector<IndexGeneration> list, Generations(call, kind));
  if (std::ranges::find(list, number, &IndexGeneration::number) == list.end()) {
    return NoGeneration(index);
  }
  // The first generation, which Ensure makes, has no alias of its own yet.
  A4C_CHECK(SendAliases(call, Json::Array{AliasAction("add", index, DirectAliasOf(index))}));
  return NewElasticGeneration(pool_, options_, kind, DirectAliasOf(index));
}

Result<void> ElasticGenerations::Swap(const Call& call, const Kind& kind, int64_t number) {
  const std::string alias = AliasOf(options_, kind.name);
  const std::string index = IndexOf(alias, number);
  A4C_TRY(const std::vector<IndexGeneration> list, Generations(call, kind));
  const auto found = std::ranges::find(list, number, &IndexGeneration::number);
  if (found == list.end()) return NoGeneration(index);
  if (found->live) return {};
  Json actions = Json::Array{};
  for (const IndexGeneration& one : list) {
    if (!one.live) continue;
    if (one.number > number) return IsOvertaken(index);
    actions.Append(AliasAction("remove", IndexOf(alias, one.number), alias));
  }
  actions.Append(AliasAction("add", index, alias));
  Result<void> swapped = SendAliases(call, std::move(actions));
  if (!swapped && swapped.error().code() == Code::kNotFound) return IsOvertaken(index);
  return swapped;
}

Result<void> ElasticGenerations::Drop(const Call& call, const Kind& kind, int64_t number) {
  const std::string index = IndexOf(AliasOf(options_, kind.name), number);
  A4C_TRY(const std::vector<IndexGeneration> list, Generations(call, kind));
  const auto found = std::ranges::find(list, number, &IndexGeneration::number);
  if (found == list.end()) return {};
  if (found->live) return IsLive(index);
  const auto dropped =
      SendJson(*pool_, call, {.method = "DELETE", .path = "/" + index, .effect = Effect::kWrites});
  if (dropped || dropped.error().code() == Code::kNotFound) return {};
  return dropped.error();
}

// All of the actions or none: that is what makes a swap one step.
Result<void> ElasticGenerations::SendAliases(const Call& call, Json actions) {
  A4C_CHECK(SendJson(*pool_, call,
                     {.method = "POST",
                      .path = "/_aliases",
                      .body = Json().Set("actions", std::move(actions)).ToString(),
                      .effect = Effect::kWrites}));
  return {};
}

}  // namespace a4c::elastic
