// Images on hosts: built there, pulled from a registry, sent from one host to another. Asked for by
// host.As<HostImages>() and host.As<HostImageSupply>(); null where the provider cannot.
//
// A reference is what units name in their spec: "app:1", "registry.example/app@sha256:...", or the
// id "sha256:...". A name shows up on a host only once the whole image is there. Images that were
// built, pulled or sent through here are ours; whatever else is on the host is left alone. All
// methods [any thread].
//
// Names are the host's: a unit and a FROM get whatever was built, pulled or sent under theirs last,
// by whomever. Who builds for several users gives each of them names of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/call.h"
#include "a4c/export.h"
#include "a4c/result.h"

namespace a4c {

// Gives the next piece of a byte stream, empty at its end.
using ByteSource = std::function<Result<std::string>()>;
// Takes what is said while something is going on [calling thread].
using Progress = std::function<void(std::string_view)>;

struct ImageInfo {
  std::string tag;     // the reference it was asked for by
  std::string digest;  // its id on the host: sha256:...
  int64_t size_bytes = 0;
};

struct ImageBuild {
  std::string host;
  std::string tag;
  int64_t memory_bytes = 0;  // of each step; 0: the provider's bound, which is never exceeded
  int64_t cpu_millis = 0;    // the same
  bool network = false;      // steps may reach the network, if the provider lets them
  // Values of the Dockerfile's ARGs. No place for secrets: they stay in the image's history.
  std::map<std::string, std::string> build_args = {};
  std::string target = {};      // the stage that becomes the image; empty: the last
  std::string dockerfile = {};  // its path within the context; empty: Dockerfile at the root
  bool no_cache = false;        // every step is done, also those that an earlier build has done
};

class HostImages {
 public:
  static constexpr std::string_view kExtension = "a4c.host_images";
  virtual ~HostImages() = default;
  // Builds a tar context; the builder's messages go to `progress`, and the call's deadline ends the
  // build. kInvalid: the build itself failed, the message is the builder's last line; such as that
  // there is no such Dockerfile or stage. kDenied: a network was asked for, and builds get none; or
  // the host has an image of that name which is not ours.
  // kUnsupported: the provider cannot do something that is asked for; it never leaves it out.
  virtual Result<ImageInfo> Build(const Call& call, const ImageBuild& build, const ByteSource& tar,
                                  const Progress& progress) = 0;
  // Those of ours, a line for each name.
  virtual Result<std::vector<ImageInfo>> List(const Call& call, const std::string& host) = 0;
};

// How an image comes to a host that lacks it. Several who want the same image on the same host at
// once wait for one of them. Ensure of a unit pulls by itself what its registry can give.
class HostImageSupply {
 public:
  static constexpr std::string_view kExtension = "a4c.host_image_supply";
  virtual ~HostImageSupply() = default;
  // The image of that reference, ours or not; nothing if the host lacks it.
  virtual Result<std::optional<ImageInfo>> Find(const Call& call, const std::string& host,
                                                const std::string& reference) = 0;
  // From the registry that the reference names; success at once if it is there. kUnsupported: no
  // such registry is configured. kNotFound: it has no such image. kDenied: it does not let us in.
  // kUnavailable: it cannot be reached now.
  virtual Result<ImageInfo> Pull(const Call& call, const std::string& host,
                                 const std::string& reference, const Progress& progress) = 0;
  // From a host that has it to one that lacks it, streamed, never whole in memory; success at once
  // if it is there. `progress` is told how many bytes were sent, and how many were not, because
  // their layers are there already. kNotFound: `from` lacks it. kUnsupported: a reference by
  // digest, which only a registry can give. kExhausted: no room, or longer than the provider's
  // bound.
  virtual Result<ImageInfo> Send(const Call& call, const std::string& from, const std::string& to,
                                 const std::string& reference, const Progress& progress) = 0;
};

// What every provider refuses alike (kInvalid): a tag that is empty, longer than 384 bytes, or of
// other characters than letters, digits and "._-/:"; a reference may also hold "@".
A4C_API Result<void> CheckImageTag(std::string_view tag);
A4C_API Result<void> CheckImageReference(std::string_view reference);
// Of a build: at most kBuildArgsMax args, kBuildArgsBytesMax with their names; these are
// [A-Za-z_][A-Za-z0-9_]* of at most 128 bytes, a value has at most 4096 and no NUL. A stage: a
// letter or digit, then also "._-", at most 128. A path: relative, at most 1024 bytes, without
// control characters and without empty, "." and ".." between its slashes. An empty stage or path is
// none.
inline constexpr size_t kBuildArgsMax = 64;
inline constexpr size_t kBuildArgsBytesMax = 64 << 10;
A4C_API Result<void> CheckBuildArgs(const std::map<std::string, std::string>& args);
A4C_API Result<void> CheckBuildArg(std::string_view name, std::string_view value);
A4C_API Result<void> CheckBuildTarget(std::string_view target);
A4C_API Result<void> CheckDockerfilePath(std::string_view path);
// All of them, and the tag.
A4C_API Result<void> CheckImageBuild(const ImageBuild& build);

}  // namespace a4c
