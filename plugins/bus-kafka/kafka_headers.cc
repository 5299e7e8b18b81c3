#include "kafka_headers.h"

#include <algorithm>
#include <cstdio>

namespace a4c::kafka {
namespace {

std::string Hex(uint64_t bits) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(bits));
  return text;
}

}  // namespace

CloudEvents::CloudEvents(const Settings& settings, Random& random)
    : type_(settings.cloudevents_type),
      source_(settings.cloudevents_source),
      content_type_(settings.content_type),
      id_prefix_(Hex(random.Next()) + "-") {}

void CloudEvents::Complete(const Message& message, std::string& id_buffer,
                           std::vector<HeaderView>& headers) {
  headers.clear();
  for (const auto& [name, value] : message.headers) headers.push_back({name.c_str(), value});
  const auto add = [&](const char* name, std::string_view value) {
    const auto is_named = [name](const auto& header) { return header.first == name; };
    if (std::ranges::none_of(message.headers, is_named)) headers.push_back({name, value});
  };
  id_buffer = id_prefix_;
  id_buffer += std::to_string(next_id_.fetch_add(1, std::memory_order_relaxed));
  add("ce_specversion", "1.0");
  add("ce_type", type_);
  add("ce_source", source_);
  add("ce_id", id_buffer);
  add("content-type", content_type_);
}

}  // namespace a4c::kafka
