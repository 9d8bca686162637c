package howdah.s3distcp;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/** A file to copy. `relative` is its path below --src; its name where --src is the file itself. */
record SourceFile(FileStatus status, String relative) {
  Path path() {
    return status.getPath();
  }

  long size() {
    return status.getLen();
  }

  /** All files below --src that --srcPattern takes, in the order of their paths. A pattern must match the whole location. */
  static List<SourceFile> list(Options options, Configuration conf) throws IOException {
    Path src = new Path(options.src());
    FileSystem fs = src.getFileSystem(conf);
    FileStatus top = fs.getFileStatus(src); // Throws FileNotFoundException, which names it.
    String root = top.getPath().toUri().getPath();
    List<SourceFile> found = new ArrayList<>();
    RemoteIterator<LocatedFileStatus> files = fs.listFiles(top.getPath(), true);
    while (files.hasNext()) {
      FileStatus file = files.next();
      String location = file.getPath().toString();
      if (options.srcPattern() != null && !options.srcPattern().matcher(location).matches()) continue;
      String below = top.isDirectory() ? file.getPath().toUri().getPath().substring(root.length()) : file.getPath().getName();
      found.add(new SourceFile(file, below.startsWith("/") ? below.substring(1) : below));
    }
    found.sort((a, b) -> a.path().compareTo(b.path()));
    return found;
  }
}
