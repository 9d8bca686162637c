package howdah.hive;

import javax.servlet.jsp.JspFactory;
import org.apache.hive.service.server.HiveServer2;
import org.apache.jasper.runtime.JspFactoryImpl;

/** HiveServer2, with what its web page is made of: Hive's own Jetty had it from a servlet that nothing here needs. */
public final class Server {
  private Server() {}

  public static void main(String[] args) throws Throwable {
    Launcher.prepare();
    JspFactory.setDefaultFactory(new JspFactoryImpl());
    HiveServer2.main(args);
  }
}
