#include "images/tar_filter.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace a4c::baremetal {
namespace {

constexpr size_t kBlockBytes = 512;
// What says more of one entry: paths and times.
constexpr size_t kMoreBytesMax = 1u << 20;

// Fields of a header: where they are, and how long.
struct Field {
  size_t at;
  size_t size;
};
constexpr Field kName = {0, 100};
constexpr Field kSize = {124, 12};
constexpr Field kSum = {148, 8};
constexpr Field kMagic = {257, 6};
constexpr Field kPrefix = {345, 155};
constexpr size_t kTypeAt = 156;
// POSIX's "ustar" ends with a zero; GNU's, which has other things in the place of a prefix, does
// not.
constexpr std::string_view kPosixMagic("ustar\0", 6);

Error BadTar(const std::string& what) {
  return Error(Code::kUnavailable, "docker: the image's archive is no tar: " + what,
               "does the image work on the server that it is sent from?");
}

std::string_view In(std::string_view block, Field field) {
  return block.substr(field.at, field.size);
}

// Up to its first zero.
std::string_view TextIn(std::string_view block, Field field) {
  const std::string_view text = In(block, field);
  return text.substr(0, text.find('\0'));
}

std::optional<int64_t> Number(std::string_view digits, int base) {
  int64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
  return whole && number >= 0 ? std::optional(number) : std::nullopt;
}

// Octal digits among blanks and zeros; none is 0.
std::optional<int64_t> OctalIn(std::string_view block, Field field) {
  std::string_view text = TextIn(block, field);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text.empty() ? std::optional(int64_t{0}) : Number(text, 8);
}

// Octal, or, of what is longer than that can say, binary with the first bit set.
std::optional<int64_t> SizeIn(std::string_view block) {
  const std::string_view field = In(block, kSize);
  if ((static_cast<unsigned char>(field[0]) & 0x80) == 0) return OctalIn(block, kSize);
  int64_t size = static_cast<unsigned char>(field[0]) & 0x7f;
  for (const char c : field.substr(1)) {
    if (size > (INT64_MAX >> 8)) return std::nullopt;
    size = (size << 8) | static_cast<unsigned char>(c);
  }
  return size;
}

// The sum of all its bytes, those of the sum itself taken for blanks.
bool HasRightSum(std::string_view block) {
  int64_t sum = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool of_sum = i >= kSum.at && i < kSum.at + kSum.size;
    sum += of_sum ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return OctalIn(block, kSum) == sum;
}

std::string PathIn(std::string_view block) {
  std::string path(TextIn(block, kName));
  if (In(block, kMagic) != kPosixMagic) return path;
  const std::string prefix(TextIn(block, kPrefix));
  return prefix.empty() ? path : prefix + "/" + path;
}

bool IsRegular(char type) {
  return type == '0' || type == '\0';
}
// Links, devices, directories and pipes: whatever size they say.
bool HasNoBody(char type) {
  return type >= '1' && type <= '6';
}
// GNU's long name and long link, and pax's header.
bool SaysMore(char type) {
  return type == 'L' || type == 'K' || type == 'x';
}

}  // namespace

Result<std::string> TarFilter::Read() {
  std::string out;
  while (out.empty()) {
    A4C_TRY(const bool more, Fill());
    if (!more) {
      A4C_CHECK(CheckEnd());
      break;
    }
    A4C_CHECK(Take(out));
  }
  return out;
}

// False at the end of the stream.
Result<bool> TarFilter::Fill() {
  A4C_TRY(const std::string piece, from_());
  bytes_read_ += static_cast<int64_t>(piece.size());
  if (bytes_read_ > bytes_max_) {
    return Error(Code::kInvalid,
                 "the image's archive is longer than " + std::to_string(bytes_max_) + " bytes");
  }
  buffer_ += piece;
  return !piece.empty();
}

Result<void> TarFilter::Take(std::string& out) {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    size_t count = rest.size();
    if (left_ > 0) {
      count = static_cast<size_t>(std::min(left_, static_cast<int64_t>(rest.size())));
      A4C_CHECK(TakeBody(rest.substr(0, count), out));
    } else if (ended_) {
      out += rest;
    } else if (rest.size() >= kBlockBytes) {
      count = kBlockBytes;
      A4C_CHECK(TakeHeader(rest.substr(0, count), out));
    } else {
      break;
    }
    rest.remove_prefix(count);
  }
  buffer_.erase(0, buffer_.size() - rest.size());
  return {};
}

Result<void> TarFilter::TakeHeader(std::string_view block, std::string& out) {
  if (std::ranges::all_of(block, [](char c) { return c == '\0'; })) {
    if (!more_.empty()) return BadTar("a header of nothing");
    ended_ = true;
    out += block;
    return {};
  }
  if (!HasRightSum(block)) return BadTar("a header's sum is wrong");
  const std::optional<int64_t> size = SizeIn(block);
  if (!size) return BadTar("a header's size is no number");
  const char type = block[kTypeAt];
  return SaysMore(type) ? BeginMore(type, block, *size) : BeginEntry(type, block, *size, out);
}

Result<void> TarFilter::BeginMore(char type, std::string_view block, int64_t size) {
  more_ += block;
  if (size > static_cast<int64_t>(kMoreBytesMax) || more_.size() + size > kMoreBytesMax) {
    return BadTar("headers of one entry are longer than " + std::to_string(kMoreBytesMax) +
                  " bytes");
  }
  more_at_ = more_.size();
  more_size_ = size;
  more_type_ = type;
  A4C_CHECK(BeginBody(State::kGather, size));
  return left_ == 0 ? ReadMore() : Result<void>();
}

Result<void> TarFilter::BeginEntry(char type, std::string_view block, int64_t size,
                                   std::string& out) {
  const std::string path = path_ ? *std::exchange(path_, std::nullopt) : PathIn(block);
  const int64_t body = std::exchange(size_, std::nullopt).value_or(size);
  const std::string more = std::exchange(more_, {});
  if (IsRegular(type) && leave_out_(path)) {
    A4C_CHECK(BeginBody(State::kDrop, body));
    bytes_left_out_ += static_cast<int64_t>(more.size() + block.size()) + left_;
    return {};
  }
  out.append(more).append(block);
  return BeginBody(State::kPass, HasNoBody(type) ? 0 : body);
}

Result<void> TarFilter::BeginBody(State state, int64_t size) {
  if (size > bytes_max_) {
    return Error(Code::kInvalid, "the image's archive has an entry that is longer than " +
                                     std::to_string(bytes_max_) + " bytes");
  }
  constexpr auto kBlock = static_cast<int64_t>(kBlockBytes);
  state_ = state;
  left_ = size / kBlock * kBlock + (size % kBlock == 0 ? 0 : kBlock);
  return {};
}

Result<void> TarFilter::TakeBody(std::string_view bytes, std::string& out) {
  left_ -= static_cast<int64_t>(bytes.size());
  if (state_ == State::kPass) out += bytes;
  if (state_ != State::kGather) return {};
  more_ += bytes;
  return left_ == 0 ? ReadMore() : Result<void>();
}

Result<void> TarFilter::ReadMore() {
  const std::string_view body =
      std::string_view(more_).substr(more_at_, static_cast<size_t>(more_size_));
  if (more_type_ == 'L') path_ = body.substr(0, body.find('\0'));
  return more_type_ == 'x' ? ReadPax(body) : Result<void>();
}

// "30 mtime=1350244992.023960108\n": each record begins with its length.
Result<void> TarFilter::ReadPax(std::string_view records) {
  while (!records.empty()) {
    const size_t blank = std::min(records.find(' '), records.size());
    const auto length = Number(records.substr(0, blank), 10);
    const bool fits = length && *length > static_cast<int64_t>(blank) + 1 &&
                      *length <= static_cast<int64_t>(records.size());
    if (!fits) return BadTar("a pax record's length is wrong");
    const std::string_view record = records.substr(blank + 1, *length - blank - 1);
    records.remove_prefix(static_cast<size_t>(*length));
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos || !record.ends_with('\n')) {
      return BadTar("a pax record has no value");
    }
    const std::string_view value = record.substr(equals + 1, record.size() - equals - 2);
    if (record.starts_with("path=")) path_ = value;
    if (!record.starts_with("size=")) continue;
    size_ = Number(value, 10);
    if (!size_) return BadTar("a pax header's size is no number");
  }
  return {};
}

Result<void> TarFilter::CheckEnd() const {
  if (ended_ && left_ == 0 && buffer_.empty()) return {};
  return BadTar("it breaks off");
}

}  // namespace a4c::baremetal
