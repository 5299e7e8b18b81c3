// Migrations: what Ensure would do, for people to read before it does.
//
// An extension of Store: null where Ensure changes nothing that anybody could look at beforehand.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/call.h"
#include "a4c/kind.h"
#include "a4c/result.h"

namespace a4c {

class Migrations {
 public:
  static constexpr std::string_view kExtension = "migrations";
  virtual ~Migrations() = default;

  // The statements that Ensure of these kinds would run now, in their order, in the back end's own
  // language; none: there is nothing to do. Changes nothing. Errors as of Ensure. [any thread]
  virtual Result<std::vector<std::string>> Plan(const Call& call, std::span<const Kind> kinds) = 0;
};

}  // namespace a4c
