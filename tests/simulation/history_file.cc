#include "tests/simulation/history_file.h"

namespace a4c::simulation {

void HistoryFile::Write(const std::string& client, std::string_view type, std::string_view op,
                        const std::string& id, const Json::Object& fields) {
  if (file_ == nullptr) return;
  Json line(Json::Object{
      {"at_ms", simulation_.NowMs()}, {"client", client}, {"type", type}, {"op", op}, {"id", id}});
  for (const auto& [name, value] : fields) line.AppendMember(name, value);
  std::fprintf(file_, "%s\n", line.ToString().c_str());
}

}  // namespace a4c::simulation
