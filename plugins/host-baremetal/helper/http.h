// As much of HTTP/1.1 as goes over the helper's standard input and output: requests with a length,
// one after the other. A request that is out of form ends the conversation.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/result.h"

namespace a4c::helper {

struct Request {
  std::string method;
  std::string target;
  std::map<std::string, std::string> fields = {};  // names in lower case
  std::string body = {};

  std::string Field(const std::string& name) const;
  // The value of a parameter of the query; empty if it is not there. Not decoded.
  std::string Parameter(std::string_view name) const;
  std::string_view Path() const { return std::string_view(target).substr(0, target.find('?')); }
};

struct Reply {
  int status = 200;
  std::string body = {};
};

// {"message": "..."} with the status that the plugin reads back as the same code.
Reply ReplyOf(const Error& error);
std::string JsonText(std::string_view text);

// [one thread]
class Conversation {
 public:
  Conversation(int in, int out) : in_(in), out_(out) {}
  // Nothing at the end of the input.
  Result<std::optional<Request>> Next();
  Result<void> Answer(const Reply& reply);

 private:
  Result<bool> Fill();

  const int in_;
  const int out_;
  std::string buffer_;
};

// The lines of a head, without the empty one. kInvalid: out of form.
Result<Request> ParseHead(std::string_view head);

// Writes all of it. A peer that has gone is an error, never a signal.
Result<void> WriteAll(int fd, std::string_view bytes);

}  // namespace a4c::helper
