package howdah.s3distcp;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.NullWritable;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.hadoop.mapreduce.Job;
import org.apache.hadoop.mapreduce.Mapper;
import org.apache.hadoop.mapreduce.lib.input.NLineInputFormat;
import org.apache.hadoop.mapreduce.lib.output.NullOutputFormat;

/** Makes each group of files one file, decoded and encoded anew where --outputCodec is given: a job of maps over a list of groups. */
final class GroupCopy {
  private static final String DEST = "s3-dist-cp.dest";
  private static final String CODEC = "s3-dist-cp.codec";

  private GroupCopy() {}

  /** false where the job failed. */
  static boolean run(Configuration conf, Path dest, List<Group> groups, OutputCodec codec) throws Exception {
    Path list = new Path("/tmp/s3-dist-cp-" + UUID.randomUUID());
    FileSystem fs = list.getFileSystem(conf);
    try {
      long bytes = 0;
      try (Writer writer = new OutputStreamWriter(fs.create(list, false), StandardCharsets.UTF_8)) {
        for (Group group : groups) {
          writer.write(encode(group.output()));
          for (SourceFile file : group.files()) writer.write("\t" + encode(file.path().toString()));
          writer.write("\n");
          bytes += S3DistCp.bytesOf(group.files());
        }
      }
      int maps = S3DistCp.maps(groups.size(), bytes);
      Job job = Job.getInstance(conf, "S3DistCp: " + groups.size() + " files -> " + dest);
      job.setJarByClass(GroupCopy.class);
      job.setMapperClass(CopyMapper.class);
      job.setNumReduceTasks(0);
      // Two attempts at once would write the same file.
      job.setMapSpeculativeExecution(false);
      job.setInputFormatClass(NLineInputFormat.class);
      NLineInputFormat.addInputPath(job, list);
      NLineInputFormat.setNumLinesPerSplit(job, (groups.size() + maps - 1) / maps);
      job.setOutputFormatClass(NullOutputFormat.class);
      job.getConfiguration().set(DEST, dest.getFileSystem(conf).makeQualified(dest).toString());
      if (codec != null) job.getConfiguration().set(CODEC, codec.name());
      return job.waitForCompletion(true);
    } finally {
      fs.delete(list, false);
    }
  }

  /** Keys of S3 may hold tabs. */
  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static String decode(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }

  /** A line is a group: its output, then its files. */
  static final class CopyMapper extends Mapper<LongWritable, Text, NullWritable, NullWritable> {
    @Override
    protected void map(LongWritable offset, Text line, Context context) throws IOException {
      Configuration conf = context.getConfiguration();
      String[] fields = line.toString().split("\t");
      Path output = new Path(conf.get(DEST), decode(fields[0]));
      FileSystem fs = output.getFileSystem(conf);
      // An object of S3 is there as a whole or not at all; a file is given its name at the end.
      boolean whole = S3DistCp.isS3(fs);
      Path written = whole ? output : new Path(output.getParent(), "." + output.getName() + "." + context.getTaskAttemptID());
      FSDataOutputStream file = fs.create(written, true);
      try {
        write(fields, file, context);
      } catch (IOException | RuntimeException error) {
        if (file.hasCapability(CommonPathCapabilities.ABORTABLE_STREAM)) file.abort();
        else file.close();
        if (!whole) fs.delete(written, false);
        throw error;
      }
      if (whole) return;
      fs.delete(output, false);
      if (!fs.rename(written, output)) throw new IOException(written + " could not be renamed to " + output);
    }

    private static void write(String[] fields, FSDataOutputStream file, Context context) throws IOException {
      Configuration conf = context.getConfiguration();
      OutputCodec wanted = conf.get(CODEC) == null ? null : OutputCodec.valueOf(conf.get(CODEC));
      CompressionCodec codec = wanted == null ? null : wanted.codec(conf);
      CompressionCodecFactory codecs = new CompressionCodecFactory(conf);
      OutputStream output = codec == null ? file : codec.createOutputStream(file);
      byte[] buffer = new byte[1 << 17];
      for (int i = 1; i < fields.length; i++) {
        Path source = new Path(decode(fields[i]));
        CompressionCodec of = wanted == null ? null : codecs.getCodec(source);
        try (InputStream raw = source.getFileSystem(conf).open(source);
            InputStream input = of == null ? raw : of.createInputStream(raw)) {
          for (int count; (count = input.read(buffer)) >= 0; context.progress()) output.write(buffer, 0, count);
        }
        context.setStatus(i + " of " + (fields.length - 1) + " files of " + decode(fields[0]));
      }
      output.close();
    }
  }
}
