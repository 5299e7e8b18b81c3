// fuzz-replay CORPUS [--mutations=N] [--seed=N]: runs every file of a corpus through a fuzz target,
// then N inputs that are made of them by chance, with any compiler. An input that breaks something
// is left in the file `crash`.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

namespace {

using Corpus = std::vector<std::string>;

constexpr size_t kInputBytesMax = 4096;

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// In the order of their names, so that a seed means the same everywhere.
Corpus ReadCorpus(const std::string& directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  Corpus corpus;
  for (const auto& path : paths) corpus.push_back(ReadFile(path));
  return corpus;
}

class Mutator {
 public:
  Mutator(const Corpus& corpus, uint32_t seed) : corpus_(corpus), random_(seed) {}

  std::string Next() {
    std::string input = Any();
    for (size_t n = 1 + Below(6); n > 0; --n) Change(input);
    input.resize(std::min(input.size(), kInputBytesMax));
    return input;
  }

 private:
  size_t Below(size_t n) { return n == 0 ? 0 : random_() % n; }
  const std::string& Any() { return corpus_[Below(corpus_.size())]; }

  std::string PieceOfAny() {
    const std::string& other = Any();
    const size_t start = Below(other.size() + 1);
    return other.substr(start, Below(other.size() - start + 1));
  }

  void Change(std::string& input) {
    const size_t at = Below(input.size() + 1);
    const size_t size = std::min(Below(8) + 1, input.size() - at);
    switch (Below(6)) {
      case 0:
        input.insert(at, PieceOfAny());
        break;
      case 1:
        input.erase(at, size);
        break;
      case 2:
        input.insert(at, 1, static_cast<char>(Below(256)));
        break;
      case 3:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << Below(8)));
        break;
      case 4:
        input.insert(Below(input.size() + 1), input.substr(at, size));
        break;
      default:
        for (size_t n = Below(16); n > 0; --n) input.insert(at, input.substr(at, size));
    }
  }

  const Corpus& corpus_;
  std::mt19937 random_;
};

// Written before it is run: what breaks something ends the process.
void Run(const std::string& input) {
  std::ofstream("crash", std::ios::binary | std::ios::trunc) << input;
  a4c::FuzzOne(input);
}

bool ReadOption(std::string_view text, std::string_view name, uint32_t* value) {
  if (!text.starts_with(name)) return false;
  text.remove_prefix(name.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

int main(int argc, char** argv) {
  uint32_t mutations = 0;
  uint32_t seed = 1;
  for (int i = 2; i < argc; ++i) {
    if (ReadOption(argv[i], "--mutations=", &mutations) || ReadOption(argv[i], "--seed=", &seed)) {
      continue;
    }
    std::fprintf(stderr, "usage: %s CORPUS [--mutations=N] [--seed=N]\n", argv[0]);
    return 2;
  }
  const Corpus corpus = argc > 1 ? ReadCorpus(argv[1]) : Corpus{};
  if (corpus.empty()) {
    std::fprintf(stderr, "there is no corpus\n");
    return 2;
  }
  for (const std::string& input : corpus) Run(input);
  Mutator mutator(corpus, seed);
  for (uint32_t n = 0; n < mutations; ++n) Run(mutator.Next());
  std::filesystem::remove("crash");
  std::printf("%zu inputs of the corpus, %u made of them with seed %u\n", corpus.size(), mutations,
              seed);
}
