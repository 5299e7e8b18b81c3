#include "a4c/plugin.h"

#include "a4c/memory.h"

namespace {

constexpr a4c::ConfigKey kKeys[] = {
    {"queue_messages_max", a4c::ConfigType::kLong, "100000",
     "messages kept per topic; past it publishing answers full", false, 1, 10'000'000},
    {"partitions", a4c::ConfigType::kLong, "4",
     "partitions per topic: at most so many members of a group work at once", false, 1, 1024},
};

constexpr a4c::AbsentCapability kAbsent[] = {
    {"shared_instances", "the messages are in this process: another instance has its own"},
};

a4c::Result<std::unique_ptr<a4c::Bus>> Make(const a4c::Config& config,
                                            const a4c::Runtime& runtime) {
  return a4c::NewMemoryBus(runtime, {.queue_messages_max = config.Long("queue_messages_max"),
                                     .partitions = static_cast<int>(config.Long("partitions"))});
}

}  // namespace

A4C_PLUGIN(Bus, "bus-memory", "carries messages between the threads of one process", kKeys, kAbsent,
           Make);
