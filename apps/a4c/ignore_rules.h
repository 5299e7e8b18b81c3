// .dockerignore: which files of a directory are no part of a build context.
//
// A pattern a line, as Docker reads them: "#" begins a comment, "*", "?" and "[a-z]" match within
// one name, "**" any number of directories, "!" takes back what an earlier line left out. A pattern
// that matches a directory matches what is in it. The last line that matches decides. No I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "a4c/result.h"

namespace a4c_cli {

class IgnoreRules {
 public:
  // kInvalid names the line: a "[" without end.
  static a4c::Result<IgnoreRules> Parse(std::string_view text);

  // path: relative, with "/" between its names.
  bool Ignores(std::string_view path) const;
  // False: nothing below a directory that is ignored can be taken back, it need not be looked at.
  bool TakesBack() const { return takes_back_; }

 private:
  struct Rule {
    std::vector<std::string> names;
    bool taken_back = false;
  };

  std::vector<Rule> rules_;
  bool takes_back_ = false;
};

}  // namespace a4c_cli
