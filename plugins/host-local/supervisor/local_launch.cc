#include "supervisor/local_launch.h"

#include <charconv>
#include <sstream>

namespace a4c::local {
namespace {

constexpr std::string_view kVersion = "a4c-launch-2";
constexpr int64_t kListMax = 4096;

class Writer {
 public:
  void Text(std::string_view text) {
    bytes_ += text;
    bytes_ += '\0';
  }
  void Number(int64_t number) { Text(std::to_string(number)); }
  void List(const std::vector<std::string>& list) {
    Number(static_cast<int64_t>(list.size()));
    for (const std::string& item : list) Text(item);
  }
  std::string Done() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// After a fault everything reads as empty, and Good() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  std::string Text() {
    const size_t end = bytes_.find('\0');
    if (end == std::string_view::npos) {
      good_ = false;
      return {};
    }
    std::string text(bytes_.substr(0, end));
    bytes_.remove_prefix(end + 1);
    return text;
  }
  int64_t Number() {
    const std::string text = Text();
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) good_ = false;
    return number;
  }
  std::vector<std::string> List() {
    const int64_t size = Number();
    if (size < 0 || size > kListMax) good_ = false;
    std::vector<std::string> list;
    for (int64_t i = 0; good_ && i < size; ++i) list.push_back(Text());
    return list;
  }
  bool AtEnd() const { return good_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

}  // namespace

std::string EncodePlan(const LaunchPlan& plan) {
  Writer out;
  out.Text(kVersion);
  for (const bool flag : {plan.command, plan.streams, plan.terminal}) out.Number(flag ? 1 : 0);
  out.Number(plan.uid);
  out.Number(plan.gid);
  out.Number(plan.change_user ? 1 : 0);
  out.Text(plan.working_dir);
  for (const int64_t number : {plan.memory_bytes, plan.pids, plan.file_bytes, plan.cpu_seconds,
                               plan.log_bytes_max, plan.stop_timeout_ms}) {
    out.Number(number);
  }
  out.List(plan.argv);
  out.List(plan.env);
  return out.Done();
}

std::optional<LaunchPlan> DecodePlan(std::string_view bytes) {
  Reader in(bytes);
  if (in.Text() != kVersion) return std::nullopt;
  LaunchPlan plan;
  for (bool* flag : {&plan.command, &plan.streams, &plan.terminal}) *flag = in.Number() != 0;
  plan.uid = static_cast<uint32_t>(in.Number());
  plan.gid = static_cast<uint32_t>(in.Number());
  plan.change_user = in.Number() != 0;
  plan.working_dir = in.Text();
  for (int64_t* number : {&plan.memory_bytes, &plan.pids, &plan.file_bytes, &plan.cpu_seconds,
                          &plan.log_bytes_max, &plan.stop_timeout_ms}) {
    *number = in.Number();
  }
  plan.argv = in.List();
  plan.env = in.List();
  if (!in.AtEnd() || plan.argv.empty()) return std::nullopt;
  return plan;
}

std::string EncodeRun(const RunRecord& run) {
  std::ostringstream out;
  out << "run 1 " << run.boot_id << ' ' << run.supervisor_pid << ' ' << run.supervisor_start << ' '
      << run.leader_pid << ' ' << run.leader_start << ' ' << run.started_at_ms << " end\n";
  return out.str();
}

std::optional<RunRecord> DecodeRun(std::string_view text) {
  std::istringstream in{std::string(text)};
  RunRecord run;
  std::string word;
  std::string end;
  int version = 0;
  in >> word >> version >> run.boot_id >> run.supervisor_pid >> run.supervisor_start >>
      run.leader_pid >> run.leader_start >> run.started_at_ms >> end;
  if (!in || word != "run" || version != 1 || end != "end") return std::nullopt;
  return run;
}

std::string EncodeExit(const ExitRecord& exit) {
  std::ostringstream out;
  out << "exit 1 " << exit.code << ' ' << (exit.cannot_run ? 1 : 0) << ' ' << exit.reason << '\n';
  return out.str();
}

std::optional<ExitRecord> DecodeExit(std::string_view text) {
  std::istringstream in{std::string(text)};
  ExitRecord exit;
  std::string word;
  int version = 0;
  in >> word >> version >> exit.code >> exit.cannot_run;
  if (!in || word != "exit" || version != 1 || !text.ends_with('\n')) return std::nullopt;
  in.get();
  std::getline(in, exit.reason);
  return exit;
}

}  // namespace a4c::local
