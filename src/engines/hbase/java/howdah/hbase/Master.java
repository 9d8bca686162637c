package howdah.hbase;

import java.io.IOException;
import java.net.ConnectException;
import java.security.PrivilegedExceptionAction;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hbase.HBaseConfiguration;
import org.apache.hadoop.hbase.master.HMaster;
import org.apache.hadoop.hbase.util.CommonFSUtils;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.protocol.HdfsConstants.SafeModeAction;
import org.apache.hadoop.security.UserGroupInformation;

/** HBase's master, behind what must be so before it starts: its folders in HDFS, and a root folder in S3 that an earlier cluster has left. */
public final class Master {
  private Master() {}

  public static void main(String[] args) throws Exception {
    Configuration conf = HBaseConfiguration.create();
    // HDFS's superuser makes them: /user is not the user hbase's to write to.
    UserGroupInformation.createRemoteUser("hadoop").doAs((PrivilegedExceptionAction<Void>) () -> makeFolders(conf));
    StoredRoot.takeOver(conf);
    HMaster.main(args);
  }

  private static Void makeFolders(Configuration conf) throws Exception {
    awaitHdfs(conf);
    for (Path path : List.of(new Path("/user/hbase"), CommonFSUtils.getRootDir(conf), CommonFSUtils.getWALRootDir(conf))) {
      FileSystem files = path.getFileSystem(conf);
      if (!files.getUri().getScheme().equals("hdfs") || files.exists(path)) continue;
      files.mkdirs(path);
      files.setOwner(path, "hbase", "hbase");
    }
    return null;
  }

  /** A master that starts beside its NameNode is ready sooner than one that starts behind it. HBase's own wait looks every ten seconds only. */
  private static void awaitHdfs(Configuration conf) throws Exception {
    for (int tries = 600; ; tries--) {
      try {
        FileSystem files = FileSystem.get(conf);
        if (!(files instanceof DistributedFileSystem hdfs) || !hdfs.setSafeMode(SafeModeAction.SAFEMODE_GET)) return;
        if (tries == 0) throw new IOException(files.getUri() + " is in safe mode");
      } catch (ConnectException notYet) {
        if (tries == 0) throw notYet;
      }
      Thread.sleep(200);
    }
  }
}
