#include "memory/memory_host_process.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace a4c::memory {
namespace {

using Words = std::vector<std::string>;

class Planner {
 public:
  Planner(const std::map<std::string, std::string>& env, std::string working_dir, FakeFiles& files)
      : env_(env),
        working_dir_(working_dir.empty() ? "/" : std::move(working_dir)),
        files_(files) {}

  // False if there is no such program.
  bool Command(const Words& words) {
    const std::string& name = words.front();
    code_ = 0;
    if (name == "true" || name == "cd") return true;
    if (name == "false") return Code(1);
    if (name == "echo") return Echo(words);
    if (name == "pwd") return Say(working_dir_ + "\n");
    if (name == "sleep") return Sleep(words);
    if (name == "stty") return Terminal();
    if (name == "seq") return Sequence(words);
    if (name == "cat" && words.size() == 2) return Show(words[1]);
    if (name == "sh" && words.size() == 3 && words[1] == "-c") return Script(words[2]);
    return false;
  }

  FakeRun Done() {
    run_.exit_code = code_;
    run_.ends_ms = now_ms_;
    return std::move(run_);
  }

 private:
  bool Code(int code) {
    code_ = code;
    return true;
  }

  bool Say(std::string text, bool errors = false) {
    run_.output.push_back({now_ms_, std::move(text), errors});
    return true;
  }

  bool Terminal() {
    const auto size = env_.find(kTerminalSize);
    if (size != env_.end()) return Say(size->second + "\n");
    Say("stty: standard input: not a terminal\n", true);
    return Code(1);
  }

  bool Show(const std::string& file) {
    const auto found = files_.find(file);
    if (found != files_.end()) return Say(found->second);
    Say("cat: " + file + ": no such file\n", true);
    return Code(1);
  }

  bool Echo(const Words& words) {
    if (words.size() == 4 && words[2] == ">") {
      files_[words[3]] = words[1] + "\n";
      return true;
    }
    std::string line;
    bool errors = false;
    for (size_t i = 1; i < words.size(); ++i) {
      errors |= words[i] == ">&2";
      if (words[i] != ">&2") line += (line.empty() ? "" : " ") + words[i];
    }
    return Say(line + "\n", errors);
  }

  bool Sleep(const Words& words) {
    if (words.size() != 2) return Code(1);
    if (words[1] == "infinity") {
      now_ms_ = Waiter::kForever;
    } else {
      now_ms_ += static_cast<int64_t>(std::strtod(words[1].c_str(), nullptr) * 1000);
    }
    return true;
  }

  bool Sequence(const Words& words) {
    if (words.size() != 3) return Code(1);
    std::string text;
    for (long i = std::atol(words[1].c_str()); i <= std::atol(words[2].c_str()); ++i) {
      text += std::to_string(i) + "\n";
    }
    return Say(std::move(text));
  }

  bool Script(const std::string& script) {
    if (script == "while :; do :; done") {
      run_.busy = true;
      now_ms_ = Waiter::kForever;
      return true;
    }
    std::istringstream parts(script);
    std::string part;
    while (now_ms_ < Waiter::kForever && std::getline(parts, part, ';')) {
      const Words words = Expanded(part);
      if (words.empty()) continue;
      if (words.front() == "exit") return Code(words.size() > 1 ? std::atoi(words[1].c_str()) : 0);
      if (!Command(words)) {
        Say("sh: " + words.front() + ": not found\n");
        code_ = 127;
      }
    }
    return true;
  }

  Words Expanded(const std::string& part) const {
    Words words;
    std::istringstream in(part);
    for (std::string word; in >> word;) {
      if (word.front() != '$') {
        words.push_back(word);
      } else if (const auto found = env_.find(word.substr(1)); found != env_.end()) {
        words.push_back(found->second);
      }
    }
    return words;
  }

  const std::map<std::string, std::string>& env_;
  const std::string working_dir_;
  FakeFiles& files_;
  FakeRun run_;
  int64_t now_ms_ = 0;
  int code_ = 0;
};

}  // namespace

std::optional<FakeRun> PlanRun(const std::vector<std::string>& command,
                               const std::map<std::string, std::string>& env,
                               const std::string& working_dir, FakeFiles& files) {
  if (command.empty()) return FakeRun{};
  Planner planner(env, working_dir, files);
  if (!planner.Command(command)) return std::nullopt;
  return planner.Done();
}

}  // namespace a4c::memory
