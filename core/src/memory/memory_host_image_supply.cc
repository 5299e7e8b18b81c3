// HostImageSupply of servers that are only pretended.
#include "memory/memory_host_images.h"
#include "memory/memory_host_state.h"

namespace a4c::memory {
namespace {

class MemoryImageSupply final : public HostImageSupply {
 public:
  explicit MemoryImageSupply(MemoryHosts& hosts) : hosts_(hosts) {}

  Result<std::optional<ImageInfo>> Find(const Call& call, const std::string& host,
                                        const std::string& reference) override {
    A4C_CHECK(CheckImageReference(reference));
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
    return FindImage(*server, reference);
  }

  Result<ImageInfo> Pull(const Call& call, const std::string& host, const std::string& reference,
                         const Progress& progress) override {
    A4C_CHECK(CheckImageReference(reference));
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
    if (auto there = FindImage(*server, reference)) return *std::move(there);
    A4C_TRY(ImageInfo pulled, FakePull(reference));
    Keep(*server, reference, pulled, hosts_.runtime.clock.MonotonicMs());
    progress("Pulled " + reference + "\n");
    return pulled;
  }

  Result<ImageInfo> Send(const Call& call, const std::string& from, const std::string& to,
                         const std::string& reference, const Progress& progress) override {
    A4C_CHECK(CheckImageReference(reference));
    if (from == to) return Error(Code::kInvalid, "an image is sent from one host to another");
    if (reference.find('@') != std::string::npos) {
      return Error(Code::kUnsupported, reference + ": an image named by digest is pulled");
    }
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * source, hosts_.Find(call, from));
    A4C_TRY(MemoryServer * target, hosts_.Find(call, to));
    auto there = FindImage(*source, reference);
    if (!there) return Error(Code::kNotFound, "host " + from + " has no image " + reference);
    Keep(*target, there->tag, *there, hosts_.runtime.clock.MonotonicMs());
    progress("sent " + std::to_string(there->size_bytes) + " bytes\n");
    return *std::move(there);
  }

 private:
  MemoryHosts& hosts_;
};

}  // namespace

std::unique_ptr<HostImageSupply> NewMemoryImageSupply(MemoryHosts& hosts) {
  return std::make_unique<MemoryImageSupply>(hosts);
}

}  // namespace a4c::memory
