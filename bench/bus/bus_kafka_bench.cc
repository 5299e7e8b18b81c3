// What publishing through the plugin costs, against librdkafka producing the same messages with the
// same settings and headers by itself.
//
//   bus_kafka_bench [brokers] [messages per round] [rounds]
//
// Brokers: the argument, or A4C_TEST_KAFKA_BROKERS, or else (and for "mock") librdkafka's mock
// cluster in this process. The two take turns, and begin in turn. `ratio` is of the time from the
// first call until all has been delivered, `calls_ratio` of the time in the publishing calls alone;
// both are medians over the rounds.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "a4c/plugin_host.h"
#include "a4c/sinks.h"
#include "kafka_handles.h"
#include "kafka_settings.h"

namespace a4c::bench {
namespace {

constexpr size_t kPerCall = 100;

Runtime TheRuntime() {
  return SystemRuntime(NullLogSink(), NullMetricSink());
}

double Seconds() {
  return static_cast<double>(TheRuntime().clock.MonotonicNs()) * 1e-9;
}

struct Times {
  double calls = 0;      // until the last message was queued
  double delivered = 0;  // until the last was delivered
};

ConfigValue ConfigFor(const std::string& brokers, size_t messages) {
  return ConfigValue::Map({{"brokers", ConfigValue::Scalar(brokers)},
                           {"queue_messages_max", ConfigValue::Scalar(std::to_string(messages))},
                           {"queue_bytes_max", ConfigValue::Scalar("1GiB")}});
}

// As many hints as a busy instance sends in a few seconds, over 10,000 records.
std::vector<Message> Hints(const std::string& topic, size_t count) {
  std::vector<Message> messages;
  for (size_t i = 0; i < count; ++i) {
    const std::string id =
        "018f6b0e-7c1a-7000-8000-" + std::to_string(100'000'000'000 + i % 10'000);
    messages.push_back({topic, id, R"({"kind":"record","id":")" + id + R"(","rev":7})"});
  }
  return messages;
}

[[noreturn]] void Fail(const std::string& why) {
  std::fprintf(stderr, "bus_kafka_bench: %s\n", why.c_str());
  std::exit(1);
}

Times ThroughPlugin(Bus& bus, const std::vector<Message>& messages) {
  const Call call = Call::Within(TheRuntime().clock, 120'000);
  const double start = Seconds();
  Times times;
  for (size_t from = 0; from < messages.size(); from += kPerCall) {
    const auto batch =
        std::span(messages).subspan(from, std::min(kPerCall, messages.size() - from));
    const auto outcomes = bus.Publish(call, batch);
    if (!outcomes) Fail(outcomes.error().ToString());
    if (std::ranges::count(*outcomes, PublishOutcome::kFull) > 0) Fail("the queue was full");
  }
  times.calls = Seconds() - start;
  const auto left = bus.Flush(call);
  if (!left || *left > 0) Fail("not everything was delivered");
  times.delivered = Seconds() - start;
  return times;
}

// The bare client: what a good program without the plugin would do, delivery reports and all.
class Bare {
 public:
  Bare(const kafka::Settings& settings, const std::string& topic) {
    auto conf = kafka::NewConf(settings.producer);
    rd_kafka_conf_set_opaque(conf->get(), this);
    rd_kafka_conf_set_dr_msg_cb(conf->get(), OnDelivery);
    char reason[512] = "";
    producer_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), reason, sizeof(reason)));
    if (!producer_) Fail(reason);
    static_cast<void>(conf->release());
    topic_.reset(rd_kafka_topic_new(producer_.get(), topic.c_str(), nullptr));
    poller_ = TheRuntime().threads.Start("poller", [this](std::stop_token stop) {
      while (!stop.stop_requested()) rd_kafka_poll(producer_.get(), 100);
    });
  }
  ~Bare() {
    poller_.reset();
    topic_.reset();
  }

  Times Produce(const std::vector<Message>& messages) {
    const int64_t failed_before = failed_;
    const double start = Seconds();
    for (const Message& message : messages) ProduceOne(message);
    Times times{.calls = Seconds() - start};
    rd_kafka_flush(producer_.get(), 120'000);
    times.delivered = Seconds() - start;
    if (failed_ > failed_before || rd_kafka_outq_len(producer_.get()) > 0)
      Fail("bare: not delivered");
    return times;
  }

 private:
  static void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto* self = static_cast<Bare*>(opaque);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) ++self->failed_;
  }

  void ProduceOne(const Message& message) {
    char id[48];
    const int length = std::snprintf(id, sizeof(id), "0123456789abcdef-%lld", next_id_++);
    const auto error = rd_kafka_producev(
        producer_.get(), RD_KAFKA_V_RKT(topic_.get()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(message.key.data(), message.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(message.payload.data()), message.payload.size()),
        RD_KAFKA_V_HEADER("ce_specversion", "1.0", 3), RD_KAFKA_V_HEADER("ce_type", "a4c.hint", 8),
        RD_KAFKA_V_HEADER("ce_source", "/a4c", 4), RD_KAFKA_V_HEADER("ce_id", id, length),
        RD_KAFKA_V_HEADER("content-type", "application/json", 16), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) Fail(rd_kafka_err2str(error));
  }

  kafka::ProducerHandle producer_;
  kafka::TopicHandle topic_;
  std::unique_ptr<Thread> poller_;
  std::atomic<int64_t> failed_ = 0;
  long long next_id_ = 0;
};

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Rounds {
  std::vector<double> plugin, bare, ratio, calls_ratio;
  void Add(const Times& through_plugin, const Times& by_itself) {
    plugin.push_back(through_plugin.delivered);
    bare.push_back(by_itself.delivered);
    ratio.push_back(through_plugin.delivered / by_itself.delivered);
    calls_ratio.push_back(through_plugin.calls / by_itself.calls);
  }
};

int Run(const std::string& brokers, bool mock, size_t count, int rounds) {
  const std::string topic = "a4c-bench-" + std::to_string(TheRuntime().random.Next() % 100'000'000);
  const ConfigValue value = ConfigFor(brokers, count);
  auto config = CheckConfig(value, kafka::kKeys);
  auto settings = kafka::ReadSettings(*config);
  if (!settings) Fail(settings.error().ToString());
  PluginHost host(TheRuntime(), {.directories = {}});
  auto bus = host.MakeBus(A4C_BUS_KAFKA, value);
  if (!bus) Fail(bus.error().ToString());
  Bare bare(*settings, topic);
  const auto messages = Hints(topic, count);
  ThroughPlugin(**bus, messages);  // both have the topic and warm connections before it counts
  bare.Produce(messages);

  Rounds all;
  for (int round = 0; round < rounds; ++round) {
    const bool plugin_first = round % 2 == 0;
    Times by_itself;
    if (!plugin_first) by_itself = bare.Produce(messages);
    const Times through_plugin = ThroughPlugin(**bus, messages);
    if (plugin_first) by_itself = bare.Produce(messages);
    all.Add(through_plugin, by_itself);
  }
  Json line;
  line.Set("question", "plugin tax: Publish through bus-kafka against bare librdkafka");
  line.Set("broker", mock ? "librdkafka's mock cluster" : "real").Set("messages", int64_t(count));
  line.Set("rounds", int64_t{rounds});
  line.Set("plugin_messages_per_second", static_cast<double>(count) / Median(all.plugin));
  line.Set("bare_messages_per_second", static_cast<double>(count) / Median(all.bare));
  line.Set("calls_ratio", Median(all.calls_ratio));
  line.Set("ratio", Median(all.ratio)).Set("reach", 1.15);
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}

int RunOnMock(size_t count, int rounds) {
  const kafka::ProducerHandle host(
      rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0));
  rd_kafka_mock_cluster_t* cluster = rd_kafka_mock_cluster_new(host.get(), 1);
  const int status = Run(rd_kafka_mock_cluster_bootstraps(cluster), true, count, rounds);
  rd_kafka_mock_cluster_destroy(cluster);
  return status;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  const char* variable = std::getenv("A4C_TEST_KAFKA_BROKERS");
  const std::string brokers = argc > 1 ? argv[1] : variable ? variable : "";
  const size_t count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100'000;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 9;
  if (count == 0 || rounds <= 0) {
    std::fprintf(stderr, "usage: bus_kafka_bench [brokers] [messages per round] [rounds]\n");
    return 2;
  }
  if (brokers.empty() || brokers == "mock") return a4c::bench::RunOnMock(count, rounds);
  return a4c::bench::Run(brokers, false, count, rounds);
}
