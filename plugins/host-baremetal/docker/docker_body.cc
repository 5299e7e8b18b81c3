#include "docker/docker_body.h"

#include <charconv>
#include <cstdio>
#include <ctime>

#include "docker/docker_connection.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;  // NanoCpus: 10⁹ is one processor

Json TextArray(const std::vector<std::string>& texts) {
  Json::Array items(texts.begin(), texts.end());
  return Json(std::move(items));
}

Json EnvArray(const std::map<std::string, std::string>& env) {
  Json::Array items;
  for (const auto& [name, value] : env)
    items.emplace_back(std::string(name).append("=").append(value));
  return Json(std::move(items));
}

Json TextMap(const std::map<std::string, std::string>& texts) {
  Json::Object members;
  for (const auto& [name, value] : texts) members.emplace_back(name, value);
  return Json(std::move(members));
}

int64_t OrDefault(int64_t wanted, int64_t fallback) {
  return wanted > 0 ? wanted : fallback;
}

// The root file system cannot be written; what programs expect to be able to write lives in memory.
// So does what the image declares as a volume: dockerd would make one without a bound, on the disk.
Json Tmpfs(const UnitDefaults& defaults, const std::vector<std::string>& image_volumes) {
  const std::string options = "rw,nosuid,nodev,size=" + std::to_string(defaults.tmp_bytes);
  Json tmpfs;
  for (const std::string& path : image_volumes) {
    if (path != kVolumeTarget) tmpfs.Set(path, options + ",mode=1777");
  }
  tmpfs.Set("/tmp", options + ",mode=1777");
  tmpfs.Set("/run", options + ",mode=755");
  return tmpfs;
}

Json Volume(const Unit& unit, const std::string& cluster, const std::string& path) {
  Json mount;
  mount.Set("Target", kVolumeTarget);
  if (!path.empty()) {
    mount.Set("Type", "bind");
    mount.Set("Source", path);
    return mount;
  }
  Json labels;
  labels.Set(kClusterLabel, cluster);
  labels.Set(kUnitLabel, unit.name);
  Json options;
  options.Set("Labels", std::move(labels));
  mount.Set("Type", "volume");
  mount.Set("Source", VolumeName(cluster, unit.name));
  mount.Set("VolumeOptions", std::move(options));
  return mount;
}

Json HostConfig(const UnitSpec& spec, const UnitDefaults& defaults,
                const std::vector<std::string>& image_volumes) {
  const int64_t memory = OrDefault(spec.memory_bytes, defaults.memory_bytes);
  Json log_config;
  log_config.Set("max-size", std::to_string(defaults.log_file_bytes));
  log_config.Set("max-file", std::to_string(defaults.log_files));
  Json log;
  log.Set("Type", "json-file");
  log.Set("Config", std::move(log_config));
  Json restart;
  restart.Set("Name", "no");  // what runs is decided by the store, not by dockerd
  Json config;
  config.Set("NetworkMode", defaults.network);
  config.Set("CapDrop", Json(Json::Array{"ALL"}));
  config.Set("SecurityOpt", Json(Json::Array{"no-new-privileges"}));
  config.Set("Privileged", false);
  config.Set("IpcMode", "private");
  config.Set("ReadonlyRootfs", true);
  config.Set("Tmpfs", Tmpfs(defaults, image_volumes));
  config.Set("Memory", memory);
  config.Set("MemorySwap", memory);
  config.Set("NanoCpus", OrDefault(spec.cpu_millis, defaults.cpu_millis) * kNanosPerMilli);
  config.Set("PidsLimit", OrDefault(spec.pids, defaults.pids));
  config.Set("Init", defaults.init);
  config.Set("RestartPolicy", std::move(restart));
  config.Set("LogConfig", std::move(log));
  return config;
}

Json Labels(const Unit& unit, const std::string& cluster) {
  std::map<std::string, std::string> labels = unit.labels;
  labels[kClusterLabel] = cluster;
  labels[kUnitLabel] = unit.name;
  labels[kEpochLabel] = std::to_string(unit.epoch);
  labels[kLabelsLabel] = TextMap(unit.labels).ToString();
  return TextMap(labels);
}

std::map<std::string, std::string> ReadLabels(const Json& labels) {
  std::map<std::string, std::string> result;
  const auto own = ParseJson(labels[kLabelsLabel].Text());
  if (!own) return result;
  for (const auto& [name, value] : own->Members()) result[name] = value.Text();
  return result;
}

int64_t ReadNumber(const std::string& text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void ReadState(const Json& state, Container& container) {
  UnitStatus& status = container.status;
  const std::string& word = state["Status"].Text();
  status.started_at_ms = MillisecondsOf(state["StartedAt"].Text());
  status.reason = state["Error"].Text();
  container.running = state["Running"].Bool();
  container.removing = word == "removing" || word == "dead";
  if (container.running) {
    status.state = UnitState::kRunning;
  } else if (container.removing) {
    status.state = UnitState::kBroken;
    status.reason = "dockerd calls it " + word;
  } else if (!status.reason.empty()) {
    status.state = UnitState::kBroken;
  } else if (word == "created") {
    status.state = UnitState::kCreated;
  } else {
    status.state = UnitState::kStopped;
    status.exit_code = static_cast<int>(state["ExitCode"].Int());
    if (state["OOMKilled"].Bool()) status.reason = "killed: it used more memory than its limit";
  }
}

}  // namespace

std::string VolumeName(const std::string& cluster, const std::string& unit) {
  return "a4c-data." + cluster + "." + unit;
}

Json CreateBody(const Unit& unit, const std::string& cluster, const UnitDefaults& defaults,
                const std::string& volume_path, const std::vector<std::string>& image_volumes) {
  Json body;
  body.Set("Image", unit.spec.image);
  if (!unit.spec.command.empty()) {
    // Both, so that nothing of the image's own is put before or after it.
    const auto& command = unit.spec.command;
    body.Set("Entrypoint", TextArray({command.front()}));
    body.Set("Cmd", TextArray({command.begin() + 1, command.end()}));
  }
  body.Set("Env", EnvArray(unit.spec.env));
  if (!unit.spec.working_dir.empty()) body.Set("WorkingDir", unit.spec.working_dir);
  body.Set("Tty", false);
  body.Set("OpenStdin", false);
  body.Set("Labels", Labels(unit, cluster));
  Json host_config = HostConfig(unit.spec, defaults, image_volumes);
  host_config.Set("Mounts", Json(Json::Array{Volume(unit, cluster, volume_path)}));
  body.Set("HostConfig", std::move(host_config));
  return body;
}

Json ExecBody(const ExecRequest& request) {
  Json body;
  body.Set("AttachStdout", true);
  body.Set("AttachStderr", true);
  body.Set("Tty", false);
  body.Set("Privileged", false);
  body.Set("Cmd", TextArray(request.command));
  body.Set("Env", EnvArray(request.env));
  if (!request.working_dir.empty()) body.Set("WorkingDir", request.working_dir);
  return body;
}

Json InteractiveExecBody(const ExecRequest& request, bool terminal) {
  Json body = ExecBody(request);
  body.Set("AttachStdin", true);
  body.Set("Tty", terminal);
  return body;
}

std::string LabelFilter(const std::vector<std::string>& labels) {
  Json filter;
  filter.Set("label", TextArray(labels));
  return PercentEncode(filter.ToString());
}

int64_t MillisecondsOf(const std::string& rfc3339) {
  std::tm time{};
  int read = 0;
  if (std::sscanf(rfc3339.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &time.tm_year, &time.tm_mon,
                  &time.tm_mday, &time.tm_hour, &time.tm_min, &time.tm_sec, &read) != 6 ||
      time.tm_year < 1970) {
    return 0;
  }
  time.tm_year -= 1900;
  time.tm_mon -= 1;
  int64_t millis = int64_t{timegm(&time)} * 1000;
  const char* rest = rfc3339.c_str() + read;
  int64_t unit = 100;
  if (*rest == '.') {
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest, unit /= 10) millis += (*rest - '0') * unit;
  }
  int hours = 0;
  int minutes = 0;
  const bool is_west = *rest == '-';
  if ((is_west || *rest == '+') && std::sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2) {
    millis -= (is_west ? -1 : 1) * (int64_t{hours} * 60 + minutes) * 60'000;
  }
  return millis;
}

Container ReadContainer(const Json& inspected) {
  Container container;
  container.id = inspected["Id"].Text();
  const std::string& name = inspected["Name"].Text();
  container.name = name.starts_with("/") ? name.substr(1) : name;
  const Json& labels = inspected["Config"]["Labels"];
  // An image can carry labels of ours; that name and label agree it cannot arrange.
  if (labels[kUnitLabel].Text() == container.name) {
    container.cluster = labels[kClusterLabel].Text();
  }
  container.status.name = container.name;
  container.status.epoch = ReadNumber(labels[kEpochLabel].Text());
  container.status.labels = ReadLabels(labels);
  for (const Json& mount : inspected["Mounts"].Items()) {
    if (mount["Destination"].Text() != kVolumeTarget || mount["Type"].Text() != "bind") continue;
    container.own_volume = true;
    container.volume_path = mount["Source"].Text();
  }
  for (const auto& [label, network] : inspected["NetworkSettings"]["Networks"].Members()) {
    if (container.address.empty()) container.address = network["IPAddress"].Text();
  }
  ReadState(inspected["State"], container);
  container.has_commands = !inspected["ExecIDs"].Items().empty();
  return container;
}

UnitSpec SpecOf(const Json& inspected) {
  const Json& config = inspected["Config"];
  const Json& limits = inspected["HostConfig"];
  UnitSpec spec{.image = config["Image"].Text(),
                .working_dir = config["WorkingDir"].Text(),
                .memory_bytes = limits["Memory"].Int(),
                .cpu_millis = limits["NanoCpus"].Int() / kNanosPerMilli,
                .pids = limits["PidsLimit"].Int()};
  for (const char* part : {"Entrypoint", "Cmd"}) {
    for (const Json& word : config[part].Items()) spec.command.push_back(word.Text());
  }
  for (const Json& entry : config["Env"].Items()) {
    const std::string& text = entry.Text();
    const size_t equals = text.find('=');
    if (equals != std::string::npos) spec.env[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return spec;
}

}  // namespace a4c::baremetal
