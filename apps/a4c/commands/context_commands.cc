#include <filesystem>
#include <functional>
#include <memory>

#include "apps/a4c/commands/commands.h"

namespace a4c_cli {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;

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

// The URL, key and CAs of the global flags and environment become the context's.
void Set(Session& session, const std::string& name) {
  auto contexts = ReadContexts(ContextsPath());
  if (!contexts) {
    session.exit_code = session.Complain(contexts.error());
    return;
  }
  const auto endpoint = ResolveEndpoint(session.endpoint);
  if (!endpoint) {
    session.exit_code = session.Complain(endpoint.error());
    return;
  }
  contexts->all[name] = {endpoint->url, endpoint->api_key, Absolute(endpoint->ca_file)};
  if (contexts->current.empty()) contexts->current = name;
  const auto written = WriteContexts(ContextsPath(), *contexts);
  if (!written) session.exit_code = session.Complain(written.error());
}

// Of one that is there.
void Change(Session& session, const std::string& name,
            const std::function<void(Contexts&)>& change) {
  auto contexts = ReadContexts(ContextsPath());
  if (contexts && !contexts->all.contains(name)) {
    contexts = Error(Code::kNotFound, "there is no context \"" + name + "\"",
                     "list them: a4c context list");
  }
  if (!contexts) {
    session.exit_code = session.Complain(contexts.error());
    return;
  }
  change(*contexts);
  const auto written = WriteContexts(ContextsPath(), *contexts);
  if (!written) session.exit_code = session.Complain(written.error());
}

}  // namespace

void AddContextCommands(CLI::App& root, Session& session) {
  CLI::App* context = root.add_subcommand("context", "named APIs and their keys");
  context->require_subcommand(1);
  context->add_subcommand("list", "list contexts")->callback([&session] { List(session); });
  const auto name = std::make_shared<std::string>();
  CLI::App* leaf = context->add_subcommand("set",
                                           "keep --url, the key and --ca-file under a name: a4c "
                                           "--url URL --api-key-file FILE context set NAME");
  leaf->add_option("name", *name, "of the context")->required();
  leaf->callback([&session, name] { Set(session, *name); });
  leaf = context->add_subcommand("use", "make a context the current one");
  leaf->add_option("name", *name, "of the context")->required();
  leaf->callback([&session, name] {
    Change(session, *name, [&](Contexts& contexts) { contexts.current = *name; });
  });
  leaf = context->add_subcommand("remove", "forget a context and its key");
  leaf->add_option("name", *name, "of the context")->required();
  leaf->callback([&session, name] {
    Change(session, *name, [&](Contexts& contexts) {
      contexts.all.erase(*name);
      if (contexts.current == *name) contexts.current.clear();
    });
  });
}

}  // namespace a4c_cli
