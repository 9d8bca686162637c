package howdah.flink;

import java.io.IOException;
import java.net.URI;
import org.apache.flink.fs.s3.common.token.DynamicTemporaryAWSCredentialsProvider;
import org.apache.flink.fs.s3.common.writer.S3AccessHelper;
import org.apache.flink.fs.s3hadoop.S3FileSystemFactory;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.s3a.S3AFileSystem;

/**
 * {@code s3://} of Flink's processes: the S3A of the cluster's Hadoop, with its endpoint, credentials and roles, under Flink's own writer of files that are
 * whole or not there. Flink's plugin for S3 brings a Hadoop and an SDK of its own, which cannot ask nodes for credentials.
 */
public class S3 extends S3FileSystemFactory {
  private static final String PROVIDERS = "fs.s3a.aws.credentials.provider";

  @Override
  protected FileSystem createHadoopFileSystem() {
    return new S3AFileSystem() {
      @Override
      public void initialize(URI name, Configuration given) throws IOException {
        super.initialize(name, withoutTokens(given));
      }
    };
  }

  @Override
  protected S3AccessHelper getS3AccessHelper(FileSystem fileSystem) {
    return new S3Requests((S3AFileSystem) fileSystem);
  }

  /** Flink puts its provider of delegation tokens first; it is made for an older SDK, and nobody makes such tokens here. */
  private static Configuration withoutTokens(Configuration given) {
    Configuration own = new Configuration(given);
    String rest = String.join(",", own.getTrimmedStringCollection(PROVIDERS).stream()
        .filter(one -> !one.equals(DynamicTemporaryAWSCredentialsProvider.NAME)).toList());
    if (rest.isEmpty()) own.unset(PROVIDERS);
    else own.set(PROVIDERS, rest);
    return own;
  }

  /** The same under Hadoop's second name. */
  public static class A extends S3 {
    @Override
    public String getScheme() {
      return "s3a";
    }
  }

  /** And under its oldest. */
  public static class N extends S3 {
    @Override
    public String getScheme() {
      return "s3n";
    }
  }
}
