package howdah.hive;

import java.net.URL;
import java.net.URLClassLoader;

/** Hive 3.1 takes class loaders for URLClassLoaders, which Java's own is not since Java 9. */
public final class SessionLoader {
  private SessionLoader() {}

  /** The loader of a class, behind an empty one that is a URLClassLoader. */
  public static ClassLoader of(Class<?> type) {
    ClassLoader loader = type.getClassLoader();
    return loader instanceof URLClassLoader ? loader : new URLClassLoader(new URL[0], loader);
  }
}
