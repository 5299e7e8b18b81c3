// One does the work that several want at the same time; the others wait for what comes of it.
//
//   return flights.Run(call, "server-1 app:1", [&] { return Pull(call, "app:1"); });
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "a4c/clock.h"
#include "a4c/host_images.h"

namespace a4c::baremetal {

// [any thread]
class SingleFlight {
 public:
  using Work = std::function<Result<ImageInfo>()>;
  explicit SingleFlight(const Runtime& runtime) : waiter_(runtime.threads.NewWaiter()) {}

  // What the work of whoever came first gave. If that one gave up for reasons of its own (its
  // deadline, its caller), the next does the work.
  Result<ImageInfo> Run(const Call& call, const std::string& key, const Work& work);

 private:
  struct Flight {
    bool ended = false;
    std::optional<Result<ImageInfo>> result = {};  // nothing: it was given up
  };

  // Ours, or the one that is under way.
  std::shared_ptr<Flight> Join(const std::string& key, bool& is_ours);
  Result<ImageInfo> Fly(const std::string& key, Flight& flight, const Work& work);
  Result<void> WaitFor(const Call& call, const Flight& flight);

  const std::unique_ptr<Waiter> waiter_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;  // under waiter_, as are its members
};

}  // namespace a4c::baremetal
