// Takes a text/event-stream apart, in pieces as they come.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace a4c_cli {

struct Event {
  std::string id;
  std::string name;
  std::string data;
};

class EventReader {
 public:
  // The events that end in these bytes; comments are none.
  std::vector<Event> Feed(std::string_view bytes);

 private:
  void Line(const std::string& line, std::vector<Event>& events);

  std::string buffer_;
  Event event_;
};

}  // namespace a4c_cli
