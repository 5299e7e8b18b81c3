// Order per key, and nothing lost, with many keys, publishers and readers at once.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "tests/conformance/bus/bus_fixture.h"

namespace a4c::conformance {
namespace {

// What arrived, by key, in order of arrival.
using Arrived = std::map<std::string, std::vector<int>>;

void Note(Arrived& arrived, const std::vector<Delivery>& deliveries) {
  for (const Delivery& delivery : deliveries) {
    arrived[delivery.message.key].push_back(std::stoi(delivery.message.payload));
  }
}

// Each key's numbers, without the repeats that redelivery brings, are 0, 1, 2, ...: a number may
// come again, but never for the first time after a later one.
void ExpectOrder(const Arrived& arrived, size_t keys, int per_key) {
  EXPECT_EQ(arrived.size(), keys);
  for (const auto& [key, numbers] : arrived) {
    int next = 0;
    for (const int number : numbers) {
      ASSERT_LE(number, next) << key;
      if (number == next) ++next;
    }
    EXPECT_EQ(next, per_key) << key;
  }
}

// What one of several readers gets: a key that comes to it, goes and comes again may leave numbers
// out and repeat some, but none comes for the first time after a later one.
void ExpectRising(const Arrived& arrived) {
  for (const auto& [key, numbers] : arrived) {
    std::set<int> seen;
    for (const int number : numbers) {
      if (!seen.contains(number) && !seen.empty()) {
        EXPECT_GT(number, *seen.rbegin()) << key;
      }
      seen.insert(number);
    }
  }
}

size_t Distinct(const Arrived& arrived) {
  size_t count = 0;
  for (const auto& [key, numbers] : arrived)
    count += std::set(numbers.begin(), numbers.end()).size();
  return count;
}

// One publisher's share: each message in a call of its own or in small batches.
void PublishShare(Bus& bus, const std::string& topic, int publisher, int keys, int per_key) {
  for (int n = 0; n < per_key; ++n) {
    std::vector<Message> batch;
    for (int k = 0; k < keys; ++k) {
      const std::string key = "p" + std::to_string(publisher) + "-k" + std::to_string(k);
      batch.push_back({topic, key, std::to_string(n)});
    }
    PublishAll(bus, batch);
  }
}

TEST(BusOrder, OfOneKeyIsTheOrderOfPublishing) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("order");
  const auto reader = Join(*bus, topic, "g");
  PublishAll(*bus, Numbered(topic, "k", 300));
  Arrived arrived;
  Note(arrived, Take(*reader, 300));
  ExpectOrder(arrived, 1, 300);
}

TEST(BusOrder, HoldsForEachOfManyKeysOfManyPublishers) {
  constexpr int kPublishers = 4, kKeys = 50, kPerKey = 20;
  const auto bus = Make<Bus>();
  const std::string topic = Unique("order");
  const auto reader = Join(*bus, topic, "g");
  {
    std::vector<std::unique_ptr<Thread>> publishers;
    for (int p = 0; p < kPublishers; ++p) {
      publishers.push_back(TheRuntime().threads.Start("publisher", [&, p](const std::stop_token&) {
        PublishShare(*bus, topic, p, kKeys, kPerKey);
      }));
    }
  }
  Arrived arrived;
  const auto deliveries = Take(*reader, size_t{kPublishers} * kKeys * kPerKey);
  Note(arrived, deliveries);
  ExpectOrder(arrived, size_t{kPublishers} * kKeys, kPerKey);
}

// Eight publish while four read and acknowledge: all arrives, and in order at each reader. Between
// readers there is no order to see: a partition that moves is begun anew by its next reader.
TEST(BusOrder, NothingIsLostBetweenEightPublishersAndFourReaders) {
  constexpr int kPublishers = 8, kReaders = 4, kKeys = 10, kPerKey = 20;
  constexpr size_t kAll = size_t{kPublishers} * kKeys * kPerKey;
  const auto bus = Make<Bus>();
  const std::string topic = Unique("crowd");
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  for (int r = 0; r < kReaders; ++r) subscriptions.push_back(Join(*bus, topic, "g"));

  std::mutex mutex;
  Arrived together;
  std::vector<Arrived> apart(kReaders);
  std::atomic<bool> done = false;
  {
    std::vector<std::unique_ptr<Thread>> threads;
    for (size_t r = 0; r < kReaders; ++r) {
      threads.push_back(TheRuntime().threads.Start("reader", [&, r](const std::stop_token&) {
        const Call patience = Within(90'000);
        while (!done && !patience.Expired()) {
          const auto got = subscriptions[r]->Poll(Within(500), 100);
          if (!got || got->empty()) continue;
          Ack(*subscriptions[r], *got);
          std::scoped_lock lock(mutex);
          Note(together, *got);
          Note(apart[r], *got);
          done = Distinct(together) == kAll;
        }
      }));
    }
    for (int p = 0; p < kPublishers; ++p) {
      threads.push_back(TheRuntime().threads.Start("publisher", [&, p](const std::stop_token&) {
        PublishShare(*bus, topic, p, kKeys, kPerKey);
      }));
    }
    for (const auto& thread : threads) thread->Join();
  }
  EXPECT_EQ(Distinct(together), kAll);
  for (const Arrived& arrived : apart) ExpectRising(arrived);
}

}  // namespace
}  // namespace a4c::conformance
