// A file system of its own size for each unit: an image file whose whole room is taken at once, an
// ext4 in it, and a loop device that it is mounted through.
//
//   <data>/<cluster>/volumes/<unit>         the image
//   <data>/<cluster>/mounts/<unit>/data     what the container sees; missing unless mounted
//
// What is written there can be full, and the server's disk cannot become so by it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "files.h"

namespace a4c::helper {

struct DiskFigures {
  int64_t total_bytes = 0;
  int64_t used_bytes = 0;
  int64_t free_bytes = 0;  // to ordinary users
  int64_t inodes_total = 0;
  int64_t inodes_free = 0;
};
Result<DiskFigures> FiguresOf(const std::string& path);

// [under the unit's lock]
class Volumes {
 public:
  explicit Volumes(const std::string& cluster_directory)
      : images_(cluster_directory + "/volumes"), mounts_(cluster_directory + "/mounts") {}

  // Whether the unit's container runs: asked only where that matters.
  using IsRunning = std::function<Result<bool>()>;

  // Makes it, or grows it to that size, or mounts what is there; never shrinks. The path of what
  // the container sees. kExhausted: the server has no room. kConflict: stop it first, to grow it.
  Result<std::string> Ensure(const std::string& unit, int64_t bytes,
                             const IsRunning& is_running) const;
  // The same of one that has to be there. kUnavailable: it is not, as when its disk is not mounted.
  Result<std::string> Refresh(const std::string& unit, int64_t bytes,
                              const IsRunning& is_running) const;
  // Success also if there is none. kConflict: in use.
  Result<void> Remove(const std::string& unit) const;
  bool Exists(const std::string& unit) const;
  // The units that have one.
  std::vector<std::string> Names() const { return NamesIn(images_); }
  // Bytes of the server's disk; 0 without a volume.
  int64_t BytesOf(const std::string& unit) const;
  std::string MountOf(const std::string& unit) const { return mounts_ + "/" + unit; }
  bool IsMounted(const std::string& unit) const;

 private:
  std::string ImageOf(const std::string& unit) const { return images_ + "/" + unit; }
  // Until it is whole.
  std::string FreshOf(const std::string& unit) const { return images_ + "/.new." + unit; }
  Result<void> Create(const std::string& unit, int64_t bytes) const;
  Result<void> Grow(const std::string& unit, int64_t bytes, const IsRunning& is_running) const;
  Result<void> GrowUnmounted(const std::string& unit) const;
  Result<void> Mount(const std::string& unit) const;
  Result<void> Unmount(const std::string& unit) const;

  const std::string images_;
  const std::string mounts_;
};

}  // namespace a4c::helper
