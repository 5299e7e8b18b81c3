#include <filesystem>
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/tls.h"

namespace a4c_cli {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

const std::vector<Column>& Columns() {
  static const std::vector<Column> columns = {{"NAME", "id"},
                                              {"CURRENT", "current", false, Column::As::kYesNo},
                                              {"URL", "url"},
                                              {"KEY", "key", false, Column::As::kYesNo},
                                              {"CA FILE", "ca_file", true}};
  return columns;
}

void List(Session& session) {
  const auto contexts = ReadContexts(ContextsPath());
  if (!contexts) {
    session.exit_code = session.Complain(contexts.error());
    return;
  }
  Json items(Json::Array{});
  for (const auto& [name, context] : contexts->all) {
    items.Append(Json::Object{{"id", name},
                              {"current", name == contexts->current},
                              {"url", context.url},
                              {"key", !context.api_key.empty()},
                              {"ca_file", context.ca_file}});
  }
  session.Show(Json(Json::Object{{"items", std::move(items)}}), "context", Columns());
}

// For use from any folder.
std::string Absolute(const std::string& path) {
  return path.empty() ? "" : std::filesystem::absolute(path).lexically_normal().string();
}

// The context of that name, or a new one, with what flags and environment say. Nothing comes from
// the current one.
Result<Context> Changed(const EndpointFlags& flags, const Contexts& contexts,
                        const std::string& name) {
  if (!flags.context.empty() && flags.context != name) {
    return Error(Code::kInvalid, "--context is for commands that talk to an API",
                 "a4c context set " + flags.context + ", or " + name);
  }
  A4C_TRY(const Context given, ReadGiven(flags));
  const auto found = contexts.all.find(name);
  Context context = found == contexts.all.end() ? Context{} : found->second;
  const bool is_moved = !given.url.empty() && UrlOf(given) != UrlOf(context);
  if (is_moved && given.api_key.empty() && !context.api_key.empty()) {
    return Error(
        Code::kInvalid,
        "the API key of " + name + " is for " + UrlOf(context) + ", not for " + UrlOf(given),
        "name the key as well: --api-key-file FILE");
  }
  if (!given.url.empty()) context.url = given.url;
  context.url = UrlOf(context);
  if (!given.api_key.empty()) context.api_key = given.api_key;
  if (given.ca_file.empty()) return context;
  A4C_CHECK(NewTls("", given.ca_file));
  context.ca_file = Absolute(given.ca_file);
  return context;
}

std::string Described(const Context& context) {
  return UrlOf(context) + (context.api_key.empty() ? ", without a key" : ", with a key") +
         (context.ca_file.empty() ? "" : ", CAs of " + context.ca_file);
}

Result<std::string> Set(const EndpointFlags& flags, const std::string& name) {
  A4C_TRY(Contexts contexts, ReadContexts(ContextsPath()));
  A4C_TRY(const Context context, Changed(flags, contexts, name));
  contexts.all[name] = context;
  if (contexts.current.empty()) contexts.current = name;
  A4C_CHECK(WriteContexts(ContextsPath(), contexts));
  return "context " + name + ": " + Described(context) +
         (contexts.current == name ? "; it is the current one"
                                   : "; to make it the current one: a4c context use " + name);
}

Error NoContext(const std::string& name) {
  return Error(Code::kNotFound, "there is no context \"" + name + "\"",
               "list them: a4c context list");
}

Result<std::string> Use(const std::string& name) {
  A4C_TRY(Contexts contexts, ReadContexts(ContextsPath()));
  const auto found = contexts.all.find(name);
  if (found == contexts.all.end()) return NoContext(name);
  contexts.current = name;
  A4C_CHECK(WriteContexts(ContextsPath(), contexts));
  return "now in use: " + name + ": " + Described(found->second);
}

Result<std::string> Remove(const std::string& name) {
  A4C_TRY(Contexts contexts, ReadContexts(ContextsPath()));
  if (contexts.all.erase(name) == 0) return NoContext(name);
  const bool was_current = contexts.current == name;
  if (was_current) contexts.current.clear();
  A4C_CHECK(WriteContexts(ContextsPath(), contexts));
  return "removed " + name + (was_current ? "; none is the current one now" : "");
}

// What was done, or why not.
void Tell(Session& session, const Result<std::string>& done) {
  if (done) return session.Note(*done);
  session.exit_code = session.Complain(done.error());
}

}  // namespace

void AddContextCommands(CLI::App& root, Session& session) {
  CLI::App* context = root.add_subcommand("context", "named APIs and their keys");
  context->require_subcommand(1);
  context->add_subcommand("list", "list contexts")->callback([&session] { List(session); });
  const auto name = std::make_shared<std::string>();
  CLI::App* leaf = context->add_subcommand(
      "set",
      "keep --url, the key and --ca-file under a name, new or not: a4c --url URL "
      "--api-key-file FILE context set NAME");
  leaf->add_option("name", *name, "of the context")->required();
  leaf->callback(
      [&session, name] { Tell(session, Set(session.endpoint, BareId(*name, "context"))); });
  leaf = context->add_subcommand("use", "make a context the current one");
  leaf->add_option("context", *name, "its name")->required();
  leaf->callback([&session, name] { Tell(session, Use(BareId(*name, "context"))); });
  leaf = context->add_subcommand("remove", "forget a context and its key");
  leaf->add_option("context", *name, "its name")->required();
  leaf->callback([&session, name] { Tell(session, Remove(BareId(*name, "context"))); });
}

}  // namespace a4c_cli
