// Writes the bodies that the AWS SDK for Java v2 sends, as they are: java-<operation>.cbor beside the folder
// that is given. Run as README.md says.
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.*;

public class Capture {
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", exchange -> {
      String operation = exchange.getRequestHeaders().getFirst("X-Amz-Target").split("\\.")[1];
      String type = exchange.getRequestHeaders().getFirst("Content-Type");
      byte[] body = exchange.getRequestBody().readAllBytes();
      Files.write(folder.resolve("java-" + operation + (type.contains("cbor") ? ".cbor" : ".json")), body);
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(400, -1);
      exchange.close();
    });
    server.start();
    KinesisClient kinesis = KinesisClient.builder()
        .endpointOverride(URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
        .region(Region.US_EAST_1)
        .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("key", "secret")))
        .httpClientBuilder(ApacheHttpClient.builder())
        .overrideConfiguration(o -> o.retryStrategy(DefaultRetryStrategy.doNotRetry()))
        .build();
    send(() -> kinesis.putRecord(r -> r.streamName("orders").partitionKey("k").data(SdkBytes.fromUtf8String(""))));
    send(() -> kinesis.putRecords(r -> r.streamName("orders").records(
        PutRecordsRequestEntry.builder().partitionKey("ключ").data(SdkBytes.fromUtf8String("one")).build(),
        PutRecordsRequestEntry.builder().partitionKey("b").explicitHashKey("170141183460469231731687303715884105728")
            .data(SdkBytes.fromByteArray(new byte[300])).build())));
    send(() -> kinesis.getShardIterator(r -> r.streamName("orders").shardId("shardId-000000000000")
        .shardIteratorType(ShardIteratorType.AT_TIMESTAMP).timestamp(Instant.ofEpochMilli(1700000000123L))));
    send(() -> kinesis.getRecords(r -> r.shardIterator("AAAA").limit(10000)));
    send(() -> kinesis.createStream(r -> r.streamName("orders").shardCount(1000)
        .streamModeDetails(m -> m.streamMode(StreamMode.PROVISIONED)).tags(Map.of("team", "a b"))));
    send(() -> kinesis.listShards(r -> r.streamName("orders").maxResults(5)
        .shardFilter(f -> f.type(ShardFilterType.AT_TIMESTAMP).timestamp(Instant.ofEpochMilli(-1L)))));
    send(() -> kinesis.enableEnhancedMonitoring(r -> r.streamName("orders").shardLevelMetrics(MetricsName.ALL)));
    send(() -> kinesis.deleteStream(r -> r.streamName("orders").enforceConsumerDeletion(true)));
    server.stop(0);
    System.exit(0);
  }

  private static void send(Runnable call) {
    try {
      call.run();
    } catch (KinesisException refused) {
      // The server above only listens.
    }
  }
}
