// A table of PostgreSQL to an index of OpenSearch by Debezium's embedded engine, until it is killed.
//
//   java -cp ... TableToIndex FOLDER POSTGRES_PORT TABLE INDEX_URL     FOLDER: of the offsets
//
// As the engine's documentation has it: a ChangeConsumer that marks a batch as processed once `_bulk` has taken it,
// offsets in a file, flushed after every batch. The slot and the publication are there before the first change, so no
// snapshot is needed. Each document carries the LSN of its change as external version: what a restart delivers again
// changes nothing, and a `_bulk` that outlives its sender cannot undo a later one.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;

public final class TableToIndex implements DebeziumEngine.ChangeConsumer<ChangeEvent<String, String>> {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final int TRIES = 10;
  private static final int STALE = 409; // the index holds this change or a later one

  private final ObjectMapper json = new ObjectMapper();
  private final HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
  private final URI bulk;

  private TableToIndex(String indexUrl) {
    bulk = URI.create(indexUrl + "/_bulk");
  }

  @Override
  public void handleBatch(List<ChangeEvent<String, String>> events,
      DebeziumEngine.RecordCommitter<ChangeEvent<String, String>> committer) throws InterruptedException {
    try {
      StringBuilder lines = new StringBuilder();
      for (ChangeEvent<String, String> event : events) {
        append(lines, event);
      }
      if (lines.length() > 0) {
        sendUntilTaken(lines.toString());
      }
    } catch (IOException error) {
      throw new IllegalStateException(error); // ends the engine, the batch stays unmarked
    }
    for (ChangeEvent<String, String> event : events) {
      committer.markProcessed(event);
    }
    committer.markBatchFinished();
  }

  private void append(StringBuilder lines, ChangeEvent<String, String> event) throws IOException {
    if (event.value() == null) {
      return; // the tombstone that follows a delete, for Kafka's compaction
    }
    JsonNode change = json.readTree(event.value());
    boolean isDelete = change.get("op").asText().equals("d");
    ObjectNode action = json.createObjectNode();
    action.putObject(isDelete ? "delete" : "index")
        .put("_id", json.readTree(event.key()).get("id").asText())
        .put("version", change.get("source").get("lsn").asLong())
        .put("version_type", "external_gte");
    lines.append(action).append('\n');
    if (!isDelete) {
      ObjectNode row = (ObjectNode) change.get("after");
      row.set("labels", json.readTree(row.get("labels").asText())); // jsonb comes as text
      lines.append(row).append('\n');
    }
  }

  private void sendUntilTaken(String lines) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(bulk).timeout(TIMEOUT).header("Content-Type", "application/x-ndjson")
        .POST(HttpRequest.BodyPublishers.ofString(lines)).build();
    for (int tried = 1; ; ++tried) {
      try {
        check(client.send(request, HttpResponse.BodyHandlers.ofString()));
        return;
      } catch (IOException error) {
        if (tried == TRIES) {
          throw error;
        }
        Thread.sleep(200L * tried);
      }
    }
  }

  private void check(HttpResponse<String> response) throws IOException {
    if (response.statusCode() != 200) {
      throw new IOException("HTTP " + response.statusCode() + ": " + response.body());
    }
    for (JsonNode item : json.readTree(response.body()).get("items")) {
      JsonNode outcome = item.elements().next();
      int status = outcome.get("status").asInt();
      boolean isGone = status == 404 && item.has("delete");
      if (status >= 300 && status != STALE && !isGone) {
        throw new IOException(outcome.toString());
      }
    }
  }

  private static Properties properties(String folder, String port, String table) {
    Properties properties = new Properties();
    properties.putAll(Map.ofEntries(
        Map.entry("name", "bench"),
        Map.entry("topic.prefix", "bench"),
        Map.entry("connector.class", "io.debezium.connector.postgresql.PostgresConnector"),
        Map.entry("database.hostname", "127.0.0.1"),
        Map.entry("database.port", port),
        Map.entry("database.user", "postgres"),
        Map.entry("database.password", ""),
        Map.entry("database.dbname", "postgres"),
        Map.entry("plugin.name", "pgoutput"),
        Map.entry("slot.name", "debezium"),
        Map.entry("publication.name", "debezium"),
        Map.entry("publication.autocreate.mode", "disabled"),
        Map.entry("table.include.list", "public." + table),
        Map.entry("snapshot.mode", "no_data"),
        Map.entry("converter.schemas.enable", "false"),
        Map.entry("offset.storage", "org.apache.kafka.connect.storage.FileOffsetBackingStore"),
        Map.entry("offset.storage.file.filename", folder + "/offsets"),
        Map.entry("offset.flush.interval.ms", "0")));
    return properties;
  }

  public static void main(String[] arguments) {
    DebeziumEngine<ChangeEvent<String, String>> engine = DebeziumEngine.create(Json.class)
        .using(properties(arguments[0], arguments[1], arguments[2]))
        .using((isSuccess, message, error) -> System.err.println("the engine has ended: " + message + ", " + error))
        .notifying(new TableToIndex(arguments[3]))
        .build();
    engine.run();
    System.exit(1);
  }
}
