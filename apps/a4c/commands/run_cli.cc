#include <algorithm>
#include <cstdlib>

#include "apps/a4c/commands/commands.h"
#include "apps/usage/usage.h"

namespace a4c_cli {
namespace {

const std::vector<std::string> kFormats = {"table", "wide", "json", "yaml", "ndjson", "name"};

// What -o says where it is not given.
void TakeOutputOfEnvironment(Session& session) {
  const char* given = std::getenv("A4C_OUTPUT");
  if (session.format_given || given == nullptr || *given == '\0') return;
  if (std::ranges::find(kFormats, given) == kFormats.end()) {
    throw CLI::ValidationError(
        "A4C_OUTPUT", std::string(given) + " is none of table, wide, json, yaml, ndjson, name");
  }
  session.format_name = given;
  session.format_given = true;
}

// What -o says in a command line that could not be parsed.
void TakeOutputOfWords(Session& session, const std::vector<std::string>& words) {
  const char* given = std::getenv("A4C_OUTPUT");
  std::string format = given == nullptr ? "" : given;
  for (size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    const std::string& word = words[i];
    const bool is_apart = word == "-o" || word == "--output";
    if (is_apart && i + 1 < words.size()) format = words[i + 1];
    if (word.starts_with("--output=")) format = word.substr(9);
    if (word.starts_with("-o") && !is_apart) format = word.substr(word.starts_with("-o=") ? 3 : 2);
  }
  if (std::ranges::find(kFormats, format) != kFormats.end()) session.format_name = format;
}

void AddGlobals(CLI::App& root, Session& session) {
  root.set_version_flag("--version", "a4c " A4C_VERSION);
  root.add_option("--url", session.endpoint.url,
                  "of the API, http:// or https://, a path may follow (A4C_URL)");
  root.add_option("--context", session.endpoint.context, "a named API (A4C_CONTEXT)");
  root.add_option("--api-key-file", session.endpoint.api_key_file,
                  "file with the API key, - for standard input (A4C_API_KEY_FILE, A4C_API_KEY)");
  root.add_option("--ca-file", session.endpoint.ca_file,
                  "CAs of https:// in PEM, instead of the system's (A4C_CA_FILE)");
  root.add_option_function<int64_t>(
          "--request-timeout-ms",
          [&session](int64_t ms) {
            session.endpoint.timeout_ms = ms;
            session.endpoint.slow_timeout_ms = ms;
          },
          "of a request with all its repetitions; none: 30000, of one that enrols a server 90000")
      ->check(CLI::PositiveNumber);
  root.add_option_function<std::string>(
          "-o,--output",
          [&session](const std::string& format) {
            session.format_name = format;
            session.format_given = true;
          },
          "table, wide, json, yaml, ndjson or name (A4C_OUTPUT)")
      ->check(CLI::IsMember(kFormats));
  // Scripts of shells and help are text, and are there when a variable is wrong.
  root.parse_complete_callback([&root, &session] {
    const auto asked = root.get_subcommands();
    const bool is_text = !asked.empty() && (asked.front()->get_name() == "completion" ||
                                            asked.front()->get_name() == "help");
    if (!is_text) TakeOutputOfEnvironment(session);
  });
  root.add_flag("--quiet", session.quiet, "no notes on standard error");
  root.require_subcommand(1);
  // Global flags may also stand after the command.
  root.fallthrough();
  root.footer("Exit codes: a4c help exit-codes");
}

}  // namespace

a4c::usage::TellMisuse TellMisuseBy(Session& session) {
  return [&session](const a4c::usage::Misuse& misuse) {
    if (session.IsForPeople() && !misuse.help.empty()) return a4c::usage::SayMisuse(misuse);
    session.Complain(a4c::Error(a4c::Code::kInvalid, misuse.what, misuse.hint));
  };
}

int RunCli(const std::vector<std::string>& arguments, const a4c::Runtime& runtime) {
  Session session(runtime);
  CLI::App root("a4c: jobs, workspaces and servers from the command line", "a4c");
  AddGlobals(root, session);
  AddJobCommands(root, session);
  AddWorkspaceCommands(root, session);
  AddSnapshotCommands(root, session);
  AddSshCommands(root, session);
  AddHostCommands(root, session);
  AddImageCommands(root, session);
  AddKeyCommands(root, session);
  AddTenantCommands(root, session);
  AddSecretCommands(root, session);
  AddAuditCommands(root, session);
  AddStatusCommands(root, session);
  AddSyncCommands(root, session);
  AddContextCommands(root, session);
  AddCompletion(root, session);
  for (CLI::App* group : root.get_subcommands([](const CLI::App*) { return true; })) {
    group->fallthrough();
    for (CLI::App* leaf : group->get_subcommands([](const CLI::App*) { return true; })) {
      leaf->fallthrough();
    }
  }
  // Hidden, and taken before the parser, which would make sense of the words itself.
  if (!arguments.empty() && arguments[0] == "__complete") {
    const bool dashes = arguments.size() > 1 && arguments[1] == "--";
    Complete(root, session, {arguments.begin() + (dashes ? 2 : 1), arguments.end()});
    return kOk;
  }
  std::vector<std::string> words = arguments;
  const auto begin = a4c::usage::BeginOfCommand(root, words);
  session.has_double_dash = !begin.has_value();
  if (begin) words.insert(words.begin() + static_cast<std::ptrdiff_t>(*begin), "--");
  std::ranges::reverse(words);
  try {
    root.parse(words);
  } catch (const CLI::ParseError& error) {
    TakeOutputOfWords(session, arguments);
    return a4c::usage::Explain(root, error, TellMisuseBy(session));
  }
  return session.exit_code;
}

}  // namespace a4c_cli
