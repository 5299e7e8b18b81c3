// Archives of every form that may come, in pieces of every size, and those that are none.
#include "images/tar_filter.h"

#include <gtest/gtest.h>

#include "tests/support/tar.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kBytesMax = 1 << 20;
const std::string kGone = "a/layer.tar";

bool IsGone(std::string_view path) {
  return path == kGone || path.ends_with("/gone");
}

// What comes out of it, given to it in pieces of that size.
Result<std::string> Filtered(const std::string& tar, size_t piece_bytes = 1000,
                             int64_t bytes_max = kBytesMax) {
  size_t at = 0;
  const ByteSource from = [&]() -> Result<std::string> {
    const size_t begin = at;
    at = std::min(tar.size(), at + piece_bytes);
    return tar.substr(begin, at - begin);
  };
  TarFilter filter(from, IsGone, bytes_max);
  std::string out;
  while (true) {
    A4C_TRY(const std::string piece, filter.Read());
    if (piece.empty()) break;
    out += piece;
  }
  EXPECT_EQ(filter.bytes_left_out(), static_cast<int64_t>(tar.size() - out.size()));
  return out;
}
void ExpectFiltered(const std::string& tar, const std::string& wanted) {
  for (const size_t piece_bytes : {1u, 7u, 511u, 512u, 513u, 1024u, 100'000u}) {
    const auto out = Filtered(tar, piece_bytes);
    ASSERT_TRUE(out) << out.error().ToString() << ", in pieces of " << piece_bytes;
    EXPECT_TRUE(*out == wanted) << "in pieces of " << piece_bytes << ": " << out->size()
                                << " bytes, not " << wanted.size();
  }
}
void ExpectBad(const std::string& tar, const std::string& why) {
  const auto out = Filtered(tar);
  ASSERT_FALSE(out) << why;
  EXPECT_EQ(out.error().code(), Code::kUnavailable) << out.error().ToString();
  EXPECT_NE(out.error().message().find(why), std::string::npos) << out.error().ToString();
}

std::string PaxRecord(const std::string& name, const std::string& value) {
  const std::string rest = " " + name + "=" + value + "\n";
  size_t length = rest.size();
  while (std::to_string(length).size() + rest.size() != length) {
    length = std::to_string(length).size() + rest.size();
  }
  return std::to_string(length) + rest;
}
// The header anew, with these bytes there.
std::string Patched(std::string entry, size_t at, const std::string& bytes) {
  entry.replace(at, bytes.size(), bytes);
  entry.replace(148, 8, "        ");
  unsigned sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(entry[i]);
  char text[8];
  std::snprintf(text, sizeof(text), "%06o", sum);
  return entry.replace(148, 7, text, 7);
}
std::string Filler(size_t bytes) {
  return std::string(bytes, 'x');
}

TEST(TarFilter, WhatIsNotLeftOutPassesByteForByte) {
  const std::string tar = TarEntry("a/", "", '5') + TarEntry("a/VERSION", "1.0") +
                          TarEntry("a/json", Filler(512)) + TarEntry("b/layer.tar", Filler(3000)) +
                          TarEntry("a/link", "", '2', "../b/layer.tar") + TarEnd();
  ExpectFiltered(tar, tar);
  ExpectFiltered(tar + std::string(9216, '\0'), tar + std::string(9216, '\0'));
  ExpectFiltered(TarEnd(), TarEnd());
}

TEST(TarFilter, AFileIsLeftOutWithItsPadding) {
  for (const size_t bytes : {0, 1, 511, 512, 513, 70'000}) {
    const std::string before = TarEntry("a/json", "{}");
    const std::string after = TarEntry("manifest.json", Filler(700)) + TarEnd();
    std::string tar = before;
    tar.append(TarEntry(kGone, Filler(bytes))).append(after);
    ExpectFiltered(tar, before + after);
  }
}

TEST(TarFilter, LinksAndDirectoriesOfThatPathStay) {
  const std::string tar = TarEntry(kGone, "", '2', "../b/layer.tar") +
                          TarEntry(kGone, "", '1', "b/layer.tar") + TarEntry(kGone, "", '5') +
                          TarEnd();
  ExpectFiltered(tar, tar);
  // Whatever size they say: none has a body.
  const std::string link = Patched(TarEntry("l", "", '2', "m"), 124, "00000000777");
  ExpectFiltered(link + TarEntry(kGone, "x") + TarEnd(), link + TarEnd());
}

TEST(TarFilter, WhatSaysMoreOfAFileGoesAndStaysWithIt) {
  const std::string path = Filler(200) + "/gone";
  const std::string file = TarEntry("short", "body");
  const std::string gnu = TarEntry("././@LongLink", path + '\0', 'L');
  const std::string pax = TarEntry(
      "PaxHeaders/x",
      PaxRecord("mtime", "1.5") + PaxRecord("path", path) + PaxRecord("comment", "a=b\nc"), 'x');
  const std::string other = TarEntry("PaxHeaders/y", PaxRecord("path", "stays"), 'x');
  ExpectFiltered(gnu + file + TarEnd(), TarEnd());
  ExpectFiltered(pax + file + TarEnd(), TarEnd());
  ExpectFiltered(gnu + pax + file + file + TarEnd(), file + TarEnd());
  // The name in the header is not the file's.
  ExpectFiltered(other + TarEntry(kGone, "body") + TarEnd(),
                 other + TarEntry(kGone, "body") + TarEnd());
  const std::string empty = TarEntry("PaxHeaders/z", "", 'x');
  ExpectFiltered(empty + file + TarEnd(), empty + file + TarEnd());
}

TEST(TarFilter, SizesBeyondOctalDigitsAreRead) {
  const std::string body = Filler(600);
  const std::string binary =
      Patched(TarEntry(kGone, body), 124, std::string("\x80\0\0\0\0\0\0\0\0\0\x02\x58", 12));
  ExpectFiltered(binary + TarEnd(), TarEnd());
  const std::string pax = TarEntry("PaxHeaders/x", PaxRecord("size", "600"), 'x');
  const std::string sizeless = Patched(TarEntry(kGone, body), 124, "00000000000");
  ExpectFiltered(pax + sizeless + TarEnd(), TarEnd());
  const std::string stays = pax + Patched(TarEntry("b", body), 124, "00000000000");
  ExpectFiltered(stays + TarEntry(kGone, body) + TarEnd(), stays + TarEnd());
}

TEST(TarFilter, APrefixIsPartOfThePath) {
  const std::string entry = Patched(TarEntry("gone", "body"), 345, Filler(100));
  ExpectFiltered(entry + TarEnd(), TarEnd());
  // In GNU's own form other things stand there.
  const std::string gnu = Patched(entry, 257, std::string("ustar  \0", 8));
  ExpectFiltered(gnu + TarEnd(), gnu + TarEnd());
}

TEST(TarFilter, WhatIsNoTarIsAnError) {
  const std::string file = TarEntry("b", Filler(600));
  std::string broken = file;
  broken[20] = 'y';
  ExpectBad(broken + TarEnd(), "a header's sum is wrong");
  ExpectBad(file + "{\"errorDetail\":{\"message\":\"input/output error\"}}", "it breaks off");
  ExpectBad(Patched(file, 124, "0000000119x") + TarEnd(), "a header's size is no number");
  ExpectBad(Patched(file, 124, std::string(12, '\xff')) + TarEnd(), "a header's size is no number");
  ExpectBad(TarEntry("x", "8 path=\n9 path", 'x') + file + TarEnd(), "length");
  ExpectBad(TarEntry("x", "99999999999999999999 path=a\n", 'x') + file + TarEnd(), "length");
  ExpectBad(TarEntry("x", "-9 path=a\n", 'x') + file + TarEnd(), "length");
  ExpectBad(TarEntry("x", "2 path=a\n", 'x') + file + TarEnd(), "length");
  ExpectBad(TarEntry("x", "7 path\n", 'x') + file + TarEnd(), "no value");
  ExpectBad(TarEntry("x", PaxRecord("size", "-1"), 'x') + file + TarEnd(), "size is no number");
  ExpectBad(TarEntry("x", PaxRecord("path", "b"), 'x') + TarEnd(), "a header of nothing");
}

TEST(TarFilter, WhatBreaksOffAnywhereIsAnError) {
  const std::string tar = TarEntry("x", PaxRecord("path", "b"), 'x') + TarEntry("b", "body") +
                          TarEntry(kGone, Filler(600));
  for (size_t bytes = 0; bytes <= tar.size(); bytes += 64) {
    ExpectBad(tar.substr(0, bytes), "it breaks off");
  }
}

TEST(TarFilter, WhatIsTooLongIsAnErrorBeforeItIsRead) {
  const auto code = [](const std::string& tar, int64_t bytes_max) {
    const auto out = Filtered(tar, 512, bytes_max);
    return out ? Code::kInternal : out.error().code();
  };
  const std::string gone = TarEntry(kGone, Filler(5000));
  EXPECT_EQ(code(gone + TarEnd(), 4999), Code::kInvalid);
  EXPECT_EQ(code(gone.substr(0, 512), 4999), Code::kInvalid) << "by what its header says";
  EXPECT_EQ(code(gone + gone + TarEnd(), 8000), Code::kInvalid) << "left out, but read";
  const std::string endless =
      Patched(gone, 124, std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12));
  EXPECT_EQ(code(endless, INT64_MAX - 1), Code::kInvalid);
  // What says more is kept, and has a bound of its own.
  const std::string more = TarEntry("x", Filler(700'000), 'K');
  EXPECT_EQ(code(more + more + gone + TarEnd(), 100 << 20), Code::kUnavailable);
}

}  // namespace
}  // namespace a4c::baremetal
