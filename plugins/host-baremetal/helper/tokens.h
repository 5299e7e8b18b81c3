// The token that store and server share, so that a store which was restored or cloned is known:
// <data>/<cluster>/token, "current next\n". Rotating it is a step from (current, next) to
// (next, another); a step may be repeated, and nobody else can make another one.
#pragma once

#include <string>

#include "a4c/result.h"

namespace a4c::helper {

class Tokens {
 public:
  explicit Tokens(std::string path) : path_(std::move(path)) {}
  // Empty: none is asked for any more.
  Result<void> Adopt(const std::string& token) const;
  // kDenied: others are known, or none.
  Result<void> Present(const std::string& current, const std::string& next) const;
  // Whether somebody who shows this one may change things.
  Result<void> Allow(const std::string& token) const;

 private:
  struct Known {
    std::string current;
    std::string next;
  };
  Result<Known> Read() const;

  const std::string path_;
};

}  // namespace a4c::helper
