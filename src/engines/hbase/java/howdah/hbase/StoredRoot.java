package howdah.hbase;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hbase.Cell;
import org.apache.hadoop.hbase.CellUtil;
import org.apache.hadoop.hbase.HConstants;
import org.apache.hadoop.hbase.ServerName;
import org.apache.hadoop.hbase.TableName;
import org.apache.hadoop.hbase.client.RegionInfoBuilder;
import org.apache.hadoop.hbase.io.hfile.CacheConfig;
import org.apache.hadoop.hbase.io.hfile.HFile;
import org.apache.hadoop.hbase.io.hfile.HFileScanner;
import org.apache.hadoop.hbase.master.RegionState;
import org.apache.hadoop.hbase.regionserver.StoreFileInfo;
import org.apache.hadoop.hbase.util.Bytes;
import org.apache.hadoop.hbase.util.CommonFSUtils;
import org.apache.hadoop.hbase.zookeeper.MetaTableLocator;
import org.apache.hadoop.hbase.zookeeper.ZKWatcher;

/**
 * Takes over a root folder in S3 that an earlier cluster has left. Its hbase:meta names region servers that are no more, and what would tell a master
 * of their end, their folders of write-ahead logs and ZooKeeper's nodes, went with that cluster. Both are made here, the logs empty, so
 * that the master recovers those servers as it does any that died, and gives their regions to the living.
 */
final class StoredRoot {
  private StoredRoot() {}

  static void takeOver(Configuration conf) throws Exception {
    Path root = CommonFSUtils.getRootDir(conf);
    Path walRoot = CommonFSUtils.getWALRootDir(conf);
    FileSystem walFiles = walRoot.getFileSystem(conf);
    Path logs = new Path(walRoot, HConstants.HREGION_LOGDIR_NAME);
    // Logs beside the tables outlive what they do; a cluster with logs has had its master before.
    if (root.equals(walRoot) || walFiles.exists(logs)) return;
    FileSystem files = root.getFileSystem(conf);
    Path meta = new Path(
        new Path(CommonFSUtils.getTableDir(root, TableName.META_TABLE_NAME), RegionInfoBuilder.FIRST_META_REGIONINFO.getEncodedName()),
        HConstants.CATALOG_FAMILY_STR);
    if (!files.exists(meta)) return;

    Set<ServerName> servers = serversOf(files, meta, conf);
    ServerName ofMeta = ServerName.valueOf("127.0.0.1", HConstants.DEFAULT_REGIONSERVER_PORT, 1);
    servers.add(ofMeta);
    System.err.println(root + " is of an earlier cluster: its regions are taken from " + servers);
    // Where meta was, and procedures that were under way: of that cluster, and older than its tables where it did not end in order.
    files.delete(new Path(root, "MasterData"), true);
    try (ZKWatcher watcher = new ZKWatcher(conf, "take-over", null, true)) {
      MetaTableLocator.setMetaLocation(watcher, ofMeta, RegionState.State.OPEN);
    }
    Path fresh = new Path(walRoot, HConstants.HREGION_LOGDIR_NAME + ".new");
    for (ServerName server : servers) walFiles.mkdirs(new Path(fresh, server.toString()));
    // In one: whatever ends this before comes here again.
    if (!walFiles.rename(fresh, logs)) throw new IOException(fresh + " could not be renamed to " + logs);
  }

  /** Every server that hbase:meta's files name, those that they no longer mean as well. */
  private static Set<ServerName> serversOf(FileSystem files, Path family, Configuration conf) throws IOException {
    Set<ServerName> servers = new TreeSet<>();
    for (FileStatus file : files.listStatus(family)) {
      if (!file.isFile() || !StoreFileInfo.isHFile(file.getPath())) continue;
      // By region, time and replica: a location is two cells, the server's host and port, and when it started.
      Map<String, String> addresses = new HashMap<>();
      try (HFile.Reader reader = HFile.createReader(files, file.getPath(), CacheConfig.DISABLED, true, conf);
          HFileScanner scanner = reader.getScanner(conf, false, false)) {
        if (!scanner.seekTo()) continue;
        do {
          Cell cell = scanner.getCell();
          String column = Bytes.toString(CellUtil.cloneQualifier(cell));
          byte[] value = CellUtil.cloneValue(cell);
          if (value.length == 0) continue; // A deletion.
          String of = Bytes.toStringBinary(CellUtil.cloneRow(cell)) + " " + cell.getTimestamp() + " ";
          if (column.matches("sn(_.*)?")) servers.add(ServerName.valueOf(Bytes.toString(value)));
          else if (column.matches("server(_.*)?")) addresses.put(of + column.substring("server".length()), Bytes.toString(value));
          else if (column.matches("serverstartcode(_.*)?")) {
            String address = addresses.get(of + column.substring("serverstartcode".length()));
            if (address != null) servers.add(ServerName.valueOf(address, Bytes.toLong(value)));
          }
        } while (scanner.next());
      }
    }
    return servers;
  }
}
