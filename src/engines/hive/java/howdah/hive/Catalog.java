package howdah.hive;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import org.apache.derby.drda.NetworkServerControl;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hive.metastore.Deadline;
import org.apache.hadoop.hive.metastore.ObjectStore;
import org.apache.hadoop.hive.metastore.RawStore;
import org.apache.hadoop.hive.metastore.conf.MetastoreConf;
import org.apache.thrift.TBase;
import org.apache.thrift.TFieldIdEnum;
import org.apache.thrift.meta_data.FieldMetaData;

/**
 * The metastore of an account, which outlives clusters: its database for their metastores, by Derby's network server, and what Glue's API does with it, by Hive's own
 * RawStore: no file system is touched. A request is a list of calls, [["getTable","hive","db","t"], …], carried out in one transaction; its answer is the list of what
 * they gave, or {"error": "NoSuchObjectException", "message": …}. Values of Hive's Thrift types are objects with the names of their fields.
 *
 * Arguments: the database's folder, the one it is copied from, and a file of mode 0600: {"port", "databasePort", "secret"}.
 */
public final class Catalog {
  /** As the template's tables are in, and as Hive's defaults call it. */
  private static final String USER = "APP";
  private static final ObjectMapper JSON = new ObjectMapper();

  private Catalog() {}

  public static void main(String[] args) throws Throwable {
    Launcher.prepare();
    Map<String, Object> settings = JSON.readValue(Path.of(args[2]).toFile(), new TypeReference<>() {});
    String secret = (String) settings.get("secret");
    Path database = Path.of(args[0]);
    Metastore.copyOnce(Path.of(args[1]), database);
    System.setProperty("derby.system.home", database.getParent().toString());
    System.setProperty("derby.connection.requireAuthentication", "true");
    System.setProperty("derby.authentication.provider", "BUILTIN");
    System.setProperty("derby.user." + USER, secret);
    RawStore store = store(database, secret);
    InetAddress loopback = InetAddress.getByName("127.0.0.1");
    new NetworkServerControl(loopback, (Integer) settings.get("databasePort"), USER, secret).start(new PrintWriter(System.out, true));
    HttpServer http = HttpServer.create(new InetSocketAddress(loopback, (Integer) settings.get("port")), 0);
    http.createContext("/", exchange -> answer(exchange, store, secret));
    // One at a time: a RawStore belongs to one thread.
    http.setExecutor(Executors.newSingleThreadExecutor());
    http.start();
  }

  private static RawStore store(Path database, String secret) {
    Configuration conf = MetastoreConf.newMetastoreConf();
    MetastoreConf.setVar(conf, MetastoreConf.ConfVars.CONNECT_URL_KEY, "jdbc:derby:;databaseName=" + database);
    MetastoreConf.setVar(conf, MetastoreConf.ConfVars.CONNECTION_USER_NAME, USER);
    MetastoreConf.setVar(conf, MetastoreConf.ConfVars.PWD, secret);
    ObjectStore store = new ObjectStore();
    store.setConf(conf);
    return store;
  }

  private static void answer(HttpExchange exchange, RawStore store, String secret) throws IOException {
    Thread.currentThread().setContextClassLoader(Catalog.class.getClassLoader());
    int status = 200;
    Object answer;
    try (exchange) {
      if (!isSecret(exchange.getRequestHeaders().getFirst("Authorization"), secret)) {
        exchange.sendResponseHeaders(403, -1);
        return;
      }
      try {
        List<List<Object>> calls = JSON.readValue(exchange.getRequestBody(), new TypeReference<>() {});
        answer = inTransaction(store, calls);
      } catch (Throwable thrown) {
        Throwable cause = thrown instanceof InvocationTargetException e ? e.getCause() : thrown;
        status = 400;
        answer = Map.of("error", cause.getClass().getSimpleName(), "message", String.valueOf(cause.getMessage()));
      }
      byte[] body = JSON.writeValueAsBytes(answer);
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private static boolean isSecret(String header, String secret) {
    byte[] given = String.valueOf(header).getBytes(StandardCharsets.UTF_8);
    return MessageDigest.isEqual(given, ("Bearer " + secret).getBytes(StandardCharsets.UTF_8));
  }

  private static List<Object> inTransaction(RawStore store, List<List<Object>> calls) throws Exception {
    List<Object> results = new ArrayList<>();
    boolean committed = false;
    store.openTransaction();
    try {
      for (List<Object> call : calls) results.add(toJson(invoke(store, (String) call.get(0), call.subList(1, call.size()))));
      committed = store.commitTransaction();
    } finally {
      if (!committed) store.rollbackTransaction();
    }
    if (!committed) throw new IllegalStateException("the database did not commit");
    return results;
  }

  private static Object invoke(RawStore store, String name, List<Object> given) throws Exception {
    for (Method method : RawStore.class.getMethods()) {
      if (!method.getName().equals(name) || method.getParameterCount() != given.size()) continue;
      Object[] arguments = new Object[given.size()];
      for (int i = 0; i < arguments.length; i++) arguments[i] = fromJson(given.get(i), method.getGenericParameterTypes()[i]);
      // Its queries ask for one; who asked waits no longer than this.
      Deadline.registerIfNot(60_000);
      Deadline.startTimer(name);
      try {
        return method.invoke(store, arguments);
      } finally {
        Deadline.stopTimer();
      }
    }
    throw new NoSuchMethodException(name);
  }

  private static Object toJson(Object value) {
    if (value instanceof TBase<?, ?> struct) return structToJson(struct);
    if (value instanceof Iterable<?> list) {
      List<Object> all = new ArrayList<>();
      for (Object one : list) all.add(toJson(one));
      return all;
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> all = new LinkedHashMap<>();
      map.forEach((key, one) -> all.put(String.valueOf(key), toJson(one)));
      return all;
    }
    return value instanceof Enum<?> one ? one.name() : value;
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static Map<String, Object> structToJson(TBase struct) {
    Map<String, Object> members = new LinkedHashMap<>();
    for (TFieldIdEnum field : fields(struct.getClass()).keySet())
      if (struct.isSet(field)) members.put(field.getFieldName(), toJson(struct.getFieldValue(field)));
    return members;
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static Map<? extends TFieldIdEnum, FieldMetaData> fields(Class type) {
    return FieldMetaData.getStructMetaDataMap(type);
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static Object fromJson(Object json, Type type) throws ReflectiveOperationException {
    if (json == null) return null;
    if (type instanceof ParameterizedType generic) {
      Type element = generic.getActualTypeArguments()[generic.getActualTypeArguments().length - 1];
      if (json instanceof List<?> list) {
        List<Object> all = new ArrayList<>();
        for (Object one : list) all.add(fromJson(one, element));
        return all;
      }
      Map<Object, Object> all = new LinkedHashMap<>();
      for (Map.Entry<?, ?> entry : ((Map<?, ?>) json).entrySet()) all.put(entry.getKey(), fromJson(entry.getValue(), element));
      return all;
    }
    Class<?> plain = (Class<?>) type;
    if (plain.isEnum()) return Enum.valueOf((Class) plain, (String) json);
    if (plain == int.class) return ((Number) json).intValue();
    if (plain == short.class) return ((Number) json).shortValue();
    if (plain == long.class) return ((Number) json).longValue();
    if (!TBase.class.isAssignableFrom(plain)) return json;
    TBase struct = (TBase) plain.getDeclaredConstructor().newInstance();
    for (TFieldIdEnum field : fields(plain).keySet()) {
      Object member = ((Map<?, ?>) json).get(field.getFieldName());
      if (member != null) struct.setFieldValue(field, fromJson(member, plain.getDeclaredField(field.getFieldName()).getGenericType()));
    }
    return struct;
  }
}
