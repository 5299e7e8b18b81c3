// What dockerd says while it builds, pulls or loads an image: one JSON object a line. An engine
// answers 200 also when it fails then, and names the error in the stream.
#pragma once

#include <string>
#include <string_view>

#include "a4c/host_images.h"
#include "docker/docker_connection.h"

namespace a4c::baremetal {

// [one thread]
class EngineMessages {
 public:
  explicit EngineMessages(const Progress& progress) : progress_(progress) {}

  // Reads the whole stream of the request that docker was sent.
  Result<void> ReadAll(const Call& call, DockerConnection& docker);

  // What failed, in the engine's words; empty: nothing did.
  const std::string& failure() const { return failure_; }
  // The image that was built; empty: the stream ended before it was.
  const std::string& image_id() const { return image_id_; }
  // The last layer that this build made and took from no cache; empty: none.
  const std::string& layer_id() const { return layer_id_; }

 private:
  void Line(const std::string& text);
  void Said(const std::string& text);

  const Progress& progress_;
  std::string buffer_;
  std::string failure_;
  std::string image_id_;
  std::string layer_id_;
  bool is_base_ = false;    // the step is a FROM
  bool is_cached_ = false;  // the step's layer was there
};

// What became of a pull that failed, by the words of engine and registry.
Error PullError(const std::string& reference, std::string_view text);

}  // namespace a4c::baremetal
