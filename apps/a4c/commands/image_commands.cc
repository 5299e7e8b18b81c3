#include <cstdlib>
#include <memory>
#include <stop_token>
#include <thread>

#include "a4c/host_images.h"
#include "apps/a4c/build_context.h"
#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/job_log.h"

namespace a4c_cli {
namespace {

using a4c::Json;
using a4c::Result;

constexpr int kSendsMax = 3;
constexpr int64_t kAskAgainMs = 1'000;  // for a log that broke off

struct BuildOptions {
  std::string directory;
  std::string tag;
  std::string host;
  std::string memory;
  std::string deadline;
  int64_t cpu_millis = 0;
  bool network = false;
  std::vector<std::string> build_args;
  std::string target;
  std::string file;
  bool no_cache = false;
};

// What is sent, with what beside the options.
struct Prepared {
  std::string dockerfile;
  Json build_args = Json::Object{};
  BuildContext context;
};

std::string JobBodyOf(const BuildOptions& options, const Prepared& prepared) {
  Json payload(Json::Object{{"tag", options.tag}, {"context_bytes", prepared.context.TarBytes()}});
  if (!options.host.empty()) payload.AppendMember("host", options.host);
  if (!options.memory.empty()) payload.AppendMember("memory", options.memory);
  if (options.cpu_millis > 0) payload.AppendMember("cpu_millis", options.cpu_millis);
  if (options.network) payload.AppendMember("network", true);
  if (!prepared.build_args.Members().empty()) {
    payload.AppendMember("build_args", prepared.build_args);
  }
  if (!options.target.empty()) payload.AppendMember("target", options.target);
  if (prepared.dockerfile != kDockerfile) payload.AppendMember("dockerfile", prepared.dockerfile);
  if (options.no_cache) payload.AppendMember("no_cache", true);
  Json body(Json::Object{{"type", "image.build"}, {"title", "build " + options.tag}});
  body.AppendMember("payload", std::move(payload));
  if (!options.deadline.empty()) body.AppendMember("deadline", options.deadline);
  return body.ToString();
}

// The log of the job as it grows, on a connection and a thread of its own.
class LogFollower {
 public:
  LogFollower(Session& session, const std::string& job) {
    const bool for_people = session.format() == Format::kTable || session.format() == Format::kWide;
    if (session.quiet || !for_people) return;
    thread_ =
        std::jthread([&session, job](const std::stop_token& stop) { Run(session, job, stop); });
  }

 private:
  // The job tells how it ended, with its log or without.
  static void Run(Session& session, const std::string& job, const std::stop_token& stop) {
    const JobLogFollower follower{.session = session,
                                  .job = job,
                                  .begin = {},
                                  .show = [&](const std::string& text) { session.Note(text, ""); },
                                  .answered = [] {},
                                  .go_on =
                                      [&](const Result<Reply>& ended) {
                                        const bool may_help =
                                            (ended && ended->ok()) || IsRepeatable(ended);
                                        if (may_help && !stop.stop_requested())
                                          session.Pause(kAskAgainMs);
                                        return may_help && !stop.stop_requested();
                                      }};
    follower.Run();
  }

  std::jthread thread_;  // ends with the job
};

// One job, one try. False: the same again may help.
bool SendOnce(Session& session, const BuildOptions& options, const Prepared& prepared) {
  Reply created;
  const BuildContext& context = prepared.context;
  const std::string body = JobBodyOf(options, prepared);
  if (!session.Send({"POST", "/v1/jobs", body}, created)) return true;
  const std::string id = created.body["id"].Text();
  const std::string path = "/v1/jobs/" + PercentEncode(id);
  Client* client = session.Connect();
  Result<Reply> sent = a4c::Error(a4c::Code::kInternal, "");
  {
    const LogFollower follower(session, id);
    sent = client->Upload(
        {.method = "PUT", .path = path + "/context", .content_type = "application/x-tar"},
        context.TarBytes(), TarOf(context));
    // A job whose context did not come has nothing to wait for, and its log no end.
    if (!sent || !sent->ok())
      session.Forget({.method = "POST",
                      .path = path + ":cancel",
                      .headers = {{"If-Match", created.Header("ETag")}}});
  }
  const bool is_lost = (!sent && sent.error().retryable()) ||
                       (sent && (sent->status == 502 || sent->status == 503 ||
                                 sent->body["reason"].Text() == "context_lost"));
  if (is_lost) {
    session.Note("the context was lost on its way");
    session.exit_code = sent ? session.Complain(*sent) : session.Complain(sent.error());
    return false;
  }
  if (!sent) {
    session.exit_code = session.Complain(sent.error());
  } else if (!sent->ok()) {
    session.exit_code = session.Complain(*sent);
  } else {
    session.exit_code = WaitForJob(session, sent->body, 1'000);
  }
  return true;
}

// NAME=value, or NAME alone: as in the environment, as docker build has it.
Result<Json> ReadBuildArgs(Session& session, const std::vector<std::string>& given) {
  Json args(Json::Object{});
  for (const std::string& one : given) {
    const size_t equals = one.find('=');
    const std::string name = one.substr(0, equals);
    const char* value = equals == std::string::npos ? std::getenv(name.c_str()) : &one[equals + 1];
    const Result<void> checked = a4c::CheckBuildArg(name, value == nullptr ? "" : value);
    if (!checked) return checked.error().Within("--build-arg " + name);
    if (value == nullptr) {
      session.Note("note: " + name + " is not in the environment: the Dockerfile's default holds");
      continue;
    }
    args.Set(name, std::string(value));
  }
  return args;
}

// Nothing is sent before it is clear that all of it is there.
Result<Prepared> Prepare(Session& session, const BuildOptions& options) {
  Prepared prepared;
  A4C_TRY(prepared.build_args, ReadBuildArgs(session, options.build_args));
  A4C_TRY(prepared.dockerfile, FindDockerfile(options.directory, options.file));
  A4C_TRY(prepared.context, ScanContext(options.directory, prepared.dockerfile));
  return prepared;
}

void Build(Session& session, const BuildOptions& options) {
  const Result<Prepared> prepared = Prepare(session, options);
  if (!prepared) {
    session.exit_code = session.Complain(prepared.error());
    return;
  }
  for (int i = 1; !SendOnce(session, options, *prepared) && i < kSendsMax; ++i) {
    session.Note("sending it again");
  }
}

void AddBuild(CLI::App& image, Session& session) {
  const auto options = std::make_shared<BuildOptions>();
  CLI::App* leaf = image.add_subcommand("build", "build an image from a directory on a server");
  leaf->add_option("directory", options->directory, "with the Dockerfile and .dockerignore")
      ->required();
  leaf->add_option("--tag,-t", options->tag, "name of the image, app:1")->required();
  leaf->add_option("--host", options->host, "the server that builds; none: the emptiest disk");
  leaf->add_option("--memory", options->memory, "of each step, 512MiB");
  leaf->add_option("--cpu-millis", options->cpu_millis, "of each step, 1000 is a core")
      ->check(CLI::PositiveNumber);
  leaf->add_flag("--network", options->network, "steps may reach the network");
  leaf->add_option("--build-arg", options->build_args,
                   "NAME=value of an ARG, or NAME: as in the environment; no secrets: it is kept")
      ->allow_extra_args(false);
  leaf->add_option("--target", options->target, "the stage that becomes the image; none: the last");
  leaf->add_option("--file,-f", options->file, "in the directory; none: its Dockerfile");
  leaf->add_flag("--no-cache", options->no_cache, "do every step again");
  leaf->add_option("--deadline", options->deadline, "given up so long from now: 10m");
  leaf->callback([&session, options] { Build(session, *options); });
}

const std::vector<Column>& ImageColumns() {
  static const std::vector<Column> columns = {{"TAG", "tag"},
                                              {"SIZE", "size_bytes", false, Column::As::kBytes},
                                              {"HOSTS", "hosts"},
                                              {"DIGEST", "digest", true}};
  return columns;
}

void AddList(CLI::App& image, Session& session) {
  const auto host = std::make_shared<std::string>();
  CLI::App* leaf = image.add_subcommand("list", "list images that were built, pulled or sent");
  leaf->add_option("--host", *host, "of this server alone");
  leaf->callback([&session, host] {
    Reply reply;
    if (!session.Send({.path = WithQuery("/v1/images", {{"host", *host}})}, reply)) return;
    for (const Json& one : reply.body["unreachable"].Items()) {
      session.Note("note: server " + one["host"].Text() +
                   " does not tell: " + one["reason"].Text());
    }
    session.Show(reply.body, "image", ImageColumns());
  });
}

}  // namespace

void AddImageCommands(CLI::App& root, Session& session) {
  CLI::App* image = root.add_subcommand("image", "build and list images");
  image->require_subcommand(1);
  AddBuild(*image, session);
  AddList(*image, session);
}

}  // namespace a4c_cli
