#include "apps/a4cd/command_line.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "a4c/plugin_host.h"
#include "a4c/sinks.h"
#include "apps/a4cd/app.h"
#include "apps/a4cd/backends.h"
#include "apps/a4cd/check_config.h"
#include "apps/a4cd/config/config_file.h"
#include "apps/a4cd/config/settings.h"
#include "apps/a4cd/migrate.h"
#include "apps/a4cd/migrate_backend/migrate_backend.h"
#include "apps/a4cd/notify.h"
#include "apps/a4cd/telemetry/json_log.h"
#include "apps/a4cd/telemetry/metrics.h"
#include "apps/plugin_tool/plugin_tool.h"
#include "apps/usage/usage.h"

namespace a4cd {
namespace {

using a4c::Error;
using a4c::Result;

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

struct MigrateArguments {
  std::string to;
  bool cut_over = false;
  bool back = false;
};

struct Options {
  MigrateArguments migrate;
  std::string config_file;
  std::string roles;
  std::string key_file;
  bool key_again = false;
  bool check_config = false;
  bool print_keys = false;
  bool dry_run = false;
};

int Complain(const Error& error, int exit_code) {
  std::fprintf(stderr, "a4cd: %s\n", error.message().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", error.hint().c_str());
  return exit_code;
}

std::string BinaryDirectory() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "." : self.parent_path().string();
}

std::string DefaultDataDirectory(const Environment& environment) {
  const auto get = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  if (!get("XDG_STATE_HOME").empty()) return get("XDG_STATE_HOME") + "/a4cd";
  return (get("HOME").empty() ? "/var/lib" : get("HOME") + "/.local/state") + "/a4cd";
}

Result<Settings> ReadSettings(const Options& options, const Environment& environment) {
  A4C_TRY(a4c::ConfigValue root, LoadConfig(options.config_file, environment));
  if (!options.roles.empty()) {
    A4C_TRY(a4c::ConfigValue roles, ParseYaml("[" + options.roles + "]", "--roles"));
    roles.path = "roles";
    root.map["roles"] = std::move(roles);
  }
  return CheckSettings(root, BinaryDirectory(), DefaultDataDirectory(environment));
}

// The signals that are waited for by one thread: all others leave them alone.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

// SIGHUP, of whoever has moved the log file away, ends nothing. From the first signal that does, a
// second one ends the process at once.
void WaitForEndSignal(const sigset_t& set, JsonLog& log) {
  int signal = 0;
  for (sigwait(&set, &signal); signal == SIGHUP; sigwait(&set, &signal)) log.Reopen();
  sigset_t ends = set;
  sigdelset(&ends, SIGHUP);
  pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
}

int Serve(const Settings& settings) {
  const sigset_t signals = BlockSignals();
  Result<std::unique_ptr<JsonLog>> log = NewJsonLog(settings.log_level, settings.log_file);
  if (!log) return Complain(log.error(), kWrongUse);
  const std::unique_ptr<Metrics> metrics = NewMetrics();
  const a4c::Runtime runtime = a4c::SystemRuntime(**log, *metrics);
  Result<std::unique_ptr<App>> app = App::Start(settings, runtime, *metrics);
  if (!app) return Complain(app.error(), kFailed);
  NotifySystemd("READY=1");
  WaitForEndSignal(signals, **log);
  NotifySystemd("STOPPING=1");
  (*app)->Drain();
  return 0;
}

int BootstrapKey(const Settings& settings, const std::string& file, KeyService::Again again) {
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  if (!file.empty()) {
    Settings with_file = settings;
    with_file.api.bootstrap_key_file = file;
    const Result<void> made = MakeFirstKeyFile(with_file, runtime, again);
    if (!made) return Complain(made.error(), kFailed);
    std::fprintf(stderr, "the API key is in %s\n", file.c_str());
    return 0;
  }
  const Result<std::string> key = MakeFirstKey(settings, runtime, again);
  if (!key) return Complain(key.error(), kFailed);
  std::fprintf(stderr, "this key is shown once:\n");
  std::printf("%s\n", key->c_str());
  return 0;
}

int MigrateCommand(const Settings& settings, bool dry_run) {
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  if (!dry_run) {
    const Result<void> migrated = Migrate(settings, runtime);
    if (!migrated) return Complain(migrated.error(), kFailed);
    std::fprintf(stderr, "the store is as this release needs it\n");
    return 0;
  }
  const Result<std::vector<std::string>> plan = PlanMigration(settings, runtime);
  if (!plan) return Complain(plan.error(), kFailed);
  for (const std::string& statement : *plan) std::printf("%s;\n", statement.c_str());
  if (plan->empty()) std::fprintf(stderr, "there is nothing to do\n");
  return 0;
}

// A4C_* variables are of the config that is migrated from: the target's is its file alone.
int MigrateBackendCommand(const Options& options, const Settings& from, bool store) {
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  Options target = options;
  target.config_file = options.migrate.to;
  Environment environment = ReadEnvironment();
  std::erase_if(environment, [](const auto& one) { return one.first.starts_with("A4C_"); });
  const Result<Settings> to = ReadSettings(target, environment);
  if (!to) return Complain(to.error(), kWrongUse);
  const MigrateOptions how{.cut_over = options.migrate.cut_over,
                           .back = options.migrate.back,
                           .progress = [](const a4c::Json& progress) {
                             std::fprintf(stderr, "%s\n", progress.ToString().c_str());
                           }};
  const Result<a4c::Json> done =
      store ? MigrateStore(from, *to, runtime, how) : MigrateSearch(from, *to, runtime, how);
  if (!done) return Complain(done.error(), kFailed);
  std::printf("%s\n", done->ToString().c_str());
  return 0;
}

void AddMigrateBackend(CLI::App& command, const char* name, const char* help,
                       MigrateArguments& arguments) {
  CLI::App* leaf = command.add_subcommand(name, help);
  leaf->add_option("--to", arguments.to, "the config file that instances will start with")
      ->required()
      ->check(CLI::ExistingFile);
  CLI::Option* cut_over = leaf->add_flag(
      "--cut-over", arguments.cut_over, "make the last step; without it: copy, and change nothing");
  leaf->add_flag("--back", arguments.back, "undo a cut-over")->excludes(cut_over);
}

int CheckConfigCommand(const Settings& settings) {
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  const Result<void> checked = CheckNamed(settings, runtime);
  if (!checked) return Complain(checked.error(), kWrongUse);
  std::printf("the config is good: store %s, bus %s, search %s, hosts %s\n",
              settings.store.plugin.c_str(), settings.bus.plugin.c_str(),
              settings.search.plugin.c_str(), settings.hosts.plugin.c_str());
  return 0;
}

void PrintKeys() {
  const auto print = [](const std::string& prefix, const a4c::ConfigKey& key) {
    std::printf("%s%s\t%s\t%s\n", prefix.c_str(), key.name,
                key.fallback == nullptr ? "(required)" : key.fallback, key.help);
  };
  for (const a4c::ConfigKey& key : RootKeys()) {
    if (key.type != a4c::ConfigType::kTree) print("", key);
  }
  for (const Section& section : Sections()) {
    for (const a4c::ConfigKey& key : section.keys) print(std::string(section.name) + ".", key);
  }
}

void AddPluginCommands(CLI::App& plugin, std::vector<std::string>& args) {
  plugin.require_subcommand(1);
  const auto add = [&](const char* name, const char* help) {
    CLI::App* command = plugin.add_subcommand(name, help);
    command->prefix_command();
    command->callback([command, &args] { args = command->remaining(); });
  };
  add("list", "every plugin found, and why one is refused");
  add("inspect", "NAME: its settings, and what it cannot do");
  add("check", "NAME --config=FILE: make one with these settings, and drop it");
  add("new", "store-foo [--into=DIRECTORY]: write a plugin to start from");
}

int RunPluginCommand(const Settings& settings, const std::string& name,
                     const std::vector<std::string>& args) {
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  const std::unique_ptr<a4c::PluginHost> host = NewPluginHost(settings, runtime);
  const a4c::PluginTool tool{
      *host, [](const std::string& file) { return ReadConfigFile(file, ReadEnvironment()); },
      a4c::FindTemplateDirectory()};
  if (name == "list") return a4c::PluginList(tool, args, std::cout, std::cerr);
  if (name == "inspect") return a4c::PluginInspect(tool, args, std::cout, std::cerr);
  if (name == "check") return a4c::PluginCheck(tool, args, std::cout, std::cerr);
  return a4c::PluginNew(tool, args, std::cout, std::cerr);
}

}  // namespace

int RunCommandLine(int argc, char** argv) {
  a4c::InstallCrashHandler();
  Options options;
  CLI::App cli("a4cd: a control plane for container workspaces on your own servers", "a4cd");
  cli.set_version_flag("--version", "a4cd " A4C_VERSION);
  cli.add_option("-c,--config", options.config_file,
                 "YAML config file; A4C_* variables win over it");
  cli.add_option("--roles", options.roles, "what this process does: api,worker,sync,poller");
  cli.add_flag("--check-config", options.check_config, "check config and plugins, then exit");
  cli.add_flag("--print-config-keys", options.print_keys, "list all settings, then exit");
  CLI::App* bootstrap =
      cli.add_subcommand("bootstrap-key", "make the first API key, with all scopes");
  bootstrap->add_option("--file", options.key_file, "write it here, mode 0600, and print nothing");
  bootstrap->add_flag("--again", options.key_again,
                      "also if there are keys: when none is left that can make another");
  CLI::App* migrate =
      cli.add_subcommand("migrate", "make what the store lacks for this release, then exit");
  migrate->add_flag("--dry-run", options.dry_run, "print the statements, change nothing");
  CLI::App* plugin = cli.add_subcommand("plugin", "list, inspect, check or new: see plugin --help");
  std::vector<std::string> plugin_args;
  AddPluginCommands(*plugin, plugin_args);
  CLI::App* move = cli.add_subcommand(
      "migrate-backend", "move to another store or search plugin: docs/design/migrate-backend.md");
  move->require_subcommand(1);
  AddMigrateBackend(*move, "store", "copy all records to another store", options.migrate);
  AddMigrateBackend(*move, "search", "fill another search index", options.migrate);
  // --config may also stand behind them; `plugin` has options of its own.
  for (CLI::App* command : {bootstrap, migrate, move}) command->fallthrough();
  for (CLI::App* leaf : move->get_subcommands([](const CLI::App*) { return true; })) {
    leaf->fallthrough();
  }
  cli.require_subcommand(0, 1);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return a4c::usage::Explain(cli, error);
  }
  if (options.print_keys) {
    PrintKeys();
    return 0;
  }
  const Result<Settings> settings = ReadSettings(options, ReadEnvironment());
  if (settings && plugin->parsed()) {
    return RunPluginCommand(*settings, plugin->get_subcommands().at(0)->get_name(), plugin_args);
  }
  if (!settings) return Complain(settings.error(), kWrongUse);
  if (options.check_config) return CheckConfigCommand(*settings);
  if (migrate->parsed()) return MigrateCommand(*settings, options.dry_run);
  if (move->parsed()) {
    const std::string what = move->get_subcommands().at(0)->get_name();
    return MigrateBackendCommand(options, *settings, what == "store");
  }
  if (bootstrap->parsed()) {
    return BootstrapKey(*settings, options.key_file,
                        options.key_again ? KeyService::Again::kYes : KeyService::Again::kNo);
  }
  return Serve(*settings);
}

}  // namespace a4cd
