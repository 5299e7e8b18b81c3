#include "tests/conformance/search/random_search.h"

#include <charconv>
#include <cstdio>

#include "a4c/completion.h"
#include "a4c/query.h"

namespace a4c::conformance {
namespace {

constexpr FieldType kTypes[] = {FieldType::kKeyword, FieldType::kText, FieldType::kLong,
                                FieldType::kDouble,  FieldType::kBool, FieldType::kTime,
                                FieldType::kMap};
constexpr int64_t kFirstTime = 1793491200000;  // 2026-11-01

const std::vector<std::string>& LabelNames() {
  static const std::vector<std::string> names = {"team", "tier", "a=b", "x.y", "te", "\\"};
  return names;
}

// Of a text, where characters begin, its end included.
std::vector<size_t> Boundaries(const std::string& text) {
  std::vector<size_t> boundaries;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0u) != 0x80u) boundaries.push_back(i);
  }
  boundaries.push_back(text.size());
  return boundaries;
}

std::string Escaped(std::string_view piece) {
  std::string escaped;
  for (const char c : piece) {
    if (std::string_view("\\():<>\"*{}").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// The characters of up to three bytes as \u00e9, the others as they are.
std::string InHex(const std::string& text) {
  const std::vector<size_t> at = Boundaries(text);
  std::string hex;
  for (size_t i = 0; i + 1 < at.size(); ++i) {
    const std::string character = text.substr(at[i], at[i + 1] - at[i]);
    uint32_t point = static_cast<unsigned char>(character[0]);
    if (character.size() > 1) point &= 0xFFu >> (character.size() + 1);
    for (const char c : character.substr(1)) {
      point = point << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\u%04x", point & 0xFFFFu);
    hex += character.size() > 3 ? character : escape;
  }
  return hex;
}

}  // namespace

RandomSearch::RandomSearch(uint32_t seed, const std::string& kind_name) : random_(seed) {
  kind_.name = kind_name;
  for (int i = 0; i < 9; ++i) {
    const FieldType type = i < 7 ? kTypes[i] : kTypes[Below(7)];
    if (i > 0 && Chance(25)) continue;
    kind_.fields.push_back(
        {.name = "f" + std::to_string(i), .type = type, .searchable = !Chance(8)});
  }
  kind_.fields[0].searchable = true;
  for (int i = 0; i < 9; ++i) keywords_.push_back(Keyword());
  for (int i = 0; i < 6; ++i) lines_.push_back(LogLine());
}

std::string RandomSearch::Pick(std::initializer_list<const char*> words) {
  return *(words.begin() + Below(static_cast<uint32_t>(words.size())));
}

const Field* RandomSearch::FieldOf(std::initializer_list<FieldType> types) {
  std::vector<const Field*> fields;
  for (const Field& field : kind_.fields) {
    const bool wanted = std::find(types.begin(), types.end(), field.type) != types.end();
    if (field.searchable && wanted) fields.push_back(&field);
  }
  return fields.empty() ? nullptr : Pick(fields);
}

std::string RandomSearch::Id(int number) {
  return Pick({"a", "B", "\xC3\xA9", "z-", "0"}) + std::to_string(Below(1'000)) + "-" +
         std::to_string(number);
}

std::string RandomSearch::Keyword() {
  if (Chance(5)) return std::string(1020 + Below(10), 'k') + Pick({"", "\xC3\xA9", "z"});
  return Pick({"failed",
               "failing",
               "ok",
               "Z",
               "\xC3\xA9t\xC3\xA9",
               "",
               "a b",
               "x:y",
               "\xF0\x9F\x98\x80",
               "and",
               "100%",
               "a_b",
               "a?b*c",
               "C:\\dir",
               "[z]",
               "^$.|",
               "=",
               "two\nlines",
               "' or 1=1 --",
               "\"quoted\"",
               "image.build",
               "fail",
               "ed",
               "\x7F",
               "e\xCC\x81",
               "\xEF\xBF\xBF",
               "0",
               "-1",
               "now-1h",
               "{\"a\":1}",
               "a,b",
               "<b>"}) +
         (Chance(20) ? std::to_string(Below(3)) : "");
}

std::string RandomSearch::Word() {
  if (Chance(2)) return std::string(300, 'w');
  return Pick({"connection",
               "Refused",
               "by",
               "peer",
               "10.0.0.1",
               "10.0.0.12:5432",
               "\xC3\xA4rger",
               "Stra\xC3\x9F"
               "e",
               "can't",
               "a_b",
               "\xE5\x8C\x97\xE4\xBA\xAC",
               "\xCE\x9F\xCE\x94\xCE\x9F\xCE\xA3",
               "42",
               "--",
               "e\xCC\x81t\xC3\xA9",
               "ERROR",
               "worker-3",
               "timeout",
               "1.5s",
               "host.example.com",
               "\xC4\xB0stanbul",
               "\xF0\x9F\x98\x80",
               "user@example.com",
               "/var/log/a4c.log",
               "0x1F",
               "NullPointerException",
               "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
               "\xE0\xB8\xA0\xE0\xB8\xB2\xE0\xB8\xA9\xE0\xB8\xB2",
               "con",
               "re",
               "\xEF\xAC\x81n",
               "x\xE2\x80\x8Dy",
               "100%",
               "*",
               "or"});
}

std::string RandomSearch::LogLine() {
  std::string line = Chance(30) ? "2026-11-26T10:0" + std::to_string(Below(10)) + ":01Z " : "";
  for (uint32_t n = Below(9); n > 0; --n)
    line += Word() + Pick({" ", " ", ", ", "\n", ": ", "/", "  "});
  return line;
}

int64_t RandomSearch::Long() {
  if (Chance(6)) return Chance(50) ? INT64_MAX : INT64_MIN;
  if (Chance(6)) return (int64_t{1} << 53) + Below(3);
  return static_cast<int64_t>(Below(12)) - 4;
}

double RandomSearch::Double() {
  if (Chance(4)) return 5e-324;
  if (Chance(8)) return Chance(50) ? 1e300 : -1e300;
  if (Chance(8)) return -0.0;
  if (Chance(10)) return 0.1 * Below(4);
  return (static_cast<double>(Below(16)) - 6) / 4;
}

int64_t RandomSearch::Time() {
  if (Chance(4)) return -static_cast<int64_t>(Below(3)) * 1'000;
  return kFirstTime + static_cast<int64_t>(Below(96)) * 3'600'000 + (Chance(30) ? Below(3) : 0);
}

Json RandomSearch::Keywords() {
  if (Chance(50)) return Pick(keywords_);
  Json values = Json::Array{};
  for (uint32_t n = Below(4); n > 0; --n) values.Append(Pick(keywords_));
  return values;
}

Json RandomSearch::Labels() {
  Json labels = Json::Object{};
  for (uint32_t n = Below(4); n > 0; --n) labels.Set(Pick(LabelNames()), Pick(keywords_));
  return labels;
}

Json RandomSearch::Value(FieldType type) {
  switch (type) {
    case FieldType::kKeyword:
      return Keywords();
    case FieldType::kText:
      return Pick(lines_) + (Chance(40) ? Word() : "");
    case FieldType::kLong:
      return Long();
    case FieldType::kDouble:
      return Chance(15) ? Json(static_cast<int64_t>(Below(5))) : Json(Double());
    case FieldType::kBool:
      return Chance(50);
    case FieldType::kTime:
      return Time();
    case FieldType::kMap:
      return Labels();
  }
  return nullptr;
}

std::string RandomSearch::Body() {
  Json body = Json::Object{};
  for (const Field& field : kind_.fields) {
    if (Chance(25)) continue;
    body.Set(field.name, Chance(5) ? Json(nullptr) : Value(field.type));
  }
  if (Chance(20)) body.Set("unknown", Pick(keywords_));
  return body.ToString();
}

std::string RandomSearch::QueryText(int depth) {
  const uint32_t shape = depth <= 0 ? 99 : Below(14);
  if (shape < 3) return "(" + QueryText(depth - 1) + " and " + QueryText(depth - 1) + ")";
  if (shape < 6) return "(" + QueryText(depth - 1) + " or " + QueryText(depth - 1) + ")";
  if (shape < 8) return "not " + QueryText(depth - 1);
  return Leaf();
}

std::string RandomSearch::Leaf() {
  if (Chance(4)) return "*";
  const bool has_text = FieldOf({FieldType::kText}) != nullptr;
  if (has_text && Chance(20)) return TextLeaf("");
  const Field& field =
      *FieldOf({FieldType::kKeyword, FieldType::kText, FieldType::kLong, FieldType::kDouble,
                FieldType::kBool, FieldType::kTime, FieldType::kMap});
  return Chance(10) ? field.name + ":*" : FieldLeaf(field);
}

std::string RandomSearch::Compare() {
  return Pick({" > ", " >= ", " < ", " <= ", ":", ":"});
}

// A member of a map, the field itself otherwise.
std::string RandomSearch::Path(const Field& field) {
  if (field.type != FieldType::kMap) return field.name;
  return field.name + "." + Escaped(Pick(LabelNames()));
}

std::string RandomSearch::FieldLeaf(const Field& field) {
  switch (field.type) {
    case FieldType::kKeyword:
    case FieldType::kMap:
      return StringLeaf(Path(field));
    case FieldType::kText:
      return TextLeaf(field.name + ":");
    case FieldType::kLong:
      return field.name + Compare() + std::to_string(Long());
    case FieldType::kDouble: {
      char text[32];
      const auto end = std::to_chars(text, text + sizeof text, Double()).ptr;
      return field.name + Compare() + std::string(text, end);
    }
    case FieldType::kBool:
      return field.name + Pick({":true", ":false"});
    case FieldType::kTime:
      return field.name + Compare() + TimeLiteral();
  }
  return "*";
}

std::string RandomSearch::StringLeaf(const std::string& path) {
  if (Chance(10)) return path + ":*";
  if (Chance(15)) {
    return path + ":(" + Written(Pick(keywords_)) + " or " + (Chance(30) ? "not " : "") +
           Pattern(Pick(keywords_)) + ")";
  }
  if (Chance(35)) return path + ":" + Pattern(Pick(keywords_));
  return path + Compare() + Written(Pick(keywords_));
}

std::string RandomSearch::TextLeaf(const std::string& before) {
  const std::vector<std::string> words = Words(Pick(lines_));
  const std::string word = words.empty() ? Word() : Pick(words);
  if (Chance(25)) return before + Pattern(word);
  if (Chance(30) && words.size() > 1) {
    const size_t first = Below(static_cast<uint32_t>(words.size() - 1));
    std::string phrase = words[first];
    for (size_t i = first + 1; i < words.size() && Chance(70); ++i) phrase += " " + words[i];
    return before + "\"" + phrase + "\"";
  }
  if (Chance(30))
    return before + Written(word) + (Chance(50) ? " or " + before + Pattern(Word()) : "");
  return before + "(" + Written(word) + " or " + Written(Word()) + ")";
}

std::string RandomSearch::TimeLiteral() {
  if (Chance(30)) return std::to_string(Time());
  return Pick({"2026-11-01", "2026-11-02", "2026-11-03T10:00:00Z", "2026-11-02T07:00", "2026-11",
               "2026", "2026-11-01||+1d", "2026-11-01||/M", "now-1h", "now/d", "now-36h", "now/w"});
}

// Some of a value's characters, stars for the others.
std::string RandomSearch::Pattern(const std::string& value) {
  const std::vector<size_t> cuts = Boundaries(value);
  const auto cut = [&] { return Below(static_cast<uint32_t>(cuts.size())); };
  size_t a = cut();
  size_t b = cut();
  if (a > b) std::swap(a, b);
  if (cuts[b] - cuts[a] > 100) b = a + 50;
  const std::string start = Escaped(value.substr(0, std::min<size_t>(cuts[a], 100))) + Nul();
  const std::string middle = Escaped(value.substr(cuts[a], cuts[b] - cuts[a])) + Nul();
  if (Chance(40)) return start + "*";
  if (Chance(40)) return "*" + middle + "*";
  return start + "*" +
         Escaped(value.substr(cuts[b])).substr(0, value.size() > 100 ? 0 : std::string::npos);
}

std::string RandomSearch::Written(const std::string& value) {
  const bool in_hex = !value.empty() && value.size() < 100 && Chance(15);
  return in_hex ? InHex(value) + Nul() : QuotedIfNeeded(value);
}

// Now and then what no value holds, and what ends a string for some engines.
std::string RandomSearch::Nul() {
  return Chance(2) ? "\\u0000" : "";
}

std::vector<SortKey> RandomSearch::Sort() {
  std::vector<SortKey> sort;
  for (uint32_t n = Below(3); n > 0; --n) {
    const Field* field = FieldOf({FieldType::kKeyword, FieldType::kLong, FieldType::kDouble,
                                  FieldType::kBool, FieldType::kTime});
    if (field != nullptr) sort.push_back({field->name, Chance(50)});
  }
  return sort;
}

std::vector<FacetKey> RandomSearch::Facets() {
  std::vector<FacetKey> facets;
  for (uint32_t n = Chance(40) ? 1 + Below(2) : 0; n > 0; --n) {
    const Field* field = FieldOf({FieldType::kKeyword, FieldType::kBool, FieldType::kMap});
    if (field == nullptr) continue;
    FacetKey facet{.field = field->name, .limit = Chance(60) ? 10 : 1 + static_cast<int>(Below(4))};
    const bool member = field->type == FieldType::kMap && Chance(60);
    if (member) facet.field += "." + Pick(LabelNames());
    if (field->type != FieldType::kBool && Chance(40)) {
      const std::string& value = Pick(keywords_);
      const std::vector<size_t> cuts = Boundaries(value.substr(0, 100));
      facet.prefix = value.substr(0, Pick(cuts));
      if (!IsUtf8(facet.prefix)) facet.prefix.clear();
    }
    facets.push_back(facet);
  }
  return facets;
}

}  // namespace a4c::conformance
