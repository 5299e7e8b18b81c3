// Result<T>: a value, or an Error that says what happened, whether a retry can help, and what to
// do.
//
//   a4c::Result<Record> record = ReadIt();
//   if (!record) return record.error();
//   Use(*record);
//
// or, inside a function that itself returns a Result:  A4C_TRY(Record record, ReadIt());
//
// An outcome is one of three: success, failure, or *unknown* (Code::kUnknownOutcome): the effect
// may or may not have happened, for example when a connection broke during a commit. Unknown is
// never reported as failure, because a caller that treats it so repeats or forgets work. Every
// foreign error (SQLSTATE, librdkafka, HTTP status, libssh2) becomes an Error once, at the edge of
// the plugin that met it. Values are immutable and safe to read from any thread.
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "a4c/export.h"

namespace a4c {

enum class Code : uint8_t {
  kInvalid,         // the caller's input is wrong; the same call fails again
  kNotFound,        // what was named does not exist
  kConflict,        // exists already, or has moved on; read and decide anew
  kDenied,          // not authenticated or not allowed
  kExhausted,       // a bound is reached (queue full, rate, capacity); retry later
  kUnavailable,     // the back end is not reachable or not ready; nothing was done; retry
  kTimeout,         // the deadline passed before anything was done; retry
  kCanceled,        // the caller's stop token asked to stop before anything was done
  kUnsupported,     // this back end cannot do it: an absent capability
  kUnknownOutcome,  // the effect may have happened: resolve by sending the same again
  kInternal,        // a bug: ours or the plugin's
};

// "unavailable", "unknown_outcome", ...: the word used in logs, metrics and problem types.
A4C_API std::string_view CodeName(Code code);

class [[nodiscard]] Error {
 public:
  Error(Code code, std::string message, std::string hint = {})
      : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

  Code code() const { return code_; }
  // One sentence about this occurrence, without secrets.
  const std::string& message() const { return message_; }
  // The next step for the operator; may be empty.
  const std::string& hint() const { return hint_; }
  // True if the same call can succeed later and nothing was done by this one.
  bool retryable() const {
    return code_ == Code::kExhausted || code_ == Code::kUnavailable || code_ == Code::kTimeout;
  }
  bool unknown_outcome() const { return code_ == Code::kUnknownOutcome; }
  // "unavailable: connection refused (hint: is the server up?)"
  A4C_API std::string ToString() const;
  // The same error, its message led by what was being done: Error.Within("opening jobs.db").
  A4C_API Error Within(std::string_view context) const;

 private:
  Code code_;
  std::string message_;
  std::string hint_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const {
    assert(!has_value());
    return std::get<1>(state_);
  }

 private:
  T& value() {
    assert(has_value());
    return std::get<0>(state_);
  }
  const T& value() const {
    assert(has_value());
    return std::get<0>(state_);
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  bool has_value() const { return error_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  const Error& error() const {
    assert(!has_value());
    return std::get<1>(error_);
  }

 private:
  std::variant<std::monostate, Error> error_;
};

}  // namespace a4c

#define A4C_CONCAT_INNER(a, b) a##b
#define A4C_CONCAT(a, b) A4C_CONCAT_INNER(a, b)
#define A4C_TRY_INNER(result, declaration, expression) \
  auto result = (expression);                          \
  if (!result) return result.error();                  \
  declaration = *std::move(result)
// A4C_TRY(auto x, F()): x is F's value, or the enclosing function returns F's error.
#define A4C_TRY(declaration, expression) \
  A4C_TRY_INNER(A4C_CONCAT(a4c_result_, __LINE__), declaration, expression)
// A4C_CHECK(F()): as A4C_TRY where there is no value to keep.
#define A4C_CHECK(expression)                                                      \
  do {                                                                             \
    if (auto a4c_checked = (expression); !a4c_checked) return a4c_checked.error(); \
  } while (false)
