#include "query/words.h"

#include <unicode/ubrk.h>
#include <unicode/ucasemap.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "a4c/query.h"
#include "query/utf8.h"

namespace a4c {
namespace {

constexpr size_t kWordBytesMax = 255;
constexpr uint32_t kLetterOrNumber = U_GC_L_MASK | U_GC_N_MASK;

void Check(UErrorCode status, const char* doing) {
  if (U_FAILURE(status))
    throw std::runtime_error(std::string("ICU: ") + doing + ": " + u_errorName(status));
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool HasLetterOrNumber(std::string_view segment) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(segment.data());
  const auto length = static_cast<int32_t>(segment.size());
  for (int32_t i = 0; i < length;) {
    UChar32 point = 0;
    U8_NEXT(bytes, i, length, point);
    if (point >= 0 && (U_GET_GC_MASK(point) & kLetterOrNumber) != 0) return true;
  }
  return false;
}

struct CloseBreaker {
  void operator()(UBreakIterator* iterator) const { ubrk_close(iterator); }
};
struct CloseCaseMap {
  void operator()(UCaseMap* map) const { ucasemap_close(map); }
};
struct CloseText {
  void operator()(UText* text) const { utext_close(text); }
};

// ICU's word breaker of the root locale. Costly to open and not to be shared: one a thread.
class Breaker {
 public:
  Breaker() {
    UErrorCode status = U_ZERO_ERROR;
    breaker_.reset(ubrk_open(UBRK_WORD, "", nullptr, 0, &status));
    Check(status, "opening the word breaker");
    case_map_.reset(ucasemap_open("", 0, &status));
    Check(status, "opening the case map");
  }

  std::vector<WordAt> WordsAt(std::string_view text) {
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<UText, CloseText> opened(
        utext_openUTF8(nullptr, text.data(), static_cast<int64_t>(text.size()), &status));
    ubrk_setUText(breaker_.get(), opened.get(), &status);
    Check(status, "reading a text");
    std::vector<WordAt> words;
    int32_t start = ubrk_first(breaker_.get());
    for (int32_t end = ubrk_next(breaker_.get()); end != UBRK_DONE;
         end = ubrk_next(breaker_.get())) {
      const std::string_view segment =
          text.substr(static_cast<size_t>(start), static_cast<size_t>(end - start));
      if (HasLetterOrNumber(segment)) {
        words.push_back({Lower(segment), static_cast<size_t>(start), segment.size()});
      }
      start = end;
    }
    return words;
  }

  std::string Lower(std::string_view segment) const {
    std::string lower(segment);
    if (IsAscii(segment)) {
      for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else {
      lower = LowerUnicode(segment);
    }
    lower.resize(CutUtf8(lower, kWordBytesMax).size());
    return lower;
  }

 private:
  std::string LowerUnicode(std::string_view segment) const {
    std::string lower(segment.size() * 3, '\0');  // no character grows more
    UErrorCode status = U_ZERO_ERROR;
    const int32_t size =
        ucasemap_utf8ToLower(case_map_.get(), lower.data(), static_cast<int32_t>(lower.size()),
                             segment.data(), static_cast<int32_t>(segment.size()), &status);
    Check(status, "lowering a word");
    lower.resize(static_cast<size_t>(size));
    return lower;
  }

  std::unique_ptr<UBreakIterator, CloseBreaker> breaker_;
  std::unique_ptr<UCaseMap, CloseCaseMap> case_map_;
};

Breaker& TheBreaker() {
  thread_local Breaker breaker;
  return breaker;
}

}  // namespace

std::vector<WordAt> WordsAt(std::string_view text) {
  if (text.empty()) return {};
  return TheBreaker().WordsAt(text);
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (WordAt& word : WordsAt(text)) words.push_back(std::move(word.word));
  return words;
}

std::string LowerWord(std::string_view word) {
  return TheBreaker().Lower(word);
}

}  // namespace a4c
