package howdah.hive;

import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;

/** Runs a class of Hive's under a class loader that Hive takes. Classes still come from Java's own, so that a class archive counts. */
public final class Launcher {
  private Launcher() {}

  static void prepare() {
    Thread.currentThread().setContextClassLoader(SessionLoader.of(Launcher.class));
  }

  public static void main(String[] args) throws Throwable {
    prepare();
    try {
      Class.forName(args[0]).getMethod("main", String[].class).invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
