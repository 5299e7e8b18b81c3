// A tar stream of a few small files, as a build context is sent; and single entries of one.
#pragma once

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

// Header and body, padded. Of a link the content is empty.
inline std::string TarEntry(const std::string& name, const std::string& content, char type = '0',
                            const std::string& link = {}) {
  std::string header(512, '\0');
  const auto put = [&header](size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  char number[13];
  std::snprintf(number, sizeof(number), "%011zo", content.size());
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, number);
  put(136, "00000000000");
  put(148, "        ");
  put(156, std::string(1, type));
  put(157, link);
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(number, sizeof(number), "%06o", sum);
  put(148, std::string(number, 6) + '\0' + ' ');
  std::string entry = header + content;
  entry.resize((entry.size() + 511) / 512 * 512, '\0');
  return entry;
}

inline std::string TarEnd() {
  return std::string(1024, '\0');
}

inline std::string TarOf(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string tar;
  for (const auto& [name, content] : files) tar += TarEntry(name, content);
  return tar + TarEnd();
}
