// Reads a binlog from its first file with mysql-binlog-connector-java and counts the rows:
// Peer HOST PORT USER PASSWORD ROWS.
import com.github.shyiko.mysql.binlog.BinaryLogClient;
import com.github.shyiko.mysql.binlog.event.DeleteRowsEventData;
import com.github.shyiko.mysql.binlog.event.Event;
import com.github.shyiko.mysql.binlog.event.EventData;
import com.github.shyiko.mysql.binlog.event.TransactionPayloadEventData;
import com.github.shyiko.mysql.binlog.event.UpdateRowsEventData;
import com.github.shyiko.mysql.binlog.event.WriteRowsEventData;

public final class Peer {
  private static long inserted;
  private static long updated;
  private static long deleted;

  private static void count(EventData data) {
    if (data instanceof WriteRowsEventData rows) {
      inserted += rows.getRows().size();
    } else if (data instanceof UpdateRowsEventData rows) {
      updated += rows.getRows().size();
    } else if (data instanceof DeleteRowsEventData rows) {
      deleted += rows.getRows().size();
    } else if (data instanceof TransactionPayloadEventData payload) {
      for (Event event : payload.getUncompressedEvents()) {
        count(event.getData());
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    final long wanted = Long.parseLong(arguments[4]);
    final BinaryLogClient client =
        new BinaryLogClient(
            arguments[0], Integer.parseInt(arguments[1]), arguments[2], arguments[3]);
    client.setServerId(4102);
    client.setBinlogFilename("bin.000001");
    client.setBinlogPosition(4);
    final long begin = System.nanoTime();
    client.registerEventListener(
        event -> {
          if (event.getData() == null) {
            return;
          }
          count(event.getData());
          if (inserted + updated + deleted >= wanted) {
            System.out.printf(
                "{\"inserted\":%d,\"updated\":%d,\"deleted\":%d,\"seconds\":%.3f}%n",
                inserted, updated, deleted, (System.nanoTime() - begin) / 1e9);
            System.out.flush();
            Runtime.getRuntime().halt(0);
          }
        });
    client.connect();
    System.exit(1);
  }
}
