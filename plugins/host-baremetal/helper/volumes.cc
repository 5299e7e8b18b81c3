#include "volumes.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace a4c::helper {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kBytesMin = 16 * kMiB;
constexpr int kLoopTries = 64;
constexpr int kBusyTries = 100;
constexpr int kPollMs = 50;
constexpr int kCorrected = 1;  // e2fsck found something and put it right
constexpr long kSuperblockAt = 1024;

int64_t Rounded(int64_t bytes) {
  return std::max(kBytesMin, (bytes + kMiB - 1) / kMiB * kMiB);
}

Result<void> TakeRoom(int file, int64_t bytes, const std::string& path) {
  if (fallocate(file, 0, 0, bytes) == 0) return {};
  if (errno == EOPNOTSUPP) {
    return Error(Code::kUnsupported, "the file system of " + path + " cannot reserve room");
  }
  return SystemError(errno, path);
}

std::string LoopPath(unsigned number) {
  return "/dev/loop" + std::to_string(number);
}

// A loop device over the image that frees itself with the last unmount; open until then.
Result<Fd> AttachLoop(int image, std::string& device) {
  const Fd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!control) return SystemError(errno, "/dev/loop-control");
  for (int i = 0; i < kLoopTries; ++i) {
    const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return SystemError(errno, "a free loop device");
    device = LoopPath(static_cast<unsigned>(number));
    Fd loop(open(device.c_str(), O_RDWR | O_CLOEXEC));
    if (!loop) return SystemError(errno, device);
    loop_config config{};
    config.fd = static_cast<uint32_t>(image);
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) return loop;
    if (errno != EBUSY) return SystemError(errno, device);  // somebody else was quicker
  }
  return Error(Code::kUnavailable, "no loop device can be had");
}

// The loop device that is mounted there.
std::string DeviceOf(const std::string& mount) {
  struct stat status {};
  return stat(mount.c_str(), &status) == 0 ? LoopPath(minor(status.st_dev)) : "";
}

bool IsAttached(const std::string& device) {
  const Fd loop(open(device.c_str(), O_RDONLY | O_CLOEXEC));
  loop_info64 info{};
  return loop && ioctl(loop.get(), LOOP_GET_STATUS64, &info) == 0;
}

Result<void> MountDevice(const std::string& device, const std::string& path) {
  // Without the kernel's later touch of unused inode tables, which gives their room back to the
  // server.
  const char* options = "noinit_itable";
  if (mount(device.c_str(), path.c_str(), "ext4", MS_NOSUID | MS_NODEV, options) == 0) return {};
  return SystemError(errno, "mount " + path);
}

// How much of the image its file system takes, from the superblock.
Result<int64_t> FileSystemBytes(const std::string& image) {
  unsigned char superblock[32];
  const Fd file(open(image.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file || pread(file.get(), superblock, sizeof(superblock), kSuperblockAt) !=
                   static_cast<ssize_t>(sizeof(superblock))) {
    return SystemError(errno, image);
  }
  const auto word = [&](int at) {
    return uint32_t{superblock[at]} | uint32_t{superblock[at + 1]} << 8 |
           uint32_t{superblock[at + 2]} << 16 | uint32_t{superblock[at + 3]} << 24;
  };
  return static_cast<int64_t>(word(4)) * (int64_t{1024} << std::min(word(24), 6u));
}

}  // namespace

Result<DiskFigures> FiguresOf(const std::string& path) {
  struct statvfs figures {};
  if (statvfs(path.c_str(), &figures) != 0) return SystemError(errno, path);
  const auto block = static_cast<int64_t>(figures.f_frsize);
  return DiskFigures{.total_bytes = static_cast<int64_t>(figures.f_blocks) * block,
                     .used_bytes = static_cast<int64_t>(figures.f_blocks - figures.f_bfree) * block,
                     .free_bytes = static_cast<int64_t>(figures.f_bavail) * block,
                     .inodes_total = static_cast<int64_t>(figures.f_files),
                     .inodes_free = static_cast<int64_t>(figures.f_favail)};
}

bool Volumes::Exists(const std::string& unit) const {
  return access(ImageOf(unit).c_str(), F_OK) == 0;
}

int64_t Volumes::BytesOf(const std::string& unit) const {
  struct stat status {};
  return lstat(ImageOf(unit).c_str(), &status) == 0 ? int64_t{status.st_blocks} * 512 : 0;
}

bool Volumes::IsMounted(const std::string& unit) const {
  struct stat below {};
  struct stat above {};
  return stat(MountOf(unit).c_str(), &below) == 0 && stat(mounts_.c_str(), &above) == 0 &&
         below.st_dev != above.st_dev;
}

// Under another name until it is whole.
Result<void> Volumes::Create(const std::string& unit, int64_t bytes) const {
  const std::string fresh = FreshOf(unit);
  auto made = [&]() -> Result<void> {
    {
      const Fd file(open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
      if (!file) return SystemError(errno, fresh);
      A4C_CHECK(TakeRoom(file.get(), bytes, images_));
    }
    A4C_CHECK(RunProgram({"/sbin/mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard", fresh}));
    const Fd file(open(fresh.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!file || fsync(file.get()) != 0 || rename(fresh.c_str(), ImageOf(unit).c_str()) != 0) {
      return SystemError(errno, ImageOf(unit));
    }
    return SyncDirectory(images_);
  }();
  if (!made) unlink(fresh.c_str());
  return made;
}

Result<void> Volumes::Mount(const std::string& unit) const {
  const std::string mount_path = MountOf(unit);
  A4C_CHECK(MakeDirectories(mount_path, 0711));
  const Fd image(open(ImageOf(unit).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!image) return SystemError(errno, ImageOf(unit));
  std::string device;
  A4C_TRY(const Fd loop, AttachLoop(image.get(), device));
  A4C_CHECK(MountDevice(device, mount_path));
  // Whoever the container's user is may write; the rest of the file system is not the container's.
  const std::string data = mount_path + "/data";
  if (mkdir(data.c_str(), 01777) != 0 && errno != EEXIST) return SystemError(errno, data);
  if (chmod(data.c_str(), 01777) != 0) return SystemError(errno, data);
  return {};
}

Result<void> Volumes::Unmount(const std::string& unit) const {
  const std::string mount_path = MountOf(unit);
  for (int tries = 0; IsMounted(unit); ++tries) {
    if (umount2(mount_path.c_str(), UMOUNT_NOFOLLOW) == 0) continue;
    if (errno != EBUSY) return SystemError(errno, "umount " + mount_path);
    if (tries >= kBusyTries) return Error(Code::kConflict, "the volume of " + unit + " is in use");
    poll(nullptr, 0, kPollMs);
  }
  return {};
}

// Once nobody has it mounted, in whatever namespace: then its loop device is free.
Result<void> Volumes::GrowUnmounted(const std::string& unit) const {
  const std::string device = DeviceOf(MountOf(unit));
  A4C_CHECK(Unmount(unit));
  for (int tries = 0; IsAttached(device); ++tries) {
    if (tries >= kBusyTries) {
      A4C_CHECK(MountDevice(device, MountOf(unit)));
      return Error(Code::kConflict, "the volume of " + unit + " is in use");
    }
    poll(nullptr, 0, kPollMs);
  }
  const std::string image = ImageOf(unit);
  auto grown = RunProgram({"/sbin/e2fsck", "-f", "-p", image}, kCorrected);
  if (grown) grown = RunProgram({"/sbin/resize2fs", image});
  const auto mounted = Mount(unit);
  return grown ? mounted : grown;
}

// Of a mounted one. A growth that was broken off is taken up again.
Result<void> Volumes::Grow(const std::string& unit, int64_t bytes,
                           const IsRunning& is_running) const {
  struct stat status {};
  const Fd file(open(ImageOf(unit).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file || fstat(file.get(), &status) != 0) return SystemError(errno, ImageOf(unit));
  if (status.st_size < bytes) {
    Result<void> taken = TakeRoom(file.get(), bytes, ImageOf(unit));
    // What it took until the disk was full goes back: the unit's container has to start again.
    if (!taken && ftruncate(file.get(), status.st_size) != 0) {
      return SystemError(errno, ImageOf(unit));
    }
    if (!taken) return taken;
  }
  const int64_t size = std::max<int64_t>(status.st_size, bytes);
  A4C_TRY(const int64_t taken, FileSystemBytes(ImageOf(unit)));
  if (size - taken < kMiB) return {};
  const std::string device = DeviceOf(MountOf(unit));
  {
    const Fd loop(open(device.c_str(), O_RDWR | O_CLOEXEC));
    if (!loop || ioctl(loop.get(), LOOP_SET_CAPACITY) != 0) return SystemError(errno, device);
  }
  // Growing while mounted needs CAP_SYS_RESOURCE, which root of a container host may not have.
  const auto grown = RunProgram({"/sbin/resize2fs", device});
  if (grown) return {};
  A4C_TRY(const bool runs, is_running());
  if (!runs) return GrowUnmounted(unit);
  return Error(Code::kConflict, "the volume of " + unit +
                                    " cannot grow here while the unit runs, stop it first: " +
                                    grown.error().message());
}

Result<std::string> Volumes::Ensure(const std::string& unit, int64_t bytes,
                                    const IsRunning& is_running) const {
  A4C_CHECK(MakeDirectories(images_, 0700));
  if (!Exists(unit)) A4C_CHECK(Create(unit, Rounded(bytes)));
  return Refresh(unit, bytes, is_running);
}

Result<std::string> Volumes::Refresh(const std::string& unit, int64_t bytes,
                                     const IsRunning& is_running) const {
  if (!Exists(unit)) {
    return Error(Code::kUnavailable, "the volume of " + unit + " is not there: no " +
                                         ImageOf(unit) + "; is the disk that it is on mounted?");
  }
  A4C_CHECK(MakeDirectories(mounts_, 0711));
  if (!IsMounted(unit)) A4C_CHECK(Mount(unit));
  A4C_CHECK(Grow(unit, Rounded(bytes), is_running));
  return MountOf(unit) + "/data";
}

Result<void> Volumes::Remove(const std::string& unit) const {
  A4C_CHECK(Unmount(unit));
  const std::string mount_path = MountOf(unit);
  if (rmdir(mount_path.c_str()) != 0 && errno != ENOENT) return SystemError(errno, mount_path);
  // The fresh one is of a creation that was broken off.
  for (const std::string& path : {FreshOf(unit), ImageOf(unit)}) {
    if (unlink(path.c_str()) == 0) {
      A4C_CHECK(SyncDirectory(images_));
    } else if (errno != ENOENT) {
      return SystemError(errno, path);
    }
  }
  return {};
}

}  // namespace a4c::helper
