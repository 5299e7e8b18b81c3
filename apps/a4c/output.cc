#include "apps/a4c/output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <cwchar>

namespace a4c_cli {
namespace {

using a4c::Json;

constexpr int64_t kBarWidth = 30;

const Json& Member(const Json& item, std::string_view path) {
  const size_t dot = path.find('.');
  const Json& member = item[path.substr(0, dot)];
  return dot == std::string_view::npos ? member : Member(member, path.substr(dot + 1));
}

struct Character {
  size_t bytes = 1;
  size_t columns = 1;  // of a terminal: 2 of many in Chinese, 0 of an accent that is set apart
};

size_t ColumnsOf(wchar_t character) {
  static const locale_t kUtf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (kUtf8 == nullptr) return 1;
  const locale_t before = uselocale(kUtf8);
  const int columns = wcwidth(character);
  uselocale(before);
  return columns < 0 ? 1 : static_cast<size_t>(columns);
}

Character CharacterAt(std::string_view text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return {};
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  auto value = static_cast<wchar_t>(first & (0xFF >> (length + 1)));
  Character character;
  for (; character.bytes < length && at + character.bytes < text.size(); ++character.bytes) {
    const auto next = static_cast<unsigned char>(text[at + character.bytes]);
    if ((next & 0xC0) != 0x80) break;
    value = value << 6 | (next & 0x3F);
  }
  character.columns = ColumnsOf(value);
  return character;
}

size_t Width(std::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size();) {
    const Character character = CharacterAt(text, i);
    width += character.columns;
    i += character.bytes;
  }
  return width;
}

// U+0080 to U+009F, of two bytes: to a terminal as good as an escape and one character more.
bool IsC1(std::string_view text, size_t at) {
  if (text[at] != '\xc2' || at + 1 == text.size()) return false;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  return second >= 0x80 && second <= 0x9f;
}

// Nothing that a server sends may move the cursor or color the terminal. Lines stay lines only with
// `keeps_lines`.
std::string Printable(std::string_view text, bool keeps_lines = false) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_c1 = IsC1(text, i);
    const bool is_c0 = static_cast<unsigned char>(c) < 0x20 && !(keeps_lines && c == '\n');
    out += is_c0 || is_c1 || c == 0x7f ? ' ' : c;
    if (is_c1) ++i;
  }
  return out;
}

std::string FragmentText(const Json& pieces, bool color) {
  std::string text;
  for (const Json& piece : pieces.Items()) {
    const std::string shown = Printable(piece["text"].Text());
    if (!piece["match"].Bool()) {
      text += shown;
    } else {
      text += color ? "\x1b[1m" + shown + "\x1b[0m" : "[" + shown + "]";
    }
  }
  return text;
}

// "message: Connection [refused] ... [refused] again; title: ..."
std::string FoundText(const Json& highlights, bool color) {
  std::string text;
  for (const Json& highlight : highlights.Items()) {
    text += (text.empty() ? "" : "; ") + Printable(highlight["field"].Text()) + ":";
    const char* between = " ";
    for (const Json& fragment : highlight["fragments"].Items()) {
      text += between + FragmentText(fragment, color);
      between = " ... ";
    }
  }
  return text.empty() ? "-" : text;
}

// A share as a whole number of percent.
std::string PercentText(double share) {
  return std::to_string(std::lround(100 * share)) + " %";
}

std::string Cell(const Json& value, Column::As as, const Style& style) {
  if (as == Column::As::kAge) return AgeText(value.Text(), style.now_ms);
  if (as == Column::As::kFound) return FoundText(value, style.color);
  if (as == Column::As::kBytes) return value.IsNull() ? "-" : BytesText(value.Int());
  if (as == Column::As::kPercent) return PercentText(value.Number());
  if (as == Column::As::kYesNo) return value.Bool() ? "yes" : "no";
  if (value.IsNull()) return "-";
  if (value.IsText()) return value.Text().empty() ? "-" : Printable(value.Text());
  if (!value.IsArray()) return value.ToString();
  std::string list;
  for (const Json& item : value.Items()) {
    list += (list.empty() ? "" : ",") + Cell(item, Column::As::kText, style);
  }
  return list.empty() ? "-" : list;
}

const char* ColorOf(const std::string& state) {
  if (state == "succeeded" || state == "running") return "\x1b[32m";
  if (state == "failed") return "\x1b[31m";
  if (state == "pending") return "\x1b[33m";
  return "\x1b[2m";
}

using Row = std::vector<std::string>;

std::string RowText(const Row& row, const std::vector<Column>& shown,
                    const std::vector<size_t>& widths, bool color) {
  std::string line;
  for (size_t c = 0; c < row.size(); ++c) {
    const bool colored = color && shown[c].as == Column::As::kState;
    line += colored ? ColorOf(row[c]) + row[c] + "\x1b[0m" : row[c];
    if (c + 1 < row.size()) line += std::string(widths[c] - Width(row[c]) + 2, ' ');
  }
  return line + "\n";
}

// Below rows that were shown before, unless there are no widths yet.
std::string Table(const Json& items, const std::vector<Column>& columns, const Style& style,
                  std::vector<size_t>& widths) {
  std::vector<Column> shown;
  Row titles;
  for (const Column& column : columns) {
    if (column.wide && style.format != Format::kWide) continue;
    shown.push_back(column);
    titles.emplace_back(column.title);
  }
  std::vector<Row> rows;
  for (const Json& item : items.Items()) {
    Row& row = rows.emplace_back();
    for (const Column& column : shown) {
      row.push_back(Cell(Member(item, column.member), column.as, style));
    }
  }
  const bool has_header = widths.empty();
  for (const std::string& title : titles) {
    if (has_header) widths.push_back(Width(title));
  }
  for (const Row& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], Width(row[c]));
  }
  std::string text = has_header ? RowText(titles, shown, widths, false) : "";
  for (const Row& row : rows) text += RowText(row, shown, widths, style.color);
  return text;
}

// Text that YAML would read as text without quotes; everything else is written as JSON, which is
// YAML.
bool PlainYaml(const std::string& text) {
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text[0])) == 0) return false;
  static constexpr std::array<std::string_view, 8> kWords = {"true", "false", "null", "yes",
                                                             "no",   "on",    "off",  "y"};
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "n" || std::ranges::find(kWords, lower) != kWords.end()) return false;
  return std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '/';
  });
}

// What it is called in commands: its id, or what its row begins with.
const std::string& NameOf(const Json& item, const std::vector<Column>& columns) {
  const Json& id = item["id"];
  return id.IsText() || columns.empty() ? id.Text() : Member(item, columns[0].member).Text();
}

std::string YamlScalar(const Json& value) {
  return value.IsText() && PlainYaml(value.Text()) ? value.Text() : value.ToString();
}

bool IsYamlBlock(const Json& value) {
  return (value.IsObject() && !value.Members().empty()) ||
         (value.IsArray() && !value.Items().empty());
}

std::string YamlBlock(const Json& value, const std::string& indent) {
  std::string text;
  for (const auto& [name, member] : value.Members()) {
    text += indent + YamlScalar(Json(name)) + ":";
    text += IsYamlBlock(member) ? "\n" + YamlBlock(member, indent + "  ")
                                : " " + YamlScalar(member) + "\n";
  }
  for (const Json& item : value.Items()) {
    std::string inner = IsYamlBlock(item) ? YamlBlock(item, indent + "  ")
                                          : indent + "  " + YamlScalar(item) + "\n";
    inner[indent.size()] = '-';
    text += inner;
  }
  return text;
}

std::string Pretty(const Json& value, const std::string& indent) {
  const bool object = value.IsObject();
  if ((!object && !value.IsArray()) || (object ? value.Members().empty() : value.Items().empty())) {
    return value.ToString();
  }
  const std::string deeper = indent + "  ";
  std::string text = object ? "{" : "[";
  const char* comma = "\n";
  for (const auto& [name, member] : value.Members()) {
    text += comma + deeper + Json(name).ToString() + ": " + Pretty(member, deeper);
    comma = ",\n";
  }
  for (const Json& item : value.Items()) {
    text += comma + deeper + Pretty(item, deeper);
    comma = ",\n";
  }
  return text + "\n" + indent + (object ? "}" : "]");
}

}  // namespace

std::string Render(const Json& items, const std::string& noun, const std::vector<Column>& columns,
                   const Style& style, bool single) {
  const Json& whole = single && !items.Items().empty() ? items.Items()[0] : items;
  std::string text;
  switch (style.format) {
    case Format::kJson:
      return Pretty(whole, "") + "\n";
    case Format::kYaml:
      return YamlText(whole);
    case Format::kNdjson:
      for (const Json& item : items.Items()) text += item.ToString() + "\n";
      return text;
    case Format::kName:
      for (const Json& item : items.Items()) {
        text += noun + "/" + Printable(NameOf(item, columns)) + "\n";
      }
      return text;
    case Format::kTable:
    case Format::kWide:
      break;
  }
  std::vector<size_t> widths;
  return Table(items, columns, style, widths);
}

std::string RenderMore(const Json& items, const std::string& noun,
                       const std::vector<Column>& columns, const Style& style,
                       std::vector<size_t>& widths) {
  std::string text;
  switch (style.format) {
    case Format::kJson:
      for (const Json& item : items.Items()) text += Pretty(item, "") + "\n";
      return text;
    case Format::kYaml:
      for (const Json& item : items.Items()) text += "---\n" + YamlText(item);
      return text;
    case Format::kTable:
    case Format::kWide:
      return Table(items, columns, style, widths);
    default:
      return Render(items, noun, columns, style, false);
  }
}

std::string YamlText(const Json& value) {
  return IsYamlBlock(value) ? YamlBlock(value, "") : YamlScalar(value) + "\n";
}

std::string BytesText(int64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string AgeText(std::string_view time, int64_t now_ms) {
  std::tm parts{};
  if (time.empty() || strptime(std::string(time).c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) {
    return "-";
  }
  const int64_t seconds = std::max<int64_t>(0, now_ms / 1000 - timegm(&parts));
  if (seconds < 120) return std::to_string(seconds) + "s";
  if (seconds < 7'200) return std::to_string(seconds / 60) + "m";
  if (seconds < 172'800) return std::to_string(seconds / 3'600) + "h";
  return std::to_string(seconds / 86'400) + "d";
}

std::string HarmlessText(std::string_view text) {
  return Printable(text, true);
}

std::string OneLine(std::string_view text, size_t columns) {
  size_t end = 0;
  for (size_t width = 0; end < text.size();) {
    const Character character = CharacterAt(text, end);
    width += character.columns;
    if (width > columns) break;
    end += character.bytes;
  }
  return Printable(text.substr(0, end));
}

std::string BarText(int64_t done, int64_t total) {
  if (total <= 0) return "";
  const int64_t bounded = std::clamp<int64_t>(done, 0, total);
  const auto full = static_cast<size_t>(bounded * kBarWidth / total);
  return "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "] " +
         std::to_string(bounded * 100 / total) + "% ";
}

bool ColorWanted(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* forced = std::getenv("CLICOLOR_FORCE");
  if (forced != nullptr && *forced != '\0' && std::string_view(forced) != "0") return true;
  return isatty(fd) == 1;
}

}  // namespace a4c_cli
