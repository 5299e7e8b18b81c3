#include "tests/conformance/search/naive_search.h"

#include <algorithm>
#include <optional>
#include <set>

#include "a4c/query.h"

namespace a4c::conformance {
namespace {

using Node = Query::Node;
using Strings = std::vector<std::string>;

std::string Cut(std::string text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  text.resize(bytes_max + 1);
  do text.pop_back();
  while (!IsUtf8(text));
  return text;
}

// How a member of a map is indexed.
std::string Entry(const std::string& member, const std::string& value) {
  std::string entry;
  for (const char c : member)
    entry += c == '\\' || c == '=' ? std::string{'\\', c} : std::string{c};
  return Cut(entry + "=" + value, kKeywordBytesMax);
}

// The strings of a keyword or of the member of a map; nothing if it is absent.
std::optional<Strings> StringsOf(const Json& value) {
  if (value.IsNull()) return std::nullopt;
  if (value.IsText()) return Strings{value.Text()};
  Strings strings;
  for (const Json& item : value.Items()) strings.push_back(item.Text());
  return strings;
}

struct Path {
  const Field* field;
  std::optional<std::string> member;
};

Path PathOf(const Kind& kind, const std::string& name) {
  const size_t dot = name.find('.');
  const Field* field = FindField(kind, name.substr(0, dot));
  if (dot == std::string::npos) return {field, std::nullopt};
  return {field, name.substr(dot + 1)};
}

// Whether the text is the pieces with anything between them: by trying everything.
bool Globs(const Strings& pieces, size_t next, std::string_view text) {
  if (next + 1 == pieces.size()) return text.ends_with(pieces[next]) && next > 0;
  if (next == 0) {
    return text.starts_with(pieces[0]) && Globs(pieces, 1, text.substr(pieces[0].size()));
  }
  for (size_t at = 0; at <= text.size(); ++at) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with(pieces[next]) && Globs(pieces, next + 1, rest.substr(pieces[next].size())))
      return true;
  }
  return false;
}

Strings PiecesOf(const Query& query) {
  if (query.node == Node::kPrefix) return {std::get<std::string>(query.value), ""};
  return query.pieces;
}

bool Within(const Query& range, const Scalar& value) {
  const bool open_below = std::holds_alternative<std::monostate>(range.lower);
  const bool open_above = std::holds_alternative<std::monostate>(range.upper);
  const bool above =
      open_below || range.lower < value || (range.lower_inclusive && range.lower == value);
  const bool below =
      open_above || value < range.upper || (range.upper_inclusive && range.upper == value);
  return above && below;
}

Scalar AsNumber(const Field& field, const Scalar& value) {
  const auto* whole = std::get_if<int64_t>(&value);
  if (field.type == FieldType::kDouble && whole != nullptr) return static_cast<double>(*whole);
  return value;
}

bool FindsNumber(const Query& query, const Field& field, const Json& value) {
  Scalar number = value.IsBool() ? Scalar(value.Bool()) : Scalar(value.Int());
  if (field.type == FieldType::kDouble) number = value.Number();
  if (query.node == Node::kEquals) return number == AsNumber(field, query.value);
  Query range = query;
  range.lower = AsNumber(field, query.lower);
  range.upper = AsNumber(field, query.upper);
  return query.node == Node::kRange && Within(range, number);
}

bool FindsString(const Query& query, const std::string& value, size_t bytes_max) {
  const auto cut = [&](const Scalar& bound) {
    const auto* text = std::get_if<std::string>(&bound);
    return text == nullptr ? bound : Scalar(Cut(*text, bytes_max));
  };
  const std::string indexed = Cut(value, bytes_max);
  if (query.node == Node::kEquals) return Scalar(indexed) == cut(query.value);
  if (query.node == Node::kPrefix) {
    return indexed.starts_with(Cut(std::get<std::string>(query.value), bytes_max));
  }
  if (query.node == Node::kWildcard) return Globs(query.pieces, 0, indexed);
  Query range = query;
  range.lower = cut(query.lower);
  range.upper = cut(query.upper);
  return query.node == Node::kRange && Within(range, indexed);
}

std::string Lower(const std::string& piece) {
  const Strings words = Words(piece);
  if (words.size() == 1 && words[0].size() >= piece.size()) return words[0];
  std::string lower = piece;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

bool FindsInWords(const Query& query, const Strings& words) {
  const auto any = [&](auto&& fits) { return std::any_of(words.begin(), words.end(), fits); };
  if (query.node == Node::kWords) {
    return any([&](const std::string& word) {
      return std::find(query.words.begin(), query.words.end(), word) != query.words.end();
    });
  }
  if (query.node == Node::kPhrase) {
    for (size_t at = 0; at + query.words.size() <= words.size() && !query.words.empty(); ++at) {
      if (std::equal(query.words.begin(), query.words.end(), words.begin() + static_cast<long>(at)))
        return true;
    }
    return false;
  }
  Strings pieces = PiecesOf(query);
  for (std::string& piece : pieces) piece = Cut(Lower(piece), 255);
  return any([&](const std::string& word) { return Globs(pieces, 0, word); });
}

int CompareBy(const SortKey& key, const Field& field, const Json& a, const Json& b) {
  const auto value = [&](const Json& body) -> std::optional<Scalar> {
    const Json& member = body[key.field];
    const bool integer = field.type == FieldType::kLong || field.type == FieldType::kTime;
    if (member.IsNull()) {
      if (!integer) return std::nullopt;
      return Scalar(key.descending ? INT64_MIN : INT64_MAX);
    }
    if (integer) return Scalar(member.Int());
    if (field.type == FieldType::kDouble) return Scalar(member.Number());
    if (field.type == FieldType::kBool) return Scalar(member.Bool());
    Strings items = *StringsOf(member);
    for (std::string& item : items) item = Cut(item, kKeywordBytesMax);
    if (items.empty()) return std::nullopt;
    return Scalar(key.descending ? std::ranges::max(items) : std::ranges::min(items));
  };
  const auto left = value(a);
  const auto right = value(b);
  if (!left || !right) return static_cast<int>(!left) - static_cast<int>(!right);
  if (*left == *right) return 0;
  return (*left < *right) != key.descending ? -1 : 1;
}

}  // namespace

void NaiveSearch::Add(const std::string& id, const std::string& body) {
  Model model{.id = id, .body = *ParseJson(body)};
  for (const Field& field : kind_.fields) {
    const Json& value = model.body[field.name];
    if (field.type == FieldType::kText && value.IsText()) {
      model.words[field.name] = Words(value.Text());
    }
  }
  models_.push_back(std::move(model));
}

bool NaiveSearch::Finds(const Query& query, const Model& model) const {
  const auto finds = [&](const Query& child) { return Finds(child, model); };
  switch (query.node) {
    case Node::kAll:
      return true;
    case Node::kAnd:
      return std::all_of(query.children.begin(), query.children.end(), finds);
    case Node::kOr:
      return std::any_of(query.children.begin(), query.children.end(), finds);
    case Node::kNot:
      return !finds(query.children.at(0));
    default:
      break;
  }
  const bool text =
      query.field.empty() || PathOf(kind_, query.field).field->type == FieldType::kText;
  if (text && query.node != Node::kExists) return FindsInText(query, model);
  return FindsInField(query, model);
}

bool NaiveSearch::FindsInText(const Query& query, const Model& model) const {
  for (const Field& field : kind_.fields) {
    const bool asked = query.field.empty() || query.field == field.name;
    if (field.type != FieldType::kText || !field.searchable || !asked) continue;
    const auto words = model.words.find(field.name);
    if (words != model.words.end() && FindsInWords(query, words->second)) return true;
  }
  return false;
}

bool NaiveSearch::FindsInField(const Query& query, const Model& model) const {
  const auto [field, member] = PathOf(kind_, query.field);
  const Json& value = model.body[field->name];
  const Json& asked = member ? value[*member] : value;
  if (asked.IsNull()) return false;
  if (query.node == Node::kExists) return true;
  if (field->type != FieldType::kKeyword && field->type != FieldType::kMap) {
    return FindsNumber(query, *field, asked);
  }
  const size_t bytes_max = kKeywordBytesMax - (member ? Entry(*member, "").size() : 0);
  const Strings strings = *StringsOf(asked);
  return std::any_of(strings.begin(), strings.end(),
                     [&](const std::string& text) { return FindsString(query, text, bytes_max); });
}

std::vector<FacetValue> NaiveSearch::Count(const FacetKey& key,
                                           const std::vector<const Model*>& found) const {
  const auto [field, member] = PathOf(kind_, key.field);
  std::map<Scalar, int64_t> counts;
  for (const Model* model : found) {
    const Json& value = model->body[field->name];
    std::set<Scalar> values;
    if (value.IsBool()) values.insert(Scalar(value.Bool()));
    if (field->type == FieldType::kKeyword) {
      for (const std::string& text : StringsOf(value).value_or(Strings{})) {
        values.insert(Scalar(Cut(text, kKeywordBytesMax)));
      }
    }
    for (const auto& [name, text] : value.Members()) {
      const std::string entry = Entry(name, text.Text());
      if (!member) values.insert(Scalar(entry));
      if (member == name) values.insert(Scalar(entry.substr(Entry(name, "").size())));
    }
    for (const Scalar& counted : values) {
      const auto* text = std::get_if<std::string>(&counted);
      if (text == nullptr || text->starts_with(key.prefix)) ++counts[counted];
    }
  }
  std::vector<FacetValue> values;
  for (const auto& [value, count] : counts) values.push_back({value, count});
  std::stable_sort(values.begin(), values.end(),
                   [](const FacetValue& a, const FacetValue& b) { return a.count > b.count; });
  values.resize(std::min(values.size(), static_cast<size_t>(key.limit)));
  return values;
}

NaiveSearch::Answer NaiveSearch::Search(const SearchRequest& request) const {
  std::vector<const Model*> found;
  for (const Model& model : models_) {
    if (Finds(request.query, model)) found.push_back(&model);
  }
  std::sort(found.begin(), found.end(), [&](const Model* a, const Model* b) {
    for (const SortKey& key : request.sort) {
      const int order = CompareBy(key, *FindField(kind_, key.field), a->body, b->body);
      if (order != 0) return order < 0;
    }
    return a->id < b->id;
  });
  Answer answer;
  for (const Model* model : found) answer.ids.push_back(model->id);
  for (const FacetKey& key : request.facets) answer.facets.push_back(Count(key, found));
  return answer;
}

}  // namespace a4c::conformance
