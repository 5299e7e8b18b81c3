// What a4c prints: tables for people, JSON, YAML, NDJSON and names for programs. Data goes to
// standard output, everything else to standard error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "a4c/clock.h"
#include "a4c/json.h"

namespace a4c_cli {

enum class Format { kTable, kWide, kJson, kYaml, kNdjson, kName };

struct Column {
  const char* title;
  const char* member;  // of the item; "a.b" goes down
  bool wide = false;   // only with -o wide
  // kFound: `highlights` of the API, what matched in bold or in brackets; a last column.
  enum class As { kText, kAge, kBytes, kState, kYesNo, kPercent, kFound } as = As::kText;
};

struct Style {
  Format format = Format::kTable;
  bool color = false;
  int64_t now_ms = 0;
};

// noun: "job", for -o name: "job/<id>", or what the first column shows of what has no id.
std::string Render(const a4c::Json& items, const std::string& noun,
                   const std::vector<Column>& columns, const Style& style, bool single);

// A table that grows: the header above the first rows, later ones below in the same columns, whose
// widths are kept by the caller. The other formats: each item for itself.
std::string RenderMore(const a4c::Json& items, const std::string& noun,
                       const std::vector<Column>& columns, const Style& style,
                       std::vector<size_t>& widths);

std::string YamlText(const a4c::Json& value);
std::string BytesText(int64_t bytes);
// "3m" since a time as the API writes it; "-" if there is none.
std::string AgeText(std::string_view time, int64_t now_ms);
// Without what could move the cursor or color the terminal; lines stay lines.
std::string HarmlessText(std::string_view text);
// So much of it as fits a line of a terminal, harmless as well.
std::string OneLine(std::string_view text, size_t columns);
// "[###...] 50% "; nothing if it is not known how much there is to do.
std::string BarText(int64_t done, int64_t total);
// Colors are for terminals whose user did not set NO_COLOR.
bool ColorWanted(int fd);

}  // namespace a4c_cli
