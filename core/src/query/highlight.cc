#include "a4c/highlight.h"

#include <algorithm>
#include <map>

#include "a4c/json.h"
#include "a4c/search_plan.h"
#include "query/utf8.h"
#include "query/words.h"

namespace a4c {
namespace {

using Node = Query::Node;
using LeavesByField = std::map<std::string, std::vector<const Query*>, std::less<>>;

// What is not under a not. Resolved trees hold no not of a not.
void CollectLeaves(const Query& query, LeavesByField& leaves) {
  if (query.node == Node::kNot) return;
  for (const Query& child : query.children) CollectLeaves(child, leaves);
  if (!query.field.empty()) leaves[query.field].push_back(&query);
}

bool FitsWord(const Query& leaf, const std::string& word) {
  switch (leaf.node) {
    case Node::kWords:
      return std::ranges::find(leaf.words, word) != leaf.words.end();
    case Node::kPrefix:
      return word.starts_with(std::get<std::string>(leaf.value));
    case Node::kWildcard:
      return FitsPattern(leaf.pieces, word);
    default:
      return false;
  }
}

void MarkPhrase(const std::vector<std::string>& phrase, const std::vector<WordAt>& words,
                std::vector<bool>& marked) {
  const auto fits = [](const WordAt& word, const std::string& wanted) {
    return word.word == wanted;
  };
  for (auto at = words.begin();; ++at) {
    at = std::search(at, words.end(), phrase.begin(), phrase.end(), fits);
    if (at == words.end()) return;
    std::fill_n(marked.begin() + (at - words.begin()), phrase.size(), true);
  }
}

std::vector<TextSpan> MatchesIn(const std::vector<WordAt>& words,
                                const std::vector<const Query*>& leaves) {
  std::vector<bool> marked(words.size());
  for (const Query* leaf : leaves) {
    if (leaf->node == Node::kPhrase) MarkPhrase(leaf->words, words, marked);
    for (size_t i = 0; i < words.size(); ++i) {
      if (!marked[i]) marked[i] = FitsWord(*leaf, words[i].word);
    }
  }
  std::vector<TextSpan> matches;
  for (size_t i = 0; i < words.size(); ++i) {
    if (marked[i]) matches.push_back({words[i].offset, words[i].size});
  }
  return matches;
}

// Cuts a text into fragments around its matches, between words.
class Fragmenter {
 public:
  Fragmenter(std::string_view text, const std::vector<WordAt>& words, const HighlightLimits& limits)
      : text_(text), words_(words), limits_(limits) {}

  std::vector<Fragment> Cut(std::vector<TextSpan> matches) const {
    std::vector<Fragment> fragments;
    size_t end = 0;
    for (size_t i = 0; i < matches.size() && fragments.size() < limits_.fragments_max;) {
      const TextSpan first = Bounded(matches[i]);
      const size_t start = StartBefore(first.offset, end);
      end = EndAfter(start, first.offset + first.size);
      Fragment fragment{.text = std::string(text_.substr(start, end - start))};
      for (; i < matches.size() && matches[i].offset < end; ++i) {
        const TextSpan match = Bounded(matches[i]);
        fragment.matches.push_back({match.offset - start, match.size});
      }
      fragments.push_back(std::move(fragment));
    }
    return fragments;
  }

 private:
  TextSpan Bounded(const TextSpan& match) const {
    const std::string_view word = text_.substr(match.offset, match.size);
    return {match.offset, CutUtf8(word, limits_.fragment_bytes).size()};
  }

  // The first word of a quarter of a fragment before the match; the beginning of a short text.
  size_t StartBefore(size_t match, size_t from) const {
    if (text_.size() <= limits_.fragment_bytes || match <= limits_.fragment_bytes / 4) return from;
    const size_t earliest = std::max(from, match - limits_.fragment_bytes / 4);
    return std::ranges::lower_bound(words_, earliest, {}, &WordAt::offset)->offset;
  }

  // The end of the last word that fits, and of the match at least.
  size_t EndAfter(size_t start, size_t match_end) const {
    const size_t latest = start + limits_.fragment_bytes;
    if (latest >= text_.size()) return text_.size();
    const auto end_of = [](const WordAt& word) { return word.offset + word.size; };
    const auto behind = std::ranges::upper_bound(words_, latest, {}, end_of);
    const size_t end = behind == words_.begin() ? 0 : end_of(*std::prev(behind));
    return std::max(end, match_end);
  }

  const std::string_view text_;
  const std::vector<WordAt>& words_;
  const HighlightLimits limits_;
};

}  // namespace

std::vector<Highlight> HighlightsOf(const Query& query, const Kind& kind, std::string_view body,
                                    const HighlightLimits& limits) {
  const auto resolved = ResolveQuery(query, kind);
  const BodyLimits body_limits;
  const auto parsed = ParseJson(body, {body_limits.bytes_max, body_limits.depth_max});
  if (!resolved || !parsed) return {};
  LeavesByField leaves;
  CollectLeaves(*resolved, leaves);
  std::vector<Highlight> highlights;
  for (const Field& field : kind.fields) {
    const auto wanted = leaves.find(field.name);
    if (field.type != FieldType::kText || wanted == leaves.end()) continue;
    const std::string_view text = CutUtf8((*parsed)[field.name].Text(), limits.text_bytes_max);
    const std::vector<WordAt> words = WordsAt(text);
    auto fragments = Fragmenter(text, words, limits).Cut(MatchesIn(words, wanted->second));
    if (!fragments.empty()) highlights.push_back({field.name, std::move(fragments)});
  }
  return highlights;
}

}  // namespace a4c
