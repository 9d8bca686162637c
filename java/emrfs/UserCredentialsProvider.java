package howdah.emrfs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.security.UserGroupInformation;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.core.exception.SdkClientException;

/**
 * Credentials of S3A on clusters with role mappings: it tells the node's endpoint for whom Hadoop has made the file system, and decides nothing itself.
 * The endpoint and its token are where every AWS SDK looks for them (AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE).
 */
public final class UserCredentialsProvider implements AwsCredentialsProvider {
  /** New ones are asked for so long before what there is ends: the agent then has newer ones. */
  private static final Duration LEAST_LEFT = Duration.ofMinutes(15);

  private static final int TRIES = 5;
  private static final int TIMEOUT_MS = 10_000;

  private final URI endpoint;
  private AwsCredentials current;
  private Instant until = Instant.EPOCH;

  /** As S3A makes it, in the name of the file system's user. */
  public UserCredentialsProvider(URI fileSystem, Configuration configuration) throws IOException {
    UserGroupInformation user = UserGroupInformation.getCurrentUser();
    StringBuilder query = new StringBuilder("?user=").append(encode(user.getShortUserName()));
    for (String group : user.getGroupNames()) query.append("&group=").append(encode(group));
    endpoint = URI.create(variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") + query);
  }

  @Override
  public synchronized AwsCredentials resolveCredentials() {
    if (Instant.now().isBefore(until.minus(LEAST_LEFT))) return current;
    try {
      JsonNode answer = new ObjectMapper().readTree(ask());
      current =
          AwsSessionCredentials.create(
              answer.get("AccessKeyId").asText(), answer.get("SecretAccessKey").asText(), answer.get("Token").asText());
      until = Instant.parse(answer.get("Expiration").asText());
      return current;
    } catch (IOException e) {
      if (Instant.now().isBefore(until)) return current;
      throw SdkClientException.create(e.getMessage(), e);
    }
  }

  /** An agent that is just started again does not answer for a moment. */
  private byte[] ask() throws IOException {
    for (int tries = 1; ; tries++) {
      try {
        return askOnce();
      } catch (Refused e) {
        throw e;
      } catch (IOException e) {
        if (tries == TRIES) throw e;
        pause(tries * 500L);
      }
    }
  }

  private byte[] askOnce() throws IOException {
    HttpURLConnection connection = (HttpURLConnection) endpoint.toURL().openConnection();
    connection.setConnectTimeout(TIMEOUT_MS);
    connection.setReadTimeout(TIMEOUT_MS);
    String token = Files.readString(Path.of(variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")));
    connection.setRequestProperty("Authorization", token.strip());
    int status = connection.getResponseCode();
    try (InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      byte[] answer = body == null ? new byte[0] : body.readAllBytes();
      if (status == 200) return answer;
      String said = new String(answer, StandardCharsets.UTF_8);
      if (status == 403) throw new Refused(said);
      throw new IOException("the node's credentials endpoint answered " + status + ": " + said);
    }
  }

  /** The endpoint says why there are no credentials for this user. */
  private static final class Refused extends IOException {
    Refused(String message) {
      super(message);
    }
  }

  private static String variable(String name) throws IOException {
    String value = System.getenv(name);
    if (value == null) throw new IOException(name + " is not set: S3 has no credentials outside a node's environment");
    return value;
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static void pause(long ms) throws IOException {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
