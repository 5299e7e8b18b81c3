#include <unistd.h>

#include <iostream>
#include <iterator>
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/confirm.h"
#include "apps/a4c/commands/several.h"
#include "apps/a4c/sessions/terminal.h"
#include "apps/usage/named_file.h"

namespace a4c_cli {
namespace {

using a4c::Json;

const std::vector<Column>& Columns() {
  static const std::vector<Column> columns = {{"NAME", "name"},
                                              {"CHANGED", "updated_at", false, Column::As::kAge},
                                              {"BY", "updated_by"},
                                              {"AGE", "created_at", true, Column::As::kAge}};
  return columns;
}

std::string PathOf(const std::string& name) {
  return "/v1/secrets/" + PercentEncode(BareId(name, "secret"));
}

// A line that is typed and not shown. False: none was; exit_code is set.
bool ReadTyped(Session& session, std::string& value) {
  session.Note("value: ", "");
  bool is_typed = false;
  {
    const SilentTerminal silent;
    is_typed = static_cast<bool>(std::getline(std::cin, value));
  }
  session.Note("");
  if (is_typed) return true;
  session.exit_code = session.Complain(a4c::Error(a4c::Code::kInvalid, "no value was typed"));
  return false;
}

// Never an argument, which others on this machine could read. One line end at the end is not part
// of it, as editors and echo put one there.
bool ReadValue(Session& session, const std::string& file, std::string& value) {
  if (file.empty() && isatty(STDIN_FILENO) == 1) return ReadTyped(session, value);
  if (file.empty() || file == "-") {
    value.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    a4c::Result<std::string> read = a4c::usage::ReadNamedFile(file);
    if (!read) {
      session.exit_code = session.Complain(read.error());
      return false;
    }
    value = *std::move(read);
  }
  if (value.ends_with('\n')) value.pop_back();
  return true;
}

void Set(Session& session, const std::string& name, const std::string& file) {
  std::string value;
  if (!ReadValue(session, file, value)) return;
  Reply reply;
  if (!session.Send({"PUT", PathOf(name), Json(Json::Object{{"value", value}}).ToString()},
                    reply)) {
    return;
  }
  session.Show(reply.body, "secret", Columns());
}

}  // namespace

void AddSecretCommands(CLI::App& root, Session& session) {
  CLI::App* secret = root.add_subcommand("secret", "secrets that workspaces are given");
  secret->require_subcommand(1);
  const auto name = std::make_shared<std::string>();
  const auto file = std::make_shared<std::string>();
  CLI::App* leaf = secret->add_subcommand("set", "set or replace one; it is never shown again");
  leaf->add_option("name", *name, "letters, digits, '-', '_', '.'")->required();
  leaf->add_option("--from-file", *file, "a file; without it standard input, or typed unseen");
  leaf->callback([&session, name, file] { Set(session, *name, *file); });
  AddList(*secret, session, "list their names", "secret", Columns());
  leaf = secret->add_subcommand("delete", "delete one; workspaces that name it start no more");
  const auto names = std::make_shared<Names>(Names{"secret"});
  AddNames(*leaf, *names, "its name; several: each of them");
  const auto is_sure = std::make_shared<bool>(false);
  AddYes(*leaf, *is_sure);
  leaf->callback([&session, names, is_sure] {
    const std::string what = "delete " + Enumerated(names->given) + ", whose value nobody can see";
    if (!IsMeant(session, *is_sure, what)) return;
    DoForEach(session, *names, [&](Outcome& outcome) {
      Reply reply;
      if (!session.Send({.method = "DELETE", .path = PathOf(outcome.name)}, reply)) return false;
      session.Note("deleted " + outcome.name);
      return true;
    });
  });
}

}  // namespace a4c_cli
