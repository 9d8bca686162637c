package howdah.s3distcp;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The options of EMR's s3-dist-cp that are honoured here, as {@code --name=value} or {@code --name value}. Meaning and limits are those of
 * "S3DistCp options" in the Amazon EMR Release Guide.
 */
record Options(
    String src,
    String dest,
    Pattern srcPattern,
    Pattern groupBy,
    /** Bytes; 0 where none was given. */
    long targetSize,
    /** Null where files stay as they are. */
    OutputCodec outputCodec,
    boolean deleteOnSuccess,
    List<String> warnings) {

  static final String USAGE =
      "--src=LOCATION --dest=LOCATION [--srcPattern=REGEX] [--groupBy=REGEX] [--targetSize=MIB] "
          + "[--outputCodec=gz|gzip|snappy|none|keep] [--deleteOnSuccess]";

  private static final Set<String> WITH_VALUE =
      Set.of("src", "dest", "srcPattern", "groupBy", "targetSize", "outputCodec", "s3Endpoint");
  private static final String DELETE = "deleteOnSuccess";

  /** Throws IllegalArgumentException that names what is wrong. */
  static Options parse(String[] args) {
    Map<String, String> given = new TreeMap<>();
    Matcher option = Pattern.compile("--([^=]+)(?:=(.*))?", Pattern.DOTALL).matcher("");
    for (int i = 0; i < args.length; i++) {
      if (!option.reset(args[i]).matches()) throw new IllegalArgumentException("'" + args[i] + "' is not an option");
      String name = option.group(1);
      String value = option.group(2);
      if (name.equals(DELETE)) {
        if (value != null) throw new IllegalArgumentException("--" + name + " takes no value");
        value = "";
      } else if (!WITH_VALUE.contains(name)) {
        throw new IllegalArgumentException("--" + name + " is not in Howdah's s3-dist-cp. It has: " + USAGE);
      } else if (value == null) {
        if (++i == args.length) throw new IllegalArgumentException("--" + name + " needs a value");
        value = args[i];
      }
      if (given.put(name, value) != null) throw new IllegalArgumentException("--" + name + " is given twice");
    }
    return of(given);
  }

  private static Options of(Map<String, String> given) {
    for (String name : List.of("src", "dest")) {
      if (given.getOrDefault(name, "").isEmpty()) throw new IllegalArgumentException("--" + name + " is required");
    }
    Pattern groupBy = pattern(given, "groupBy");
    if (groupBy != null && groupBy.matcher("").groupCount() == 0) {
      throw new IllegalArgumentException("--groupBy needs parentheses around what files of a group have in common: " + groupBy);
    }
    if (given.containsKey("targetSize") && groupBy == null) {
      throw new IllegalArgumentException("--targetSize has a meaning only with --groupBy");
    }
    List<String> warnings = new ArrayList<>();
    if (given.containsKey("s3Endpoint")) {
      warnings.add("--s3Endpoint has no effect: the S3 of the cluster is used");
    }
    return new Options(
        given.get("src"),
        given.get("dest"),
        pattern(given, "srcPattern"),
        groupBy,
        mebibytes(given.get("targetSize")),
        OutputCodec.named(given.getOrDefault("outputCodec", "keep")),
        given.containsKey(DELETE),
        warnings);
  }

  private static Pattern pattern(Map<String, String> given, String name) {
    try {
      return given.containsKey(name) ? Pattern.compile(given.get(name)) : null;
    } catch (PatternSyntaxException error) {
      throw new IllegalArgumentException("--" + name + " is not a regular expression: " + error.getMessage());
    }
  }

  private static long mebibytes(String text) {
    if (text == null) return 0;
    if (!text.matches("[1-9]\\d{0,9}")) throw new IllegalArgumentException("--targetSize must be a whole number of MiB, not " + text);
    return Long.parseLong(text) << 20;
  }
}
