#include "apps/a4c/commands/host_add.h"

#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/known_hosts.h"
#include "apps/a4c/commands/several.h"
#include "apps/at_once/at_once.h"
#include "apps/usage/named_file.h"

namespace a4c_cli {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

constexpr int kAtOnce = 8;
constexpr size_t kSummaryColumns = 40;  // of what a server says: no whole fingerprint fits in there

struct Options {
  std::string address;
  std::string id;
  std::string fingerprint;
  std::string known_hosts;
  std::string file;
  std::vector<std::string> settings;
  std::vector<std::string> labels;
};

Result<Json> MapOf(const YAML::Node& node, const std::string& where) {
  Json map(Json::Object{});
  if (!node) return map;
  if (!node.IsMap()) return Error(Code::kInvalid, where + " is a map of names and values");
  for (const auto& member : node) {
    map.Set(member.first.as<std::string>(), member.second.as<std::string>());
  }
  return map;
}

Result<Json> HostOf(const YAML::Node& node, const std::string& where) {
  if (!node.IsMap()) return Error(Code::kInvalid, where + " is a map");
  Json host(Json::Object{});
  for (const auto& member : node) {
    const auto name = member.first.as<std::string>();
    std::string path = where;
    path.append(".").append(name);
    if (name == "settings" || name == "labels") {
      A4C_TRY(Json map, MapOf(member.second, path));
      host.Set(name, std::move(map));
    } else if (name == "id" || name == "address" || name == "fingerprint") {
      host.Set(name, member.second.as<std::string>());
    } else {
      return Error(Code::kInvalid, path + " is unknown",
                   "known are id, address, fingerprint, settings and labels");
    }
  }
  if (!host["address"].IsText()) return Error(Code::kInvalid, where + " has no address");
  return host;
}

// A list of servers, or {"hosts": [...]}.
Result<std::vector<Json>> ReadHostsFile(const std::string& file) {
  A4C_TRY(const std::string text, a4c::usage::ReadNamedFile(file));
  try {
    const YAML::Node root = YAML::Load(text);
    const YAML::Node list = root.IsMap() ? root["hosts"] : root;
    if (!list || !list.IsSequence()) {
      return Error(Code::kInvalid, file + " is no list of servers",
                   "- {id: server-1, address: \"ssh://deploy@192.0.2.10\", fingerprint: ...}");
    }
    std::vector<Json> hosts;
    for (const YAML::Node& node : list) {
      A4C_TRY(Json host, HostOf(node, file + ": [" + std::to_string(hosts.size()) + "]"));
      hosts.push_back(std::move(host));
    }
    return hosts;
  } catch (const YAML::Exception& error) {
    return Error(Code::kInvalid, file + ": " + error.what());
  }
}

// Yes, or the fingerprint itself, as ssh takes it. What it says of itself may be anybody's words:
// they get a part of one line, so that they cannot pass for the fingerprint.
bool IsAccepted(const std::string& address, const Json& probe) {
  const std::string& fingerprint = probe["fingerprint"].Text();
  std::fprintf(stderr, "%s answers: %s\nits fingerprint is %s\nis that the server's own? [yes/no] ",
               OneLine(address, address.size()).c_str(),
               OneLine(probe["summary"].Text(), kSummaryColumns).c_str(),
               OneLine(fingerprint, fingerprint.size()).c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes" || answer == fingerprint;
}

// Whether the file has it among the server's keys; false: exit_code is set.
bool IsKnown(Session& session, const std::string& file, const std::string& address,
             const std::string& fingerprint) {
  const Result<std::set<std::string>> known = KnownFingerprints(file, address);
  if (known && known->contains(fingerprint)) return true;
  const Error why = !known           ? known.error()
                    : known->empty() ? Error(Code::kDenied, file + " has no key of " + address,
                                             "connect with ssh once, or give --fingerprint")
                                     : Error(Code::kDenied,
                                             address + " shows the fingerprint " + fingerprint +
                                                 ", and " + file + " has other keys of it",
                                             "find out who answers there before you go on");
  session.exit_code = session.Complain(why);
  return false;
}

// Fills in the fingerprint; false: exit_code is set.
bool Pin(Session& session, const std::string& known_hosts, Json& host) {
  if (!host["fingerprint"].Text().empty()) return true;
  const std::string& address = host["address"].Text();
  Reply reply;
  const Json body(Json::Object{{"address", address}});
  if (!session.Send({"POST", "/v1/hosts:probe", body.ToString()}, reply)) return false;
  const std::string fingerprint = reply.body["fingerprint"].Text();
  if (!known_hosts.empty()) {
    if (!IsKnown(session, known_hosts, address, fingerprint)) return false;
  } else if (isatty(STDIN_FILENO) == 0) {
    session.exit_code = session.Complain(
        Error(Code::kInvalid,
              address + " shows the fingerprint " + fingerprint +
                  ", and there is nobody at a terminal to ask",
              "compare it with the server's own, then: --fingerprint " + fingerprint +
                  "; or give --known-hosts, if ssh knows the server"));
    return false;
  } else if (!IsAccepted(address, reply.body)) {
    session.exit_code = session.Complain(
        Error(Code::kDenied, address + " was not added: its fingerprint was not accepted"));
    return false;
  }
  host.Set("fingerprint", fingerprint);
  host.Set("address", reply.body["address"].Text());
  return true;
}

// ssh://a@b/ and ssh://a@b:22 are ssh://a@b.
std::string PlainAddress(std::string address) {
  while (address.ends_with('/')) address.pop_back();
  const bool has_port = address.starts_with("ssh://") && address.ends_with(":22");
  if (has_port) address.resize(address.size() - 3);
  return address;
}

bool IsEnrolledAs(const Json& other, const Json& host) {
  const std::string& fingerprint = host["fingerprint"].Text();
  return other["id"] == host["id"] &&
         PlainAddress(other["address"].Text()) == PlainAddress(host["address"].Text()) &&
         (fingerprint.empty() || other["fingerprint"].Text() == fingerprint);
}

// Takes out what an earlier run of the same has added. What is wrong with the list is told when
// they are added.
void SkipEnrolled(Session& session, std::vector<Json>& hosts) {
  const Result<Reply> list = session.TryPages("/v1/hosts", {});
  if (!list || !list->ok()) return;
  std::erase_if(hosts, [&](const Json& host) {
    const bool is_there = std::ranges::any_of(
        list->body["items"].Items(), [&](const Json& other) { return IsEnrolledAs(other, host); });
    if (is_there) session.Note(host["id"].Text() + " is already enrolled");
    return is_there;
  });
}

// Read again for its figures, which are taken once it is there. [any thread]
Result<Reply> Enrol(const Session& session, const Json& host) {
  A4C_TRY(const std::unique_ptr<Client> client, session.Open());
  A4C_TRY(Reply added,
          client->Send(
              {.method = "POST", .path = "/v1/hosts", .body = host.ToString(), .is_slow = true}));
  if (!added.ok()) return added;
  return client->Send({.path = "/v1/hosts/" + PercentEncode(host["id"].Text())});
}

// All of them, each for itself, some at once; questions are asked one after the other before that.
std::vector<Outcome> EnrolAll(Session& session, const Names& names, const std::string& known_hosts,
                              std::vector<Json> hosts) {
  FirstFailure failure(session);
  std::erase_if(hosts, [&](Json& host) {
    return !failure.Do(names, host["id"].Text(), [&] { return Pin(session, known_hosts, host); });
  });
  std::vector<std::optional<Result<Reply>>> answers(hosts.size());
  a4c_at_once::AtOnce(session.runtime, kAtOnce, hosts.size(), [&](size_t i) {
    answers[i] = Enrol(session, hosts[i]);
    return true;
  });
  std::vector<Outcome> added;
  for (size_t i = 0; i < hosts.size(); ++i) {
    const std::string& id = hosts[i]["id"].Text();
    Reply reply;
    const bool is_good =
        failure.Do(names, id, [&] { return session.Take(*std::move(answers[i]), reply); });
    if (is_good) added.push_back({.name = id, .shown = std::move(reply.body)});
  }
  return added;
}

// is_file: one of which some may be there already.
void AddAll(Session& session, const std::string& known_hosts, std::vector<Json> hosts,
            bool is_file) {
  Names names{"host"};
  for (Json& host : hosts) {
    if (!host["id"].IsText()) host.Set("id", HostIdOf(host["address"].Text()));
    names.given.push_back(host["id"].Text());
  }
  if (is_file) SkipEnrolled(session, hosts);
  const size_t wanted = hosts.size();
  const std::vector<Outcome> added = EnrolAll(session, names, known_hosts, std::move(hosts));
  ShowOutcomes(session, names, added, "host", HostColumns());
  for (const Outcome& host : added) NoteHostWarnings(session, host.shown);
  if (!is_file) return;
  session.Note(std::to_string(added.size()) + " added, " +
               std::to_string(names.given.size() - wanted) + " already enrolled, " +
               std::to_string(wanted - added.size()) + " failed");
}

void Add(Session& session, const Options& options) {
  if (options.file.empty() == options.address.empty()) {
    session.exit_code = session.Complain(
        Error(Code::kInvalid, "name one server, or a file of them with -f, and not both",
              "a4c host add ssh://deploy@192.0.2.10, or a4c host add -f hosts.yaml"));
    return;
  }
  if (!options.file.empty()) {
    Result<std::vector<Json>> hosts = ReadHostsFile(options.file);
    if (!hosts) {
      session.exit_code = session.Complain(hosts.error());
      return;
    }
    return AddAll(session, options.known_hosts, *std::move(hosts), true);
  }
  Json host(Json::Object{{"address", options.address}});
  if (!options.id.empty()) host.Set("id", options.id);
  if (!options.fingerprint.empty()) host.Set("fingerprint", options.fingerprint);
  Json settings(Json::Object{});
  Json labels(Json::Object{});
  if (!ParsePairs(session, options.settings, settings, false)) return;
  if (!ParsePairs(session, options.labels, labels, false)) return;
  if (!settings.Members().empty()) host.Set("settings", std::move(settings));
  if (!labels.Members().empty()) host.Set("labels", std::move(labels));
  AddAll(session, options.known_hosts, {std::move(host)}, false);
}

}  // namespace

std::string HostIdOf(const std::string& address) {
  std::string name = address;
  if (const size_t scheme = name.find("://"); scheme != std::string::npos) {
    name = name.substr(scheme + 3);
    name = name.substr(0, name.find('/'));
    if (const size_t at = name.rfind('@'); at != std::string::npos) name = name.substr(at + 1);
    if (!name.starts_with('[')) name = name.substr(0, name.find(':'));
  } else {
    name = name.substr(name.find_last_of("/:") + 1);
  }
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '_'; }, '-');
  while (name.starts_with('-')) name.erase(0, 1);
  while (name.ends_with('-')) name.pop_back();
  return name;
}

void AddHostAdd(CLI::App& host, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* leaf = host.add_subcommand("add", "enrol a server, its fingerprint pinned");
  leaf->add_option("address", options->address,
                   "ssh://user@host[:port], or what the host provider takes");
  leaf->add_option("--id", options->id, "what it is called; none: the name of its machine");
  leaf->add_option("--fingerprint", options->fingerprint,
                   "of its identity (SHA256:...); none: it is shown, and you are asked");
  leaf->add_option("--known-hosts", options->known_hosts,
                   "a file of ssh's, such as ~/.ssh/known_hosts: the server's fingerprint has to\n"
                   "stand there, and nobody is asked");
  leaf->add_option("--set", options->settings, "a setting of the host provider, name=value")
      ->allow_extra_args(false);
  leaf->add_option("--label", options->labels, "name=value")->allow_extra_args(false);
  leaf->add_option("-f,--file", options->file,
                   "YAML: a list of {id, address, fingerprint, settings, labels}");
  leaf->callback([&session, options] { Add(session, *options); });
}

}  // namespace a4c_cli
