#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <unordered_set>

#include "a4c/json.h"
#include "base/json_members.h"
#include "base/rapidjson.h"
#include "base/utf8_check.h"

namespace a4c {
namespace {

constexpr size_t kFewMembers = 24;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // may stand first: RFC 8259, 8.1

// Underflow is a zero, overflow is an error; from_chars reports both alike.
bool IsTiny(std::string_view number) {
  const size_t exponent = number.find_first_of("eE");
  return exponent != std::string_view::npos && number.substr(exponent + 1).starts_with('-');
}

// The names in the objects that are open, one within the other.
class OpenNames {
 public:
  void Open() { levels_.push_back({.first = spans_.size()}); }
  void Close() {
    const size_t first = levels_.back().first;
    if (first < spans_.size()) text_.resize(spans_[first].begin);
    spans_.resize(first);
    levels_.pop_back();
  }
  size_t depth() const { return levels_.size(); }

  // False if the innermost object has that name already.
  bool Add(std::string_view name) {
    if (!IsNew(name)) return false;
    spans_.push_back({.begin = text_.size(), .size = name.size()});
    text_ += name;
    return true;
  }

 private:
  struct Span {
    size_t begin;
    size_t size;
  };
  struct Level {
    size_t first;                                // of its names in spans_
    std::unordered_set<std::string> names = {};  // if there are more than a few
  };

  // Few names are compared sooner than hashed and copied.
  bool IsNew(std::string_view name) {
    Level& level = levels_.back();
    const auto begin = spans_.begin() + static_cast<std::ptrdiff_t>(level.first);
    const auto text = [this](const Span& span) {
      return std::string_view(text_).substr(span.begin, span.size);
    };
    if (spans_.size() - level.first < kFewMembers) {
      return std::none_of(begin, spans_.end(), [&](const Span& s) { return text(s) == name; });
    }
    if (level.names.empty()) {
      for (auto at = begin; at != spans_.end(); ++at) level.names.emplace(text(*at));
    }
    return level.names.emplace(name).second;
  }

  std::string text_;
  std::vector<Span> spans_;
  std::vector<Level> levels_;
};

// What all reading of JSON checks, and turns the reader's events into: Sink has Take(Json) for a
// scalar, Name(string_view), Open(Json) for an empty array or object, and Close(). Numbers arrive
// as text: see the header.
template <typename Sink>
class Checked : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Checked<Sink>> {
 public:
  Checked(int depth_max, Sink& sink) : depth_max_(static_cast<size_t>(depth_max)), sink_(sink) {}

  bool Null() { return Take(nullptr); }
  bool Bool(bool value) { return Take(value); }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
    return Number(std::string_view(text, length));
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    return Take(std::string_view(text, length));
  }
  bool StartObject() { return Open(Json(Json::Object{})); }
  bool StartArray() { return Open(Json(Json::Array{})); }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    const std::string_view name(text, length);
    if (!names_.Add(name)) return Fail("duplicate key \"" + std::string(name) + "\"");
    sink_.Name(name);
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return Close(); }
  bool EndArray(rapidjson::SizeType) { return Close(); }

  const std::string& failure() const { return failure_; }

 private:
  bool Fail(std::string why) {
    failure_ = std::move(why);
    return false;
  }
  template <typename Value>
  bool Take(Value value) {
    sink_.Take(value);
    return true;
  }
  bool Open(Json empty) {
    if (names_.depth() >= depth_max_) {
      return Fail("nested deeper than " + std::to_string(depth_max_));
    }
    names_.Open();
    sink_.Open(std::move(empty));
    return true;
  }
  bool Close() {
    names_.Close();
    sink_.Close();
    return true;
  }
  bool Number(std::string_view text) {
    const char* end = text.data() + text.size();
    int64_t whole = 0;
    if (auto [at, error] = std::from_chars(text.data(), end, whole);
        error == std::errc() && at == end) {
      return Take(whole);
    }
    double real = 0;
    auto [at, error] = std::from_chars(text.data(), end, real);
    if (error == std::errc::result_out_of_range && IsTiny(text)) return Take(0.0);
    if (error != std::errc() || at != end || !std::isfinite(real)) {
      return Fail("number out of range");
    }
    return Take(real);
  }

  size_t depth_max_;
  Sink& sink_;
  OpenNames names_;
  std::string failure_;
};

// Builds the tree.
class Tree {
 public:
  void Name(std::string_view name) { open_.back().name = name; }
  void Open(Json empty) { open_.push_back({.value = std::move(empty)}); }
  void Close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    Take(std::move(value));
  }
  void Take(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().value.IsArray()) {
      open_.back().value.Append(std::move(value));
    } else {
      open_.back().value.AppendMember(std::move(open_.back().name), std::move(value));
    }
  }
  Json Root() { return std::move(root_); }

 private:
  struct Level {
    Json value;
    std::string name = {};
  };
  std::vector<Level> open_;
  Json root_;
};

// Keeps the wanted members of the outermost object.
class Members {
 public:
  explicit Members(const std::function<bool(std::string_view)>& wanted) : wanted_(wanted) {}

  void Name(std::string_view name) {
    is_kept_ = depth_ == 1 && wanted_(name);
    if (is_kept_) name_ = name;
  }
  void Open(Json empty) {
    if (depth_++ == 0) {
      if (empty.IsObject()) kept_ = std::move(empty);
    } else {
      Take(std::move(empty));
    }
  }
  void Close() { --depth_; }
  template <typename Value>
  void Take(Value value) {
    if (!std::exchange(is_kept_, false)) return;
    kept_.AppendMember(std::move(name_), std::move(value));
  }
  Json Kept() { return std::move(kept_); }

 private:
  const std::function<bool(std::string_view)>& wanted_;
  int depth_ = 0;
  bool is_kept_ = false;
  std::string name_;
  Json kept_;
};

Error At(size_t offset, std::string_view why) {
  return Error(Code::kInvalid, "offset " + std::to_string(offset) + ": " + std::string(why));
}

template <typename Sink>
Result<void> Read(std::string_view text, const JsonLimits& limits, Sink& sink) {
  if (text.size() > limits.bytes_max) {
    return At(limits.bytes_max, "longer than " + std::to_string(limits.bytes_max) + " bytes");
  }
  // RapidJSON takes a NUL for the end and would not look at what follows.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) return At(nul, "a NUL");
  if (const size_t wrong = FirstNotUtf8(text); wrong != text.size())
    return At(wrong, "invalid UTF-8");
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  Checked<Sink> checked(limits.depth_max, sink);
  const size_t mark = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const std::string terminated(text.substr(mark));
  rapidjson::StringStream stream(terminated.c_str());
  rapidjson::Reader reader;
  const rapidjson::ParseResult parsed = reader.Parse<kFlags>(stream, checked);
  const size_t offset = mark + parsed.Offset();
  if (!checked.failure().empty()) return At(offset, checked.failure());
  if (parsed.IsError()) return At(offset, rapidjson::GetParseError_En(parsed.Code()));
  return {};
}

}  // namespace

Result<Json> ParseJson(std::string_view text, const JsonLimits& limits) {
  Tree tree;
  A4C_CHECK(Read(text, limits, tree));
  return tree.Root();
}

Result<Json> ParseMembers(std::string_view text, const JsonLimits& limits,
                          const std::function<bool(std::string_view)>& wanted) {
  Members members(wanted);
  A4C_CHECK(Read(text, limits, members));
  return members.Kept();
}

}  // namespace a4c
