// For tests: sees the requests to servers step by step, and cuts the connection before, within or
// after one of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "baremetal_config.h"

namespace a4c::baremetal {

enum class When : uint8_t {
  kBefore,     // no byte of the request arrives
  kSending,    // a part of its stream arrives
  kAnswering,  // all of it arrives, and the answer until a certain text comes back
  kAfter,      // it is done, and nobody learns of it
};

// "POST /v1.41/containers/4711/start?t=1": "POST /containers/*/start".
std::string StepName(const std::string& server, std::string_view request);

// [any thread]; outlives the providers whose channels it wraps.
class StepCutter {
 public:
  using Cut = std::function<void(const std::string& server)>;

  // The next steps are counted from 0; at this one `cut` breaks the connection for real.
  void Arm(size_t step, When when, Cut cut, std::string text = {});
  // Nothing is cut; the next steps are counted from 0.
  void Disarm();
  // The names since then: "server-1 POST /a4c/fence".
  std::vector<std::string> steps() const;
  bool has_cut() const;
  ChannelWrapper Wrapper();

 private:
  friend class StepChannel;
  // The step that begins: its index.
  size_t Began(const std::string& name);
  // Cuts, if this is the place for it.
  bool Reached(size_t step, When when, const std::string& server, std::string_view said = {});
  bool IsArmed(size_t step, When when) const;

  mutable std::mutex mutex_;
  std::vector<std::string> steps_;
  size_t step_ = SIZE_MAX;
  When when_ = When::kBefore;
  Cut cut_;
  std::string text_;
  bool has_cut_ = false;
};

}  // namespace a4c::baremetal
