package howdah.hive;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hive.conf.HiveConf;
import org.apache.hadoop.hive.metastore.HiveMetaStore;
import org.apache.hadoop.hive.metastore.tools.HiveMetaTool;
import org.apache.hadoop.hive.metastore.tools.HiveSchemaHelper;
import org.apache.hive.beeline.HiveSchemaTool;

/**
 * Hive's metastore, behind a look at its database: the node's own is copied from the one that set-up has made, and another one has its tables made
 * where it has none, as EMR does by Hive's schematool. What was begun and cut off is begun anew.
 */
public final class Metastore {
  private Metastore() {}

  public static void main(String[] args) throws Throwable {
    Launcher.prepare();
    String template = System.getProperty("howdah.hive.template");
    if (template != null) {
      Path database = Path.of(System.getProperty("howdah.hive.database"));
      copyOnce(Path.of(template), database);
      followHdfs(database.resolveSibling("filesystem"));
    } else makeTables(new HiveConf());
    HiveMetaStore.main(args);
  }

  /** A kept cluster may come back in another network: what the metastore says of HDFS's address goes with it. The file has the one of last time. */
  private static void followHdfs(Path file) throws Exception {
    String now = FileSystem.getDefaultUri(new HiveConf()).toString();
    String before = Files.exists(file) ? Files.readString(file) : now;
    if (!before.equals(now)) HiveMetaTool.main(new String[] {"-updateLocation", now, before});
    Path half = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(half, now);
    Files.move(half, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** The folder is there whole or not at all. */
  static void copyOnce(Path from, Path to) throws IOException {
    if (Files.exists(to)) return;
    Path half = to.resolveSibling(to.getFileName() + ".new");
    if (Files.exists(half)) delete(half);
    Files.createDirectories(to.getParent());
    for (Path path : walk(from)) Files.copy(path, half.resolve(from.relativize(path)));
    Files.move(half, to, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void delete(Path folder) throws IOException {
    for (Path path : walk(folder).stream().sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
  }

  private static List<Path> walk(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      return paths.toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static void makeTables(HiveConf conf) throws Exception {
    String url = conf.getVar(HiveConf.ConfVars.METASTORECONNECTURLKEY);
    String driver = conf.getVar(HiveConf.ConfVars.METASTORE_CONNECTION_DRIVER);
    String user = conf.getVar(HiveConf.ConfVars.METASTORE_CONNECTION_USER_NAME);
    char[] password = conf.getPassword(HiveConf.ConfVars.METASTOREPWD.varname);
    String secret = password == null ? "" : new String(password);
    try (Connection connection = HiveSchemaHelper.getConnectionToMetastore(user, secret, url, driver, false, conf, null)) {
      if (hasVersion(connection)) return;
      if (databaseKind(url).equals("postgres")) {
        makePostgresTables(connection);
        return;
      }
    }
    new HiveSchemaTool(System.getenv("HIVE_HOME"), conf, databaseKind(url), null).doInit();
  }

  /** All or nothing, and by one metastore at a time. Hive's script has a line that PostgreSQL 12 and later refuse. */
  private static void makePostgresTables(Connection connection) throws IOException, SQLException {
    Path script = Path.of(System.getenv("HIVE_HOME"), "scripts", "metastore", "upgrade", "postgres", "hive-schema-3.1.0.postgres.sql");
    String text = Files.readString(script).replaceAll("(?m)^SET default_with_oids.*$", "");
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("SELECT pg_advisory_xact_lock(hashtext('hive metastore schema'))");
      if (!hasVersion(connection)) statement.execute(text);
      connection.commit();
    }
  }

  /** It is written last. */
  private static boolean hasVersion(Connection connection) throws SQLException {
    try (ResultSet tables = connection.getMetaData().getTables(connection.getCatalog(), null, "VERSION", null)) {
      if (!tables.next()) return false;
    }
    String quote = connection.getMetaData().getIdentifierQuoteString().trim();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT 1 FROM " + quote + "VERSION" + quote)) {
      return rows.next();
    }
  }

  /** As schematool names it. */
  private static String databaseKind(String url) {
    String kind = url.replaceFirst("^jdbc:([a-z]+):.*", "$1");
    return switch (kind) {
      case "postgresql" -> "postgres";
      case "mariadb" -> "mysql";
      case "sqlserver" -> "mssql";
      default -> kind;
    };
  }
}
