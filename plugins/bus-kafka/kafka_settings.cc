#include "kafka_settings.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace a4c::kafka {
namespace {

enum class Side : uint8_t { kBoth, kProducer, kConsumer };

struct Passed {
  std::string_view name;
  Side side;
};

// What may be tuned without touching a promise.
constexpr Passed kPassed[] = {
    {"batch.num.messages", Side::kProducer},
    {"batch.size", Side::kProducer},
    {"broker.address.family", Side::kBoth},
    {"broker.address.ttl", Side::kBoth},
    {"broker.version.fallback", Side::kBoth},
    {"compression.codec", Side::kProducer},
    {"compression.level", Side::kProducer},
    {"compression.type", Side::kProducer},
    {"connections.max.idle.ms", Side::kBoth},
    {"debug", Side::kBoth},
    {"fetch.error.backoff.ms", Side::kConsumer},
    {"fetch.max.bytes", Side::kConsumer},
    {"fetch.message.max.bytes", Side::kConsumer},
    {"fetch.min.bytes", Side::kConsumer},
    {"fetch.wait.max.ms", Side::kConsumer},
    {"heartbeat.interval.ms", Side::kConsumer},
    {"log.connection.close", Side::kBoth},
    {"metadata.max.age.ms", Side::kBoth},
    {"queued.max.messages.kbytes", Side::kConsumer},
    {"queued.min.messages", Side::kConsumer},
    {"reconnect.backoff.max.ms", Side::kBoth},
    {"reconnect.backoff.ms", Side::kBoth},
    {"request.timeout.ms", Side::kProducer},
    {"retry.backoff.ms", Side::kProducer},
    {"sasl.kerberos.keytab", Side::kBoth},
    {"sasl.kerberos.principal", Side::kBoth},
    {"sasl.kerberos.service.name", Side::kBoth},
    {"socket.connection.setup.timeout.ms", Side::kBoth},
    {"socket.keepalive.enable", Side::kBoth},
    {"socket.nagle.disable", Side::kBoth},
    {"socket.receive.buffer.bytes", Side::kBoth},
    {"socket.send.buffer.bytes", Side::kBoth},
    {"socket.timeout.ms", Side::kBoth},
    {"ssl.cipher.suites", Side::kBoth},
    {"ssl.crl.location", Side::kBoth},
    {"ssl.curves.list", Side::kBoth},
    {"ssl.sigalgs.list", Side::kBoth},
    {"topic.metadata.refresh.interval.ms", Side::kBoth},
};

struct Refused {
  std::string_view name;
  std::string_view reason;
};

constexpr std::string_view kManualAck = "only what was acknowledged is committed";
constexpr std::string_view kDurable =
    "a message counts as delivered once all in-sync replicas have it";
constexpr std::string_view kOrdered = "messages of one key keep their order";
constexpr std::string_view kVerified = "the broker's certificate is always checked";

// What would break a promise of the contract, or has a setting of its own.
constexpr Refused kRefused[] = {
    {"acks", kDurable},
    {"auto.commit.interval.ms", kManualAck},
    {"auto.offset.reset", "a group's start is Subscribe's to say"},
    {"bootstrap.servers", "set brokers"},
    {"client.id", "set client_id"},
    {"enable.auto.commit", kManualAck},
    {"enable.auto.offset.store", kManualAck},
    {"enable.gapless.guarantee", "a hint that is lost must not stop the others"},
    {"enable.idempotence", kOrdered},
    {"enable.ssl.certificate.verification", kVerified},
    {"group.id", "a group is Subscribe's to name"},
    {"linger.ms", "set linger"},
    {"max.in.flight", kOrdered},
    {"max.in.flight.requests.per.connection", kOrdered},
    {"max.poll.interval.ms", "set poll_interval_max"},
    {"message.max.bytes", "set message_bytes_max"},
    {"message.timeout.ms", "set message_timeout"},
    {"metadata.broker.list", "set brokers"},
    {"partition.assignment.strategy", "range: cooperative-sticky loses members in librdkafka 2.0"},
    {"partitioner", kOrdered},
    {"plugin.library.paths", "no code is loaded into the process but a4c's plugins"},
    {"queue.buffering.max.kbytes", "set queue_bytes_max"},
    {"queue.buffering.max.messages", "set queue_messages_max"},
    {"queue.buffering.max.ms", "set linger"},
    {"queuing.strategy", kOrdered},
    {"request.required.acks", kDurable},
    {"sasl.password", "set sasl_password, which is never shown"},
    {"security.protocol", "set security_protocol"},
    {"session.timeout.ms", "set session_timeout"},
    {"ssl.endpoint.identification.algorithm", kVerified},
    {"ssl.key.password", "set ssl_key_password, which is never shown"},
    {"transactional.id", "hints need no transactions: the store is the source of truth"},
};

template <typename Row>
const Row* Find(std::span<const Row> rows, std::string_view name) {
  const auto found = std::ranges::find(rows, name, &Row::name);
  return found == rows.end() ? nullptr : &*found;
}

void AddFault(std::string& faults, const ConfigValue& value, std::string_view name,
              std::string_view reason) {
  if (!faults.empty()) faults += '\n';
  faults += value.Where() + ": " + std::string(name) + " is not passed on: " + std::string(reason);
}

Result<void> AddTree(const ConfigValue& tree, Settings& settings) {
  std::string faults;
  for (const auto& [name, value] : tree.map) {
    if (const Refused* refused = Find(std::span<const Refused>(kRefused), name)) {
      AddFault(faults, value, name, refused->reason);
      continue;
    }
    const Passed* passed = Find(std::span<const Passed>(kPassed), name);
    if (!passed) {
      AddFault(faults, value, name, "it is none of those that README.md lists");
    } else if (value.shape != ConfigValue::Shape::kScalar) {
      AddFault(faults, value, name, "it is one value");
    } else {
      if (passed->side != Side::kConsumer) settings.producer.emplace_back(name, value.scalar);
      if (passed->side != Side::kProducer) settings.consumer.emplace_back(name, value.scalar);
    }
  }
  if (!faults.empty()) return Error(Code::kInvalid, faults);
  return {};
}

Properties CommonProperties(const Config& config) {
  Properties common = {
      {"bootstrap.servers", config.String("brokers")},
      {"client.id", config.String("client_id")},
      {"security.protocol", config.String("security_protocol")},
      {"topic.metadata.refresh.interval.ms", "30000"},
  };
  constexpr std::pair<const char*, const char*> kOptional[] = {
      {"sasl.mechanism", "sasl_mechanism"},
      {"sasl.username", "sasl_username"},
      {"sasl.password", "sasl_password"},
      {"ssl.ca.location", "ssl_ca_file"},
      {"ssl.certificate.location", "ssl_certificate_file"},
      {"ssl.key.location", "ssl_key_file"},
      {"ssl.key.password", "ssl_key_password"},
  };
  for (const auto& [property, key] : kOptional) {
    if (!config.String(key).empty()) common.emplace_back(property, config.String(key));
  }
  return common;
}

Properties ProducerProperties(const Config& config) {
  // Room for what the plugin and the protocol add to a message.
  constexpr int64_t kOverheadBytes = 64 << 10;
  return {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"partitioner", "murmur2"},  // as Java's producers choose
      {"queue.buffering.max.messages", std::to_string(config.Long("queue_messages_max"))},
      {"queue.buffering.max.kbytes", std::to_string(config.Long("queue_bytes_max") >> 10)},
      {"message.max.bytes", std::to_string(config.Long("message_bytes_max") + kOverheadBytes)},
      {"message.timeout.ms", std::to_string(config.Long("message_timeout"))},
      {"linger.ms", std::to_string(config.Long("linger"))},
  };
}

Properties ConsumerProperties(const Config& config) {
  const int64_t session_ms = config.Long("session_timeout");
  return {
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"partition.assignment.strategy", "range"},
      {"session.timeout.ms", std::to_string(session_ms)},
      {"heartbeat.interval.ms", std::to_string(std::min<int64_t>(session_ms / 3, 3'000))},
      {"max.poll.interval.ms",
       std::to_string(std::max(session_ms, config.Long("poll_interval_max")))},
      // Positions are fixed when a group is made: this is for a topic that was wiped under them.
      {"auto.offset.reset", "earliest"},
      {"queued.min.messages", "1000"},
      {"queued.max.messages.kbytes", "16384"},
      {"fetch.error.backoff.ms", "100"},
  };
}

}  // namespace

Result<Settings> ReadSettings(const Config& config) {
  Settings settings;
  settings.create_topics = config.Bool("create_topics");
  settings.partitions = static_cast<int>(config.Long("partitions"));
  settings.replication_factor = static_cast<int>(config.Long("replication_factor"));
  settings.message_bytes_max = config.Long("message_bytes_max");
  settings.rebuild_wait_ms = config.Long("rebuild_wait");
  settings.close_timeout_ms = config.Long("close_timeout");
  settings.cloudevents_type = config.String("cloudevents_type");
  settings.cloudevents_source = config.String("cloudevents_source");
  settings.content_type = config.String("content_type");
  settings.producer = settings.consumer = CommonProperties(config);
  std::ranges::copy(ProducerProperties(config), std::back_inserter(settings.producer));
  std::ranges::copy(ConsumerProperties(config), std::back_inserter(settings.consumer));
  A4C_CHECK(AddTree(config.Tree("librdkafka"), settings));
  A4C_CHECK(NewConf(settings.producer));
  A4C_CHECK(NewConf(settings.consumer));
  return settings;
}

Result<ConfHandle> NewConf(const Properties& properties) {
  ConfHandle conf(rd_kafka_conf_new());
  for (const auto& [name, value] : properties) {
    char reason[512] = "";
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason, sizeof(reason)) ==
        RD_KAFKA_CONF_OK) {
      continue;
    }
    // librdkafka's reason repeats the value, which for these is a secret.
    const bool secret = name.ends_with("password");
    return Error(Code::kInvalid, "setting " + name + ": " + (secret ? "it is refused" : reason));
  }
  return conf;
}

}  // namespace a4c::kafka
