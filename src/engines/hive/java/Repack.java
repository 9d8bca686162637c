import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Makes hive-exec's jar fit for Java 17 and for the class path of the cluster's Hadoop: with the classes of a folder in it, some in the place of its
 * own; without its copies of old libraries that are Hadoop's, too, which Hadoop would find before its own; and with one call of SessionState changed,
 * which takes the loader of its class for a URLClassLoader.
 *
 * Usage: java -cp asm.jar Repack.java FROM.jar CLASSES TO.jar LEFT-OUT/PREFIX/ …
 */
class Repack {
  private static final String SESSION = "org/apache/hadoop/hive/ql/session/SessionState.class";

  public static void main(String[] args) throws IOException {
    Path classes = Path.of(args[1]);
    try (ZipFile from = new ZipFile(args[0]);
        ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(Path.of(args[2])));
        Stream<Path> found = Files.walk(classes)) {
      to.setLevel(Deflater.BEST_SPEED);
      List<String> own = found.filter(Files::isRegularFile).map((path) -> classes.relativize(path).toString()).sorted().toList();
      for (String name : own) add(to, name, Files.readAllBytes(classes.resolve(name)));
      for (Enumeration<? extends ZipEntry> entries = from.entries(); entries.hasMoreElements(); ) {
        ZipEntry entry = entries.nextElement();
        String name = entry.getName();
        if (entry.isDirectory() || own.contains(name) || isLeftOut(name, args)) continue;
        byte[] content = read(from, entry);
        add(to, name, name.equals(SESSION) ? withUrlClassLoader(content) : content);
      }
    }
  }

  private static boolean isLeftOut(String name, String[] args) {
    for (int i = 3; i < args.length; i++) if (name.startsWith(args[i])) return true;
    return false;
  }

  private static byte[] read(ZipFile from, ZipEntry entry) throws IOException {
    try (InputStream content = from.getInputStream(entry)) {
      return content.readAllBytes();
    }
  }

  private static void add(ZipOutputStream to, String name, byte[] content) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setTimeLocal(java.time.LocalDateTime.of(2020, 1, 1, 0, 0));
    to.putNextEntry(entry);
    to.write(content);
    to.closeEntry();
  }

  /** `SessionState.class.getClassLoader()` of its constructor becomes `SessionLoader.of(SessionState.class)`. */
  private static byte[] withUrlClassLoader(byte[] content) {
    int[] changed = {0};
    ClassWriter writer = new ClassWriter(0);
    new ClassReader(content)
        .accept(
            new ClassVisitor(Opcodes.ASM9, writer) {
              @Override
              public MethodVisitor visitMethod(int access, String method, String descriptor, String signature, String[] exceptions) {
                MethodVisitor next = super.visitMethod(access, method, descriptor, signature, exceptions);
                if (!method.equals("<init>")) return next;
                return new MethodVisitor(Opcodes.ASM9, next) {
                  @Override
                  public void visitMethodInsn(int opcode, String owner, String name, String descriptor, boolean isInterface) {
                    if (owner.equals("java/lang/Class") && name.equals("getClassLoader")) {
                      changed[0]++;
                      super.visitMethodInsn(
                          Opcodes.INVOKESTATIC, "howdah/hive/SessionLoader", "of", "(Ljava/lang/Class;)Ljava/lang/ClassLoader;", false);
                    } else super.visitMethodInsn(opcode, owner, name, descriptor, isInterface);
                  }
                };
              }
            },
            0);
    if (changed[0] != 1) throw new IllegalStateException("SessionState has " + changed[0] + " such calls: is it another version?");
    return writer.toByteArray();
  }
}
