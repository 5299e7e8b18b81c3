// Completion: the shells' scripts ask this binary (`a4c __complete -- words...`), which knows its
// own commands and, for ids, asks the API, briefly.
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/usage/usage.h"

namespace a4c_cli {
namespace {

constexpr const char* kBash = R"(# a4c completion for bash: source <(a4c completion bash)
_a4c() {
  local IFS=$'\n'
  COMPREPLY=($(a4c __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _a4c a4c
)";

constexpr const char* kZsh = R"(#compdef a4c
# a4c completion for zsh: source <(a4c completion zsh)
_a4c() {
  local -a found
  found=("${(@f)$(a4c __complete -- "${words[@]:1:$((CURRENT-1))}" 2>/dev/null)}")
  compadd -a found
}
compdef _a4c a4c
)";

constexpr const char* kFish = R"(# a4c completion for fish: a4c completion fish | source
complete -c a4c -f -a '(a4c __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
)";

// What the API says within a second; null if it does not.
a4c::Json Ask(Session& session, const std::string& path) {
  session.endpoint.timeout_ms = 1'000;
  const auto& endpoint = session.Resolved();
  if (!endpoint) return nullptr;
  const auto client = NewClient(*endpoint, session.runtime);
  if (!client) return nullptr;
  const auto reply = (*client)->Send({.path = path});
  return reply ? reply->body : a4c::Json(nullptr);
}

// Whole queries, each with one suggestion at its end. A shell hands over the opening quote too.
std::vector<std::string> Queries(Session& session, std::string query) {
  if (query.starts_with('\'') || query.starts_with('"')) query.erase(0, 1);
  const a4c::Json answer = Ask(session, WithQuery("/v1/jobs:complete", {{"q", query}}));
  size_t kept = 0;
  for (int64_t characters = answer["start"].Int(); kept < query.size(); ++kept) {
    const bool begins = (static_cast<unsigned char>(query[kept]) & 0xC0u) != 0x80u;
    if (begins && characters-- == 0) break;
  }
  std::vector<std::string> queries;
  for (const a4c::Json& suggestion : answer["suggestions"].Items()) {
    queries.push_back(query.substr(0, kept) + suggestion["text"].Text());
  }
  return queries;
}

std::vector<std::string> Ids(Session& session, const std::string& noun) {
  std::string path;
  if (noun == "job" || noun == "explain") path = "/v1/jobs?limit=50";
  if (noun == "workspace") path = "/v1/workspaces?limit=50";
  if (noun == "snapshot") path = "/v1/snapshots?limit=50";
  if (noun == "host") path = "/v1/hosts";
  if (noun == "key") path = "/v1/keys?limit=50";
  std::vector<std::string> ids;
  if (path.empty()) return ids;
  const a4c::Json answer = Ask(session, path);
  for (const a4c::Json& item : answer["items"].Items()) {
    ids.push_back(noun == "workspace" ? item["name"].Text() : item["id"].Text());
  }
  return ids;
}

// Of an option, after which no command or id of the command stands.
std::vector<std::string> Values(Session& session, const std::string& option,
                                std::vector<std::string> listed) {
  for (const char* noun : {"host", "workspace"}) {
    if (option == std::string("--") + noun) return Ids(session, noun);
  }
  return listed;
}

bool IsQuery(const std::vector<std::string>& words) {
  if (words.size() < 2) return false;
  const std::string& option = words[words.size() - 2];
  return option == "-q" || option == "--query";
}

}  // namespace

void Complete(CLI::App& root, Session& session, const std::vector<std::string>& words) {
  if (IsQuery(words)) {
    std::string text;
    for (const std::string& query : Queries(session, words.back())) text += query + "\n";
    return session.ShowText(text);
  }
  CLI::App* at = &root;
  const std::string typed = words.empty() ? "" : words.back();
  std::string noun;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    for (CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; })) {
      if (sub->get_name() != words[i]) continue;
      if (noun.empty()) noun = words[i];
      at = sub;
      break;
    }
  }
  std::vector<std::string> candidates;
  const std::string before = words.size() < 2 ? "" : words[words.size() - 2];
  const auto values = a4c::usage::ValuesOf(*at, before);
  if (values) {
    candidates = Values(session, before, *values);
  } else if (typed.starts_with('-')) {
    candidates = a4c::usage::OptionsOf(*at);
  } else {
    candidates = a4c::usage::CommandsOf(*at);
    if (candidates.empty()) candidates = Ids(session, noun);
  }
  std::string text;
  for (const std::string& candidate : candidates) {
    if (candidate.starts_with(typed)) text += candidate + "\n";
  }
  session.ShowText(text);
}

void AddCompletion(CLI::App& root, Session& session) {
  CLI::App* completion = root.add_subcommand("completion", "print a completion script");
  const auto shell = std::make_shared<std::string>();
  completion->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&session, shell] {
    session.ShowText(*shell == "bash" ? kBash : *shell == "zsh" ? kZsh : kFish);
  });
}

}  // namespace a4c_cli
