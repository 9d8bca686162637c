package howdah.s3distcp;

import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.conf.Configured;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.util.Tool;
import org.apache.hadoop.util.ToolRunner;

/** EMR's s3-dist-cp: copies files between HDFS and S3 on YARN. Files of the same name at --dest are replaced, others stay. */
public final class S3DistCp extends Configured implements Tool {
  private static final int MOST_MAPS = 20;
  private static final int FILES_PER_MAP = 25;
  private static final long BYTES_PER_MAP = 64L << 20;

  public static void main(String[] args) throws Exception {
    System.exit(ToolRunner.run(new Configuration(), new S3DistCp(), args));
  }

  @Override
  public int run(String[] args) throws Exception {
    if (args.length == 1 && args[0].equals("--help")) {
      System.out.println("Usage: s3-dist-cp " + Options.USAGE);
      return 0;
    }
    try {
      return copy(Options.parse(args));
    } catch (IllegalArgumentException error) {
      System.err.println("s3-dist-cp: error: " + error.getMessage());
      return 1;
    }
  }

  private int copy(Options options) throws Exception {
    Configuration conf = getConf();
    for (String warning : options.warnings()) System.err.println("s3-dist-cp: warning: " + warning);
    Path src = qualified(options.src());
    Path dest = qualified(options.dest());
    if (src.equals(dest)) throw new IllegalArgumentException("--src and --dest are the same: " + src);
    List<SourceFile> files = SourceFile.list(options, conf);
    boolean asTheyAre = options.groupBy() == null && options.outputCodec() == null;
    if (asTheyAre) {
      if (!files.isEmpty()) new FileCopy(conf, src, dest, files).execute(); // Throws where it fails.
    } else {
      List<Group> groups = Group.of(files, options, conf);
      files = groups.stream().flatMap(group -> group.files().stream()).toList();
      if (!groups.isEmpty() && !GroupCopy.run(conf, dest, groups, options.outputCodec())) {
        System.err.println("s3-dist-cp: error: the job failed; what it says is above");
        return 1;
      }
    }
    if (options.deleteOnSuccess()) for (SourceFile file : files) delete(file);
    System.out.printf("Copied %d files, %d bytes, from %s to %s%n", files.size(), bytesOf(files), src, dest);
    return 0;
  }

  private Path qualified(String location) throws IOException {
    Path path = new Path(location);
    return path.getFileSystem(getConf()).makeQualified(path);
  }

  private void delete(SourceFile file) throws IOException {
    if (!file.path().getFileSystem(getConf()).delete(file.path(), false)) {
      System.err.println("s3-dist-cp: warning: " + file.path() + " was copied, and gone before it could be deleted");
    }
  }

  static boolean isS3(FileSystem fs) {
    return fs.getScheme().startsWith("s3");
  }

  static long bytesOf(List<SourceFile> files) {
    return files.stream().mapToLong(SourceFile::size).sum();
  }

  static int mapsFor(List<SourceFile> files) {
    return maps(files.size(), bytesOf(files));
  }

  /** A map costs a JVM: few for little. */
  static int maps(int files, long bytes) {
    long wanted = Math.max((files + FILES_PER_MAP - 1) / FILES_PER_MAP, (bytes + BYTES_PER_MAP - 1) / BYTES_PER_MAP);
    return (int) Math.max(1, Math.min(Math.min(MOST_MAPS, files), wanted));
  }
}
