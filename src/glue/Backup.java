import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DriverManager;

/** Has a database that is in use copied by its own server, to a folder. Arguments: its JDBC URL, the user, the folder. The password is HOWDAH_GLUE_SECRET. */
final class Backup {
  public static void main(String[] args) throws Exception {
    try (Connection connection = DriverManager.getConnection(args[0], args[1], System.getenv("HOWDAH_GLUE_SECRET"));
        CallableStatement call = connection.prepareCall("CALL SYSCS_UTIL.SYSCS_BACKUP_DATABASE(?)")) {
      call.setString(1, args[2]);
      call.execute();
    }
  }
}
