package howdah.s3distcp;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

/** Files that become one file. `output` is its path below --dest. */
record Group(String output, List<SourceFile> files) {
  /**
   * By --groupBy: the file's name is what the parentheses hold, one after the other; where files come to more than --targetSize, there are
   * several, numbered from 0. Without --groupBy each file is a group of its own. Throws IllegalArgumentException for what cannot be named.
   */
  static List<Group> of(List<SourceFile> files, Options options, Configuration conf) {
    CompressionCodecFactory codecs = new CompressionCodecFactory(conf);
    List<Group> groups = new ArrayList<>();
    for (Map.Entry<String, List<SourceFile>> entry : byName(files, options).entrySet()) {
      String before = commonExtension(entry.getKey(), entry.getValue(), codecs, options);
      String after = options.outputCodec() == null ? before : options.outputCodec().extension;
      String name = withoutEnd(withoutEnd(entry.getKey(), before), after);
      List<List<SourceFile>> parts = parts(entry.getValue(), options.targetSize());
      for (int i = 0; i < parts.size(); i++) groups.add(new Group(name + (parts.size() == 1 ? "" : i) + after, parts.get(i)));
    }
    Map<String, Group> outputs = new HashMap<>();
    for (Group group : groups) {
      Group other = outputs.put(group.output, group);
      if (other == null) continue;
      throw new IllegalArgumentException(
          other.files.get(0).path() + " and " + group.files.get(0).path() + " would both become " + group.output);
    }
    return groups;
  }

  private static Map<String, List<SourceFile>> byName(List<SourceFile> files, Options options) {
    Map<String, List<SourceFile>> found = new TreeMap<>();
    for (SourceFile file : files) {
      String name = options.groupBy() == null ? file.relative() : groupName(file, options);
      if (name != null) found.computeIfAbsent(name, key -> new ArrayList<>()).add(file);
    }
    return found;
  }

  /** Null for a file that --groupBy leaves out. */
  private static String groupName(SourceFile file, Options options) {
    Matcher matcher = options.groupBy().matcher(file.path().toString());
    if (!matcher.matches()) return null;
    StringBuilder name = new StringBuilder();
    for (int i = 1; i <= matcher.groupCount(); i++) if (matcher.group(i) != null) name.append(matcher.group(i));
    String relative = name.toString().replaceAll("^/+|/+$", "");
    if (relative.isEmpty()) throw new IllegalArgumentException("the parentheses of --groupBy hold nothing for " + file.path());
    return relative;
  }

  /** The extension of the files' compression, with the dot. Files that are not alike cannot follow each other as they are. */
  private static String commonExtension(String name, List<SourceFile> files, CompressionCodecFactory codecs, Options options) {
    String common = null;
    for (SourceFile file : files) {
      CompressionCodec codec = codecs.getCodec(file.path());
      String extension = codec == null ? "" : codec.getDefaultExtension();
      if (common != null && !common.equals(extension) && options.outputCodec() == null) {
        throw new IllegalArgumentException("files of the group " + name + " are compressed differently: give --outputCodec");
      }
      common = extension;
    }
    return common;
  }

  private static List<List<SourceFile>> parts(List<SourceFile> files, long targetSize) {
    List<List<SourceFile>> parts = new ArrayList<>();
    long size = 0;
    for (SourceFile file : files) {
      if (parts.isEmpty() || (targetSize > 0 && size > 0 && size + file.size() > targetSize)) {
        parts.add(new ArrayList<>());
        size = 0;
      }
      parts.get(parts.size() - 1).add(file);
      size += file.size();
    }
    return parts;
  }

  private static String withoutEnd(String text, String end) {
    return !end.isEmpty() && text.endsWith(end) && text.length() > end.length() ? text.substring(0, text.length() - end.length()) : text;
  }
}
