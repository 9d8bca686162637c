package howdah.s3distcp;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.GzipCodec;
import org.apache.hadoop.io.compress.SnappyCodec;
import org.apache.hadoop.util.ReflectionUtils;

/** What --outputCodec writes. */
enum OutputCodec {
  GZIP(".gz", GzipCodec.class),
  SNAPPY(".snappy", SnappyCodec.class),
  NONE("", null);

  /** With the dot. */
  final String extension;
  private final Class<? extends CompressionCodec> codec;

  OutputCodec(String extension, Class<? extends CompressionCodec> codec) {
    this.extension = extension;
    this.codec = codec;
  }

  /** Null for `keep`. */
  static OutputCodec named(String name) {
    switch (name) {
      case "gz", "gzip":
        return GZIP;
      case "snappy":
        return SNAPPY;
      case "none":
        return NONE;
      case "keep":
        return null;
      case "lzo":
        throw new IllegalArgumentException("--outputCodec=lzo: Hadoop here has no LZO. It has gz, gzip, snappy, none and keep");
      default:
        throw new IllegalArgumentException("--outputCodec=" + name + " is none of gz, gzip, snappy, none and keep");
    }
  }

  /** Null where nothing is compressed. */
  CompressionCodec codec(Configuration conf) {
    return codec == null ? null : ReflectionUtils.newInstance(codec, conf);
  }
}
