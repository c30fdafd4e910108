import java.net.URI;
import java.nio.file.*;
import java.time.*;
import java.util.*;
import java.util.stream.*;
import software.amazon.awssdk.auth.credentials.*;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kinesis.*;
import software.amazon.awssdk.services.kinesis.model.*;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.utils.AttributeMap;

/**
 * The seed scenario with the AWS SDK for Java v2, which speaks CBOR: the synchronous client over
 * HTTP/1.1 (mode h1) or the asynchronous one over HTTP/2 (mode h2). Arguments: endpoint, mode, stream.
 */
public final class Scenario {
    static final AttributeMap TRUSTING =
        AttributeMap.builder().put(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES, true).build();

    interface Kinesis {
        <T> T call(java.util.function.Function<KinesisClient, T> sync,
            java.util.function.Function<KinesisAsyncClient, java.util.concurrent.CompletableFuture<T>> async);
    }

    public static void main(String[] args) throws Exception {
        URI endpoint = URI.create(args[0]);
        boolean http2 = args[1].equals("h2");
        String stream = args[2];
        var credentials = StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"));
        KinesisClient sync = http2 ? null : KinesisClient.builder().region(Region.US_EAST_1)
            .endpointOverride(endpoint).credentialsProvider(credentials)
            .httpClient(ApacheHttpClient.builder().buildWithDefaults(TRUSTING)).build();
        KinesisAsyncClient async = http2 ? KinesisAsyncClient.builder().region(Region.US_EAST_1)
            .endpointOverride(endpoint).credentialsProvider(credentials)
            .httpClient(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP2).buildWithDefaults(TRUSTING)).build() : null;
        Kinesis kinesis = new Kinesis() {
            public <T> T call(java.util.function.Function<KinesisClient, T> s,
                java.util.function.Function<KinesisAsyncClient, java.util.concurrent.CompletableFuture<T>> a) {
                if (sync != null) return s.apply(sync);
                try {
                    return a.apply(async).join();
                } catch (java.util.concurrent.CompletionException e) {
                    throw (RuntimeException) e.getCause();
                }
            }
        };
        scenario(kinesis, stream);
        if (sync != null) sync.close();
        if (async != null) async.close();
        System.exit(0);
    }

    static void scenario(Kinesis kinesis, String stream) throws Exception {
        var create = CreateStreamRequest.builder().streamName(stream).shardCount(2).build();
        kinesis.call(k -> k.createStream(create), k -> k.createStream(create));
        var describe = DescribeStreamRequest.builder().streamName(stream).build();
        StreamDescription description = null;
        for (int i = 0; i < 50; i++) {
            description = kinesis.call(k -> k.describeStream(describe), k -> k.describeStream(describe)).streamDescription();
            if (description.streamStatus() == StreamStatus.ACTIVE) break;
            Thread.sleep(100);
        }
        check(description.streamStatus() == StreamStatus.ACTIVE, "active");
        check(description.shards().size() == 2, "two shards");
        check(Duration.between(description.streamCreationTimestamp(), Instant.now()).abs().toSeconds() < 120, "creation time");
        held("create and describe");

        byte[] bytes = new byte[256];
        for (int i = 0; i < 256; i++) bytes[i] = (byte) i;
        var put = PutRecordRequest.builder().streamName(stream).partitionKey("k").explicitHashKey("0")
            .data(SdkBytes.fromByteArray(bytes)).build();
        var first = kinesis.call(k -> k.putRecord(put), k -> k.putRecord(put));
        check(first.shardId().equals("shardId-000000000000"), first.shardId());
        check(first.sequenceNumber().length() == 56, first.sequenceNumber());
        var entries = IntStream.range(0, 100).mapToObj(i -> PutRecordsRequestEntry.builder()
            .partitionKey("key-" + i).explicitHashKey("1").data(SdkBytes.fromUtf8String("value-" + i)).build()).toList();
        var puts = PutRecordsRequest.builder().streamARN(description.streamARN()).records(entries).build();
        var many = kinesis.call(k -> k.putRecords(puts), k -> k.putRecords(puts));
        check(many.failedRecordCount() == 0 && many.records().size() == 100, "all put");
        held("puts");

        var all = read(kinesis, stream, b -> b.shardIteratorType(ShardIteratorType.TRIM_HORIZON));
        check(all.size() == 101, "all read: " + all.size());
        check(Arrays.equals(all.get(0).data().asByteArray(), bytes), "bytes");
        check(Duration.between(all.get(0).approximateArrivalTimestamp(), Instant.now()).abs().toSeconds() < 120, "arrival");
        check(all.subList(1, 101).stream().map(Record::sequenceNumber).toList()
            .equals(many.records().stream().map(PutRecordsResultEntry::sequenceNumber).toList()), "order");
        Record middle = all.get(50);
        check(read(kinesis, stream, b -> b.shardIteratorType(ShardIteratorType.AT_SEQUENCE_NUMBER)
            .startingSequenceNumber(middle.sequenceNumber())).equals(all.subList(50, 101)), "at");
        check(read(kinesis, stream, b -> b.shardIteratorType(ShardIteratorType.AFTER_SEQUENCE_NUMBER)
            .startingSequenceNumber(middle.sequenceNumber())).equals(all.subList(51, 101)), "after");
        check(read(kinesis, stream, b -> b.shardIteratorType(ShardIteratorType.AT_TIMESTAMP)
            .timestamp(middle.approximateArrivalTimestamp())).contains(middle), "at timestamp");
        check(read(kinesis, stream, b -> b.shardIteratorType(ShardIteratorType.LATEST)).isEmpty(), "latest");
        held("iterators of all five types");

        var tags = AddTagsToStreamRequest.builder().streamName(stream).tags(Map.of("stage", "test")).build();
        kinesis.call(k -> k.addTagsToStream(tags), k -> k.addTagsToStream(tags));
        var list = ListTagsForStreamRequest.builder().streamName(stream).build();
        check(kinesis.call(k -> k.listTagsForStream(list), k -> k.listTagsForStream(list)).tags().get(0).value().equals("test"), "tag");
        var longer = IncreaseStreamRetentionPeriodRequest.builder().streamName(stream).retentionPeriodHours(48).build();
        kinesis.call(k -> k.increaseStreamRetentionPeriod(longer), k -> k.increaseStreamRetentionPeriod(longer));
        var summary = DescribeStreamSummaryRequest.builder().streamName(stream).build();
        check(kinesis.call(k -> k.describeStreamSummary(summary), k -> k.describeStreamSummary(summary))
            .streamDescriptionSummary().retentionPeriodHours() == 48, "retention");
        held("tags and retention");

        var missing = DescribeStreamRequest.builder().streamName("missing").build();
        try {
            kinesis.call(k -> k.describeStream(missing), k -> k.describeStream(missing));
            throw new AssertionError("a missing stream was described");
        } catch (ResourceNotFoundException e) {
            check(e.awsErrorDetails().errorMessage().equals("Stream missing under account 000000000000 not found."), e.getMessage());
            check(e.requestId() != null, "request id");
        }
        var again = CreateStreamRequest.builder().streamName(stream).shardCount(1).build();
        try {
            kinesis.call(k -> k.createStream(again), k -> k.createStream(again));
            throw new AssertionError("created twice");
        } catch (ResourceInUseException e) {
            check(e.statusCode() == 400, "status");
        }
        held("errors");

        var large = PutRecordRequest.builder().streamName(stream).partitionKey("t").explicitHashKey("0")
            .data(SdkBytes.fromByteArray(new byte[1_000_000])).build();
        for (int i = 0; i < 3; i++) {
            check(kinesis.call(k -> k.putRecord(large), k -> k.putRecord(large)).shardId() != null, "large");
        }
        held("throttled puts get through by the SDK's backoff");

        var delete = DeleteStreamRequest.builder().streamName(stream).build();
        kinesis.call(k -> k.deleteStream(delete), k -> k.deleteStream(delete));
        held("delete");
    }

    static List<Record> read(Kinesis kinesis, String stream,
        java.util.function.Consumer<GetShardIteratorRequest.Builder> kind) throws Exception {
        Thread.sleep(400);
        var builder = GetShardIteratorRequest.builder().streamName(stream).shardId("shardId-000000000000");
        kind.accept(builder);
        var request = builder.build();
        String iterator = kinesis.call(k -> k.getShardIterator(request), k -> k.getShardIterator(request)).shardIterator();
        List<Record> found = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            var get = GetRecordsRequest.builder().shardIterator(iterator).build();
            var page = kinesis.call(k -> k.getRecords(get), k -> k.getRecords(get));
            found.addAll(page.records());
            if (page.millisBehindLatest() == 0) return found;
            iterator = page.nextShardIterator();
            Thread.sleep(220);
        }
        throw new AssertionError("never reached the tip");
    }

    static void check(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
    }

    static void held(String part) {
        System.out.println("held: " + part);
    }
}
