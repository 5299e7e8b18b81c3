#include "images/image_layers.h"

#include <Poco/SHA2Engine.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <unordered_set>

#include "images/image_names.h"
#include "images/image_transfer.h"

namespace a4c::baremetal {
namespace {

// dockerd's own bound is 125.
constexpr size_t kLayersMax = 200;
// Each is a round trip, and what is not found costs no more than its bytes.
constexpr size_t kLooksMax = 32;
constexpr std::string_view kAlgorithm = "sha256:";
constexpr size_t kHexDigits = 64;
constexpr std::string_view kBlobs = "blobs/sha256/";   // Docker 25 and later: by diff id
constexpr std::string_view kLayerFile = "/layer.tar";  // before: in a directory of the layer's id
// What the id of a layer that is not the top one is a hash of, besides time, layer and parent: an
// image without any settings, as Docker 1.9 had one for each layer.
constexpr std::string_view kNoSettings =
    R"({"container_config":{"Hostname":"","Domainname":"","User":"","AttachStdin":false,)"
    R"("AttachStdout":false,"AttachStderr":false,"Tty":false,"OpenStdin":false,)"
    R"("StdinOnce":false,"Env":null,"Cmd":null,"Image":"","Volumes":null,"WorkingDir":"",)"
    R"("Entrypoint":null,"OnBuild":null,"Labels":null},"created":")";

std::string HexOf(const std::string& digest) {
  return digest.substr(kAlgorithm.size());
}

std::string DigestOf(const std::string& text) {
  Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
  engine.update(text.data(), text.size());
  return std::string(kAlgorithm) + Poco::DigestEngine::digestToHex(engine.digest());
}

// Of each layer, what names it together with all those below it.
std::vector<std::string> ChainIds(const std::vector<std::string>& layers) {
  std::vector<std::string> chain;
  for (const std::string& layer : layers) {
    chain.push_back(chain.empty() ? layer : DigestOf(chain.back() + " " + layer));
  }
  return chain;
}

// 1970 as dockerd writes it: in the time zone that its server had then.
std::string EpochIn(int zone_minutes) {
  const int minutes = (zone_minutes + 24 * 60) % (24 * 60);
  const int away = std::abs(zone_minutes);
  char text[64];
  std::snprintf(text, sizeof(text), "%sT%02d:%02d:00%c%02d:%02d",
                zone_minutes < 0 ? "1969-12-31" : "1970-01-01", minutes / 60, minutes % 60,
                zone_minutes < 0 ? '-' : '+', away / 60, away % 60);
  return zone_minutes == 0 ? "1970-01-01T00:00:00Z" : text;
}

// Of each layer, the name of its directory before Docker 25.
std::vector<std::string> DirectoriesOf(const std::vector<std::string>& chain, int zone_minutes) {
  const std::string head = std::string(kNoSettings) + EpochIn(zone_minutes) + R"(","layer_id":")";
  std::vector<std::string> directories;
  std::string parent;
  for (const std::string& id : chain) {
    const std::string below = parent.empty() ? "" : R"(,"parent":")" + parent + "\"";
    parent = DigestOf(head + id + "\"" + below + "}");
    directories.push_back(HexOf(parent));
  }
  return directories;
}

bool IsNeededAgain(const std::vector<std::string>& layers, size_t count, size_t layer) {
  return std::find(layers.begin() + static_cast<ptrdiff_t>(count), layers.end(), layers[layer]) !=
         layers.end();
}

using Paths = std::unordered_set<std::string>;

// Which zone the server is in nobody says: all there are, in quarters of an hour.
void AddDirectories(const std::vector<std::string>& layers, size_t count, Paths& paths) {
  constexpr int kQuarter = 15;
  const std::vector<std::string> chain =
      ChainIds({layers.begin(), layers.begin() + static_cast<ptrdiff_t>(count)});
  for (int minutes = -12 * 60; minutes <= 14 * 60; minutes += kQuarter) {
    const std::vector<std::string> directories = DirectoriesOf(chain, minutes);
    for (size_t i = 0; i < count; ++i) {
      if (!IsNeededAgain(layers, count, i)) paths.insert(directories[i] + std::string(kLayerFile));
    }
  }
}

bool IsAnyLayerFile(std::string_view path) {
  return path.size() == kHexDigits + kLayerFile.size() && path.ends_with(kLayerFile) &&
         path.find('/') == kHexDigits;
}

bool HasNameLike(const Json& image, const std::string& name) {
  return std::ranges::any_of(image["RepoTags"].Items(), [&](const Json& tag) {
    return ParseImageName(tag.Text()).name == name;
  });
}

// Earlier builds of the same, then what is new.
std::vector<std::string> LikeliestFirst(const Json& list, const std::string& name) {
  using Rank = std::pair<bool, int64_t>;
  std::vector<std::pair<Rank, std::string>> ranked;
  for (const Json& image : list.Items()) {
    const Rank rank = {HasNameLike(image, name), image["Created"].Int()};
    ranked.emplace_back(rank, image["Id"].Text());
  }
  std::ranges::sort(ranked, std::greater());
  if (ranked.size() > kLooksMax) ranked.resize(kLooksMax);
  std::vector<std::string> ids;
  for (auto& [rank, id] : ranked) ids.push_back(std::move(id));
  return ids;
}

// Its load takes an archive with holes without a word, and makes an image with holes of it.
Result<bool> KeepsImagesInContainerd(const Call& call, DockerConnection& docker) {
  A4C_TRY(const Json info, docker.ExchangeJson(call, {.method = "GET", .target = "/info"}));
  return std::ranges::any_of(info["DriverStatus"].Items(), [](const Json& pair) {
    const Json::Array& items = pair.Items();
    return items.size() == 2 && items[0].Text() == "driver-type" &&
           items[1].Text().starts_with("io.containerd.");
  });
}

}  // namespace

std::vector<std::string> LayersOf(const Json& image) {
  const Json::Array& items = image["RootFS"]["Layers"].Items();
  const auto is_whole = [](const Json& layer) { return IsImageId(layer.Text()); };
  if (items.size() > kLayersMax || !std::ranges::all_of(items, is_whole)) return {};
  std::vector<std::string> layers;
  for (const Json& layer : items) layers.push_back(layer.Text());
  return layers;
}

Result<size_t> CountLayersThere(const Call& call, DockerConnection& docker,
                                const std::vector<std::string>& layers,
                                const std::string& reference) {
  size_t count = 0;
  if (layers.empty()) return count;
  A4C_TRY(const Json list, docker.ExchangeJson(call, {.method = "GET", .target = "/images/json"}));
  for (const std::string& id : LikeliestFirst(list, ParseImageName(reference).name)) {
    if (count == layers.size()) break;
    A4C_TRY(const auto image, InspectImage(call, docker, id));
    if (!image) continue;
    const std::vector<std::string> others = LayersOf(*image);
    const auto differs = std::ranges::mismatch(layers, others).in1;
    count = std::max(count, static_cast<size_t>(differs - layers.begin()));
  }
  if (count == 0) return count;
  A4C_TRY(const bool wants_all, KeepsImagesInContainerd(call, docker));
  return wants_all ? 0 : count;
}

TarFilter::LeaveOut FilesOfLayers(const std::vector<std::string>& layers, size_t count) {
  if (count == 0) return nullptr;
  Paths paths;
  for (size_t i = 0; i < count; ++i) {
    if (!IsNeededAgain(layers, count, i)) {
      paths.insert(std::string(kBlobs) + HexOf(layers[i]));
    }
  }
  // The directory of the top layer is a hash of all settings too; but with it every layer is there.
  const bool is_all = count == layers.size();
  if (!is_all) AddDirectories(layers, count, paths);
  return [paths = std::move(paths), is_all](std::string_view path) {
    return paths.contains(std::string(path)) || (is_all && IsAnyLayerFile(path));
  };
}

}  // namespace a4c::baremetal
