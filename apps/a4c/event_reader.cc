#include "apps/a4c/event_reader.h"

namespace a4c_cli {

std::vector<Event> EventReader::Feed(std::string_view bytes) {
  buffer_ += bytes;
  std::vector<Event> events;
  size_t begin = 0;
  for (size_t end = 0; (end = buffer_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    Line(buffer_.substr(begin, end - begin), events);
  }
  buffer_.erase(0, begin);
  return events;
}

void EventReader::Line(const std::string& line, std::vector<Event>& events) {
  if (line.empty()) {
    if (!event_.data.empty()) events.push_back(event_);
    event_ = {};
  } else if (line.starts_with("id: ")) {
    event_.id = line.substr(4);
  } else if (line.starts_with("event: ")) {
    event_.name = line.substr(7);
  } else if (line.starts_with("data: ")) {
    event_.data += line.substr(6);
  }
}

}  // namespace a4c_cli
