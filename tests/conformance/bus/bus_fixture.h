// What the suites of the bus share: publishing until accepted, polling until enough has come.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/conformance/subject.h"

namespace a4c::conformance {

// n messages to one topic, with the payloads "0", "1", ...
std::vector<Message> Numbered(const std::string& topic, const std::string& key, int n,
                              int from = 0);
// n messages to one topic, each with a key of its own and that key as its payload.
std::vector<Message> ManyKeys(const std::string& topic, int n, const std::string& prefix = "key");

std::vector<std::string> Payloads(std::span<const Delivery> deliveries);

// Throws, so that a test need not look at what never fails in a sound bus.
std::unique_ptr<Subscription> Join(Bus& bus, const std::string& topic, const std::string& group,
                                   StartAt start_at = StartAt::kEarliest);
// Publishes all, sending those again that the queue had no room for, and flushes.
void PublishAll(Bus& bus, std::span<const Message> messages);
// Polls until `enough` says so; what has come after a minute is what there is. A poll that answers
// that the bus is unavailable is tried again.
std::vector<Delivery> TakeUntil(Subscription& subscription,
                                const std::function<bool(const std::vector<Delivery>&)>& enough);
// Polls until there are n deliveries.
std::vector<Delivery> Take(Subscription& subscription, size_t n);
// What comes within two seconds, where nothing more should.
std::vector<Delivery> Rest(Subscription& subscription);
void Ack(Subscription& subscription, std::span<const Delivery> deliveries);

}  // namespace a4c::conformance
