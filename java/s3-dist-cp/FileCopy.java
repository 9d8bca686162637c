package howdah.s3distcp;

import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.SequenceFile;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.mapreduce.Job;
import org.apache.hadoop.security.Credentials;
import org.apache.hadoop.tools.CopyListing;
import org.apache.hadoop.tools.CopyListingFileStatus;
import org.apache.hadoop.tools.DistCp;
import org.apache.hadoop.tools.DistCpContext;
import org.apache.hadoop.tools.DistCpOptions;

/** Copies files as they are: Hadoop's DistCp, with a list of files of our own. */
final class FileCopy extends DistCp {
  private final List<SourceFile> files;

  FileCopy(Configuration conf, Path src, Path dest, List<SourceFile> files) throws Exception {
    super(settings(conf), options(conf, src, dest, files));
    this.files = files;
  }

  private static Configuration settings(Configuration conf) {
    Configuration settings = new Configuration(conf);
    settings.addResource("distcp-default.xml");
    // Comparable whatever the block sizes of both sides.
    settings.set("dfs.checksum.combine.mode", "COMPOSITE_CRC");
    return settings;
  }

  private static DistCpOptions options(Configuration conf, Path src, Path dest, List<SourceFile> files) throws IOException {
    return new DistCpOptions.Builder(src, dest)
        .withOverwrite(true)
        // An object is there as a whole or not at all: a temporary one would only be copied once more.
        .withDirectWrite(S3DistCp.isS3(dest.getFileSystem(conf)))
        .maxMaps(S3DistCp.mapsFor(files))
        .build();
  }

  @Override
  protected Path createInputFileListing(Job job) throws IOException {
    Path listing = getFileListingPath();
    new Listing(job.getConfiguration(), job.getCredentials()).buildListing(listing, getContext());
    return listing;
  }

  private final class Listing extends CopyListing {
    Listing(Configuration conf, Credentials credentials) {
      super(conf, credentials);
    }

    @Override
    protected void validatePaths(DistCpContext context) {}

    @Override
    protected void doBuildListing(Path listing, DistCpContext context) throws IOException {
      try (SequenceFile.Writer writer =
          SequenceFile.createWriter(
              getConf(),
              SequenceFile.Writer.file(listing),
              SequenceFile.Writer.keyClass(Text.class),
              SequenceFile.Writer.valueClass(CopyListingFileStatus.class),
              SequenceFile.Writer.compression(SequenceFile.CompressionType.NONE))) {
        for (SourceFile file : files) {
          writer.append(new Text("/" + file.relative()), new CopyListingFileStatus(file.status()));
          writer.sync(); // Maps begin at such marks.
        }
      }
    }

    @Override
    protected long getBytesToCopy() {
      return S3DistCp.bytesOf(files);
    }

    @Override
    protected long getNumberOfPaths() {
      return files.size();
    }
  }
}
