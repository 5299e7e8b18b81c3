#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/host_add.h"
#include "apps/a4c/commands/several.h"
#include "apps/a4c/commands/watch.h"

namespace a4c_cli {
namespace {

using a4c::Json;

constexpr int64_t kDrainPollMs = 1'000;

std::string PathOf(const std::string& host) {
  return "/v1/hosts/" + PercentEncode(host);
}

// Asks the same of each; what it answers.
std::vector<Outcome> AskEach(Session& session, const Names& hosts, const char* method,
                             const std::string& behind_path) {
  return DoForEach(session, hosts, [&](Outcome& outcome) {
    return SendFor(session, {.method = method, .path = PathOf(outcome.name) + behind_path},
                   outcome);
  });
}

void AddStep(CLI::App& host, Session& session, const char* name, const char* help) {
  const auto hosts = std::make_shared<Names>(Names{"host"});
  CLI::App* leaf = host.add_subcommand(name, help);
  AddNames(*leaf, *hosts);
  leaf->callback([&session, hosts, name] {
    ShowOutcomes(session, *hosts, AskEach(session, *hosts, "POST", ":" + std::string(name)), "host",
                 HostColumns());
  });
}

void NoteQuarantine(const Session& session, const Json& host) {
  if (host["state"].Text() != "quarantined") return;
  session.Note(host["id"].Text() +
               " is in quarantine, and nothing is sent to it: it shows the key " +
               host["shown_fingerprint"].Text() + ", pinned is " +
               host["pinned_fingerprint"].Text() + "\nnext: " + host["hint"].Text());
}

void AddHostList(CLI::App& host, Session& session) {
  const std::vector<std::string> either = {"true", "false"};
  AddList(host, session, "list servers", "host", HostColumns(),
          {.options = {{"--reachable", "reachable", "only those that answer, or do not", either},
                       {"--cordoned", "cordoned", "only those that are cordoned, or not", either},
                       {"--draining", "draining", "only those that are draining, or not", either},
                       kByLabel},
           .is_watched = true,
           .note = [&session](const Json& one) { NoteQuarantine(session, one); }});
}

void AddEnrol(CLI::App& host, Session& session) {
  struct Options {
    std::string id;
    std::string fingerprint;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* leaf = host.add_subcommand(
      "enrol",
      "prepare an enrolled server again; after a restore of the store, make it the store's own; "
      "ends a quarantine");
  leaf->add_option("host", options->id, "its id")->required();
  leaf->add_option("--fingerprint", options->fingerprint,
                   "pin this one from now on: compare it with the server's own first");
  leaf->callback([&session, options] {
    Reply reply;
    const std::string path = PathOf(BareId(options->id, "host")) + ":enrol";
    if (!session.Send({.method = "POST",
                       .path = WithQuery(path, {{"fingerprint", options->fingerprint}}),
                       .is_slow = true},
                      reply)) {
      return;
    }
    session.Show(reply.body, "host", HostColumns());
  });
}

void AddUpdate(CLI::App& host, Session& session) {
  struct Options {
    std::string id;
    std::string address;
    std::vector<std::string> settings;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* leaf = host.add_subcommand(
      "update", "change how an enrolled server is reached; it stays the same server");
  leaf->add_option("host", options->id, "its id")->required();
  leaf->add_option("--address", options->address, "ssh://user@host[:port]");
  leaf->add_option("--set", options->settings,
                   "a setting of the host provider: name=value sets it, name- removes it")
      ->allow_extra_args(false);
  leaf->callback([&session, options] {
    Json body(Json::Object{});
    if (!options->address.empty()) body.Set("address", options->address);
    Json settings(Json::Object{});
    if (!ReadMapChange(session, options->settings, "a setting", settings)) return;
    if (!settings.Members().empty()) body.Set("settings", std::move(settings));
    if (body.Members().empty()) {
      session.exit_code = session.Complain(a4c::Error(a4c::Code::kInvalid, "nothing is to change",
                                                      "give --address, --set, or both"));
      return;
    }
    const std::string path = PathOf(BareId(options->id, "host"));
    Reply reply;
    if (session.Patch(path, body, reply, true)) session.Show(reply.body, "host", HostColumns());
  });
}

void AddLabel(CLI::App& host, Session& session) {
  struct Options {
    std::string id;
    std::vector<std::string> labels;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* leaf = host.add_subcommand("label", "change the labels of a server");
  leaf->add_option("host", options->id, "its id")->required();
  leaf->add_option("labels", options->labels, "name=value sets, name- removes")->required();
  leaf->callback([&session, options] {
    Json change(Json::Object{});
    if (!ReadMapChange(session, options->labels, "a label", change)) return;
    Reply reply;
    const std::string path = PathOf(BareId(options->id, "host"));
    if (!session.Send({"POST", path + ":label", change.ToString()}, reply)) return;
    session.Show(reply.body, "host", HostColumns());
  });
}

// How many a drain leaves there, of all tenants.
int64_t StayingOf(const Json& host) {
  // An a4cd of an older release tells of the own tenant's alone.
  return host["staying_count"].Int(static_cast<int64_t>(host["staying"].Items().size()));
}

void NoteStaying(const Session& session, const Json& host) {
  const Json::Array& named = host["staying"].Items();
  for (const Json& one : named) {
    session.Note(one["name"].Text() + " stays: " + one["reason"].Text());
  }
  const int64_t more = StayingOf(host) - static_cast<int64_t>(named.size());
  if (more > 0) session.Note("and " + std::to_string(more) + " more, of other tenants too");
}

// Until nothing is left on it, or nothing that is moved.
int AwaitDrain(Session& session, Outcome& host, int64_t until_ms) {
  Breaks breaks(session, until_ms);
  Json seen;  // null: not yet
  while (true) {
    if (!breaks.Look(PathOf(host.name), seen)) return session.exit_code;
    if (!seen.IsNull()) host.shown = seen;
    if (!seen.IsNull() && seen["workspaces"].Int() <= StayingOf(seen)) {
      NoteStaying(session, seen);
      return StayingOf(seen) == 0 ? kOk : kConflict;
    }
    if (session.runtime.clock.MonotonicMs() >= until_ms) {
      session.Note("it is not empty yet; the drain goes on: a4c host get " + host.name);
      return kTimedOut;
    }
    session.Pause(kDrainPollMs);
  }
}

void AwaitDrains(Session& session, const Names& hosts, std::vector<Outcome>& drained,
                 const Waiting& waiting) {
  FirstFailure failure(session);
  const int64_t until_ms = session.runtime.clock.MonotonicMs() + waiting.timeout_s * 1000;
  for (Outcome& host : drained) {
    failure.Do(hosts, host.name, [&] {
      session.exit_code = AwaitDrain(session, host, until_ms);
      return true;
    });
  }
}

void AddDrain(CLI::App& host, Session& session) {
  struct Options {
    Names hosts{"host"};
    bool with_volumes = false;
    Waiting waiting;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* leaf = host.add_subcommand("drain", "cordon it and move away what may be moved");
  AddNames(*leaf, options->hosts);
  leaf->add_flag("--with-volumes", options->with_volumes,
                 "move workspaces with what they keep, also those whose on_drain is keep");
  AddWaiting(*leaf, options->waiting, "until nothing that is moved is left");
  leaf->callback([&session, options] {
    const std::string how = options->with_volumes ? "?with_volumes=true" : "";
    std::vector<Outcome> drained = AskEach(session, options->hosts, "POST", ":drain" + how);
    if (options->waiting.is_wanted) {
      AwaitDrains(session, options->hosts, drained, options->waiting);
    }
    ShowOutcomes(session, options->hosts, std::move(drained), "host", HostColumns());
  });
}

void AddGet(CLI::App& host, Session& session) {
  const auto hosts = std::make_shared<Names>(Names{"host"});
  CLI::App* leaf = host.add_subcommand("get", "show one server, or several");
  AddNames(*leaf, *hosts);
  leaf->callback([&session, hosts] {
    const std::vector<Outcome> found = AskEach(session, *hosts, "GET", "");
    ShowOutcomes(session, *hosts, found, "host", HostColumns());
    for (const Outcome& one : found) NoteHostWarnings(session, one.shown);
  });
}

}  // namespace

const std::vector<Column>& HostColumns() {
  static const std::vector<Column> columns = {
      {"ID", "id"},
      {"REACHABLE", "reachable", false, Column::As::kYesNo},
      {"STATE", "state", false, Column::As::kState},
      {"CORDONED", "cordoned", false, Column::As::kYesNo},
      {"DRAINING", "draining", false, Column::As::kYesNo},
      {"DISK USED", "disk_used_bytes", false, Column::As::kBytes},
      {"DISK TOTAL", "disk_total_bytes", false, Column::As::kBytes},
      {"RESERVED", "disk_committed_bytes", true, Column::As::kBytes},
      {"MEMORY", "memory_total_bytes", true, Column::As::kBytes},
      {"CPU MILLIS", "cpu_total_millis", true},
      {"ARCH", "arch", true},
      {"LABELS", "labels", true},
      {"DOCKER", "versions.docker", true},
      {"RUNC", "versions.runc", true},
      {"KERNEL", "versions.kernel", true},
      {"ADDRESS", "address", true},
      {"REASON", "reason", true}};
  return columns;
}

void NoteHostWarnings(const Session& session, const Json& host) {
  NoteQuarantine(session, host);
  for (const Json& warning : host["warnings"].Items()) {
    session.Note("warning: " + host["id"].Text() + ": " + warning.Text());
  }
}

void AddHostCommands(CLI::App& root, Session& session) {
  CLI::App* host = root.add_subcommand("host", "servers, their disks, and what they may take");
  host->require_subcommand(1);
  AddHostList(*host, session);
  AddGet(*host, session);
  AddHostAdd(*host, session);
  AddStep(*host, session, "cordon", "place nothing new on a server");
  AddStep(*host, session, "uncordon", "place on it again");
  AddLabel(*host, session);
  AddEnrol(*host, session);
  AddUpdate(*host, session);
  AddDrain(*host, session);
  AddHostDisks(*host, session);
  AddHostLeastUsed(*host, session);
  AddHostCleanup(*host, session);
  AddHostAdopt(*host, session);
  AddHostPurge(*host, session);
  AddHostRemove(*host, session);
}

}  // namespace a4c_cli
