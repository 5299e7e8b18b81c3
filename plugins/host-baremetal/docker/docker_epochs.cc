#include "docker/docker_epochs.h"

#include <algorithm>
#include <charconv>

#include "docker/docker_body.h"
#include "docker/docker_errors.h"

namespace a4c::baremetal {
namespace {

int64_t EpochOf(const Json& volume) {
  const std::string& text = volume["Labels"][kEpochLabel].Text();
  int64_t epoch = -1;
  std::from_chars(text.data(), text.data() + text.size(), epoch);
  return epoch;
}

Result<Json> Volumes(const Call& call, DockerConnection& docker,
                     const std::vector<std::string>& labels) {
  return docker.ExchangeJson(
      call, {.method = "GET", .target = "/volumes?filters=" + LabelFilter(labels)});
}

}  // namespace

Result<EpochMarkers> DockerEpochs::Read(const Call& call, DockerConnection& docker,
                                        const std::string& unit) const {
  A4C_TRY(const Json reply, Volumes(call, docker,
                                    {std::string(kClusterLabel) + "=" + cluster_,
                                     std::string(kUnitLabel) + "=" + unit, kEpochLabel}));
  EpochMarkers markers;
  for (const Json& volume : reply["Volumes"].Items()) {
    const int64_t epoch = EpochOf(volume);
    markers.names[volume["Name"].Text()] = epoch;
    markers.highest = std::max(markers.highest, epoch);
  }
  return markers;
}

Result<std::map<std::string, int64_t>> DockerEpochs::ReadAll(const Call& call,
                                                             DockerConnection& docker) const {
  A4C_TRY(const Json reply,
          Volumes(call, docker, {std::string(kClusterLabel) + "=" + cluster_, kEpochLabel}));
  std::map<std::string, int64_t> epochs;
  for (const Json& volume : reply["Volumes"].Items()) {
    int64_t& highest = epochs[volume["Labels"][kUnitLabel].Text()];
    highest = std::max(highest, EpochOf(volume));
  }
  return epochs;
}

Result<void> DockerEpochs::Raise(const Call& call, DockerConnection& docker,
                                 const std::string& unit, int64_t epoch) const {
  const std::string text = std::to_string(epoch);
  Json labels;
  labels.Set(kClusterLabel, cluster_);
  labels.Set(kUnitLabel, unit);
  labels.Set(kEpochLabel, text);
  Json body;
  body.Set("Name", "a4c-epoch." + cluster_ + "." + unit + "." + text);
  body.Set("Labels", std::move(labels));
  A4C_TRY(const DockerReply reply, docker.Exchange(call, {.method = "POST",
                                                          .target = "/volumes/create",
                                                          .body = body.ToString(),
                                                          .effect = true}));
  if (!reply.ok()) return DockerError(reply.status, reply.body, true);
  return {};
}

Result<void> DockerEpochs::Drop(const Call& call, DockerConnection& docker,
                                const EpochMarkers& markers, int64_t below) const {
  for (const auto& [name, epoch] : markers.names) {
    if (epoch >= below) continue;
    A4C_TRY(const DockerReply reply,
            docker.Exchange(
                call,
                {.method = "DELETE", .target = "/volumes/" + PercentEncode(name), .effect = true}));
    if (!reply.ok() && reply.status != 404) return DockerError(reply.status, reply.body, true);
  }
  return {};
}

}  // namespace a4c::baremetal
