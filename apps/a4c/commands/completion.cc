// Completion: the shells' scripts ask this binary (`a4c __complete -- words...`), which knows its
// own commands and, for ids, asks the API, briefly.
#include <algorithm>
#include <map>
#include <memory>
#include <utility>

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

// Of the words before, where it all goes. A key is not read from standard input.
void TakeEndpoint(Session& session, const std::vector<std::string>& words) {
  EndpointFlags& flags = session.endpoint;
  const std::map<std::string, std::string*> members = {{"--url", &flags.url},
                                                       {"--context", &flags.context},
                                                       {"--api-key-file", &flags.api_key_file},
                                                       {"--ca-file", &flags.ca_file}};
  for (size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    const size_t equals = words[i].find('=');
    const auto member = members.find(words[i].substr(0, equals));
    if (member == members.end()) continue;
    size_t next = i + 1;
    // bash takes --url=x for three words.
    if (equals == std::string::npos && next < words.size() && words[next] == "=") ++next;
    if (equals != std::string::npos) {
      *member->second = words[i].substr(equals + 1);
    } else if (next < words.size()) {
      *member->second = words[next];
    }
  }
  if (flags.api_key_file == "-") flags.api_key_file.clear();
}

std::vector<std::string> ContextNames() {
  const auto contexts = ReadContexts(ContextsPath());
  std::vector<std::string> names;
  if (!contexts) return names;
  for (const auto& [name, context] : contexts->all) names.push_back(name);
  return names;
}

// What there is of that noun.
std::vector<std::string> NamesOf(Session& session, const std::string& what) {
  struct Source {
    const char* path;
    const char* member;
  };
  static const std::map<std::string, Source> sources = {
      {"job", {"/v1/jobs", "id"}},           {"workspace", {"/v1/workspaces", "name"}},
      {"snapshot", {"/v1/snapshots", "id"}}, {"host", {"/v1/hosts", "id"}},
      {"key", {"/v1/keys", "id"}},           {"secret", {"/v1/secrets", "name"}},
      {"tenant", {"/v1/tenants", "id"}}};
  if (what == "context") return ContextNames();
  const auto source = sources.find(what);
  std::vector<std::string> names;
  if (source == sources.end()) return names;
  // Of servers it is no page; of others as much as a service gives that is not told otherwise.
  const std::string path = source->second.path;
  a4c::Json answer = Ask(session, what == "host" ? path : path + "?limit=500");
  if (!answer["items"].IsArray()) answer = Ask(session, path);
  for (const a4c::Json& item : answer["items"].Items()) {
    names.push_back(item[source->second.member].Text());
  }
  return names;
}

// As the service that is asked has them.
std::vector<std::string> JobTypes(Session& session) {
  const a4c::Json schemas = Ask(session, "/openapi.json")["components"]["schemas"];
  std::vector<std::string> types;
  for (const a4c::Json& type : schemas["JobRequest"]["properties"]["type"]["enum"].Items()) {
    types.push_back(type.Text());
  }
  return types;
}

// Of an option, after which no command or name of the command stands.
std::vector<std::string> Values(Session& session, const std::string& option,
                                std::vector<std::string> listed) {
  for (const char* what : {"host", "workspace", "tenant", "context"}) {
    if (option == std::string("--") + what) return NamesOf(session, what);
  }
  return option == "--type" ? JobTypes(session) : std::move(listed);
}

// What may stand in the next place of the command, without what was given already.
std::vector<std::string> Arguments(Session& session, const a4c::usage::Place& place) {
  std::string what = place.Next();
  if (what == "type") return JobTypes(session);
  if (what == "workspaces") what = "workspace";
  std::vector<std::string> names = NamesOf(session, what);
  std::erase_if(names, [&](const std::string& name) {
    return std::ranges::find(place.given, name) != place.given.end();
  });
  return names;
}

bool IsQuery(const std::vector<std::string>& words) {
  if (words.size() < 2) return false;
  const std::string& option = words[words.size() - 2];
  return option == "-q" || option == "--query";
}

}  // namespace

void Complete(CLI::App& root, Session& session, const std::vector<std::string>& words) {
  if (!words.empty()) TakeEndpoint(session, {words.begin(), words.end() - 1});
  if (IsQuery(words)) {
    std::string text;
    for (const std::string& query : Queries(session, words.back())) text += query + "\n";
    return session.ShowText(text);
  }
  if (words.empty()) return;
  const std::string& typed = words.back();
  const std::vector<std::string> before(words.begin(), words.end() - 1);
  const a4c::usage::Place place = a4c::usage::PlaceOf(root, before);
  const std::string option = before.empty() ? "" : before.back();
  const auto values = a4c::usage::ValuesOf(*place.app, option);
  std::vector<std::string> candidates;
  if (values) {
    candidates = Values(session, option, *values);
  } else if (typed.starts_with('-')) {
    candidates = a4c::usage::OptionsOf(*place.app);
  } else {
    candidates = a4c::usage::CommandsOf(*place.app);
    if (candidates.empty()) candidates = Arguments(session, place);
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
