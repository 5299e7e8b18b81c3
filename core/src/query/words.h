// The word breaker behind Words(): words with their places.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace a4c {

struct WordAt {
  std::string word;   // as in Words()
  size_t offset = 0;  // bytes in the text
  size_t size = 0;
};

std::vector<WordAt> WordsAt(std::string_view text);

// As the words of a text are lowered and cut.
std::string LowerWord(std::string_view word);

}  // namespace a4c
