// Reads a binlog from its first file with Debezium's embedded engine, to JSON that nobody reads:
// Peer HOST PORT USER PASSWORD ROWS. PEER_SERVER is "mariadb" or "mysql", PEER_FOLDER is for its files.
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;

public final class Peer {
  private static Properties configuration(String[] arguments) {
    final boolean mariadb = "mariadb".equals(System.getenv("PEER_SERVER"));
    final String folder = System.getenv("PEER_FOLDER");
    final Properties p = new Properties();
    p.setProperty("name", "peer");
    p.setProperty(
        "connector.class",
        mariadb
            ? "io.debezium.connector.mariadb.MariaDbConnector"
            : "io.debezium.connector.mysql.MySqlConnector");
    p.setProperty("topic.prefix", "peer");
    p.setProperty("database.hostname", arguments[0]);
    p.setProperty("database.port", arguments[1]);
    p.setProperty("database.user", arguments[2]);
    p.setProperty("database.password", arguments[3]);
    p.setProperty("database.server.id", "4103");
    p.setProperty("database.ssl.mode", "disabled");
    p.setProperty("driver.allowPublicKeyRetrieval", "true");
    p.setProperty("database.include.list", "bench");
    p.setProperty("snapshot.mode", "never"); // from the first file, tables from their DDL in it
    p.setProperty("offset.storage", "org.apache.kafka.connect.storage.FileOffsetBackingStore");
    p.setProperty("offset.storage.file.filename", folder + "/offsets");
    p.setProperty("offset.flush.interval.ms", "5000");
    p.setProperty("schema.history.internal", "io.debezium.storage.file.history.FileSchemaHistory");
    p.setProperty("schema.history.internal.file.filename", folder + "/history");
    p.setProperty("converter.schemas.enable", "false");
    p.setProperty("tombstones.on.delete", "false");
    p.setProperty("include.schema.changes", "false");
    p.setProperty("max.batch.size", "8192");
    p.setProperty("max.queue.size", "32768");
    return p;
  }

  public static void main(String[] arguments) throws Exception {
    final long wanted = Long.parseLong(arguments[4]);
    final AtomicLong rows = new AtomicLong();
    final AtomicLong bytes = new AtomicLong();
    final long begin = System.nanoTime();
    final DebeziumEngine<ChangeEvent<String, String>> engine =
        DebeziumEngine.create(Json.class)
            .using(configuration(arguments))
            .using((success, message, error) -> System.err.println(message + " " + error))
            .notifying(
                (records, committer) -> {
                  for (ChangeEvent<String, String> event : records) {
                    bytes.addAndGet(event.value().length());
                    committer.markProcessed(event);
                  }
                  committer.markBatchFinished();
                  if (rows.addAndGet(records.size()) >= wanted) {
                    System.out.printf(
                        "{\"rows\":%d,\"seconds\":%.3f,\"bytes\":%d}%n",
                        rows.get(), (System.nanoTime() - begin) / 1e9, bytes.get());
                    System.out.flush();
                    Runtime.getRuntime().halt(0);
                  }
                })
            .build();
    engine.run();
    System.exit(1);
  }
}
