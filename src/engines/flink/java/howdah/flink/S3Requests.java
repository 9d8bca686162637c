package howdah.flink;

import com.amazonaws.services.s3.model.CompleteMultipartUploadResult;
import com.amazonaws.services.s3.model.ObjectMetadata;
import com.amazonaws.services.s3.model.PartETag;
import com.amazonaws.services.s3.model.PutObjectResult;
import com.amazonaws.services.s3.model.UploadPartResult;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.fs.s3.common.writer.S3AccessHelper;
import org.apache.hadoop.fs.s3a.S3AFileSystem;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;

/** The requests of Flink's writer, by the client of the bucket's S3A. Answers are in the types of the older SDK, which Flink asks for. */
final class S3Requests implements S3AccessHelper {
  private final S3AFileSystem fileSystem;
  private final String bucket;

  S3Requests(S3AFileSystem fileSystem) {
    this.fileSystem = fileSystem;
    this.bucket = fileSystem.getBucket();
  }

  private interface Request<T> {
    T of(S3Client client) throws IOException;
  }

  /** Flink takes an IOException for what may go well at another try, and nothing else. */
  private <T> T ask(String what, String key, Request<T> request) throws IOException {
    try {
      return request.of(fileSystem.getS3AInternals().getAmazonS3Client("Flink's writer"));
    } catch (SdkException error) {
      throw new IOException(what + " of s3://" + bucket + "/" + key + ": " + error.getMessage(), error);
    }
  }

  @Override
  public String startMultiPartUpload(String key) throws IOException {
    return ask("begin", key, client -> client.createMultipartUpload(one -> one.bucket(bucket).key(key)).uploadId());
  }

  @Override
  public UploadPartResult uploadPart(String key, String uploadId, int partNumber, File file, long length) throws IOException {
    String tag = ask("part " + partNumber, key, client -> client
        .uploadPart(one -> one.bucket(bucket).key(key).uploadId(uploadId).partNumber(partNumber), RequestBody.fromFile(file)).eTag());
    UploadPartResult result = new UploadPartResult();
    result.setPartNumber(partNumber);
    result.setETag(tag);
    return result;
  }

  @Override
  public PutObjectResult putObject(String key, File file) throws IOException {
    String tag = ask("put", key, client -> client.putObject(one -> one.bucket(bucket).key(key), RequestBody.fromFile(file)).eTag());
    PutObjectResult result = new PutObjectResult();
    result.setETag(tag);
    return result;
  }

  @Override
  public CompleteMultipartUploadResult commitMultiPartUpload(
      String key, String uploadId, List<PartETag> parts, long length, AtomicInteger errors) throws IOException {
    List<CompletedPart> completed = parts.stream()
        .map(part -> CompletedPart.builder().partNumber(part.getPartNumber()).eTag(part.getETag()).build()).toList();
    String tag = ask("end", key, client -> client.completeMultipartUpload(
        one -> one.bucket(bucket).key(key).uploadId(uploadId).multipartUpload(all -> all.parts(completed))).eTag());
    CompleteMultipartUploadResult result = new CompleteMultipartUploadResult();
    result.setBucketName(bucket);
    result.setKey(key);
    result.setETag(tag);
    return result;
  }

  /** true also where there was none: S3 does not say. */
  @Override
  public boolean deleteObject(String key) throws IOException {
    ask("delete", key, client -> client.deleteObject(one -> one.bucket(bucket).key(key)));
    return true;
  }

  @Override
  public long getObject(String key, File target) throws IOException {
    Files.deleteIfExists(target.toPath());
    ask("get", key, client -> client.getObject(one -> one.bucket(bucket).key(key), target.toPath()));
    return Files.size(target.toPath());
  }

  @Override
  public ObjectMetadata getObjectMetadata(String key) throws IOException {
    HeadObjectResponse found = ask("head", key, client -> client.headObject(one -> one.bucket(bucket).key(key)));
    ObjectMetadata metadata = new ObjectMetadata();
    metadata.setContentLength(found.contentLength());
    return metadata;
  }
}
