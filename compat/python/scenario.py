"""The seed scenario with boto3 against the endpoint in argv[1]: values and error classes are asserted.

Prints one line for each part that held; ends with a traceback otherwise.
"""

import datetime
import hashlib
import json
import sys
import time
import urllib.request

import boto3
import botocore.exceptions
from botocore.config import Config

endpoint, stream = sys.argv[1], sys.argv[2]
config = Config(retries={"mode": "standard", "max_attempts": 8})
kinesis = boto3.client("kinesis", endpoint_url=endpoint, config=config)
plain = boto3.client("kinesis", endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1}))


def held(part):
    print("held:", part, flush=True)


def failing(error_class, call, **arguments):
    try:
        call(**arguments)
    except error_class as error:
        return error.response["Error"]["Message"]
    raise AssertionError(f"{error_class.__name__} was not raised")


# create, describe
kinesis.create_stream(StreamName=stream, ShardCount=2, Tags={"team": "blue"})
kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
description = kinesis.describe_stream(StreamName=stream)["StreamDescription"]
assert description["StreamStatus"] == "ACTIVE", description
assert [s["ShardId"] for s in description["Shards"]] == ["shardId-000000000000", "shardId-000000000001"]
assert description["Shards"][0]["HashKeyRange"]["StartingHashKey"] == "0"
assert description["Shards"][1]["HashKeyRange"]["EndingHashKey"] == str(2**128 - 1)
assert description["RetentionPeriodHours"] == 24 and description["EncryptionType"] == "NONE"
assert description["EnhancedMonitoring"] == [{"ShardLevelMetrics": []}]
arn = description["StreamARN"]
summary = kinesis.describe_stream_summary(StreamARN=arn)["StreamDescriptionSummary"]
assert summary["OpenShardCount"] == 2 and summary["StreamName"] == stream, summary
age = datetime.datetime.now(datetime.timezone.utc) - summary["StreamCreationTimestamp"]
assert abs(age.total_seconds()) < 120, age
assert stream in kinesis.list_streams()["StreamNames"]
message = failing(kinesis.exceptions.ResourceInUseException, kinesis.create_stream, StreamName=stream, ShardCount=1)
assert message == f"Stream {stream} under account 000000000000 already exists.", message
held("create and describe")

# put by key, by explicit hash key, many at once
first = kinesis.put_record(StreamName=stream, PartitionKey="a", Data=b"one")
assert len(first["SequenceNumber"]) == 56
low = kinesis.put_record(StreamARN=arn, PartitionKey="a", ExplicitHashKey="0", Data=b"low")
assert low["ShardId"] == "shardId-000000000000"
high = kinesis.put_record(StreamName=stream, PartitionKey="a", ExplicitHashKey=str(2**128 - 1), Data=bytes(range(256)))
assert high["ShardId"] == "shardId-000000000001"
records = [{"PartitionKey": f"key-{i}", "Data": f"value-{i}".encode()} for i in range(100)]
answer = kinesis.put_records(StreamName=stream, Records=records)
assert answer["FailedRecordCount"] == 0 and len(answer["Records"]) == 100
for record, result in zip(records, answer["Records"]):
    hash_key = int.from_bytes(hashlib.md5(record["PartitionKey"].encode()).digest(), "big")
    assert result["ShardId"] == f"shardId-{hash_key >> 127:012d}"
ordered = kinesis.put_record(
    StreamName=stream, PartitionKey="a", ExplicitHashKey="0", Data=b"after",
    SequenceNumberForOrdering=low["SequenceNumber"])
assert int(ordered["SequenceNumber"]) > int(low["SequenceNumber"])
held("puts")


# iterators of each type, replay
def read(shard, **kind):
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, **kind)["ShardIterator"]
    found = []
    for _ in range(10):
        page = kinesis.get_records(ShardIterator=iterator)
        found += page["Records"]
        iterator = page["NextShardIterator"]
        if not page["Records"] and page["MillisBehindLatest"] == 0:
            return found
        time.sleep(0.22)
    raise AssertionError("never reached the tip")


everything = {s: read(s, ShardIteratorType="TRIM_HORIZON") for s in ("shardId-000000000000", "shardId-000000000001")}
assert sum(map(len, everything.values())) == 104
for shard, found in everything.items():
    numbers = [int(r["SequenceNumber"]) for r in found]
    assert numbers == sorted(numbers) and len(set(numbers)) == len(numbers)
zero, one = everything.values()
assert [r["Data"] for r in one if r["SequenceNumber"] == high["SequenceNumber"]] == [bytes(range(256))]
assert all("EncryptionType" not in r for r in zero)
middle = zero[len(zero) // 2]
time.sleep(1)
at = read("0", ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=middle["SequenceNumber"])
assert at == zero[len(zero) // 2:]
time.sleep(1)
after = read("0", ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=middle["SequenceNumber"])
assert after == zero[len(zero) // 2 + 1:]
time.sleep(1)
timed = read("0", ShardIteratorType="AT_TIMESTAMP", Timestamp=middle["ApproximateArrivalTimestamp"])
assert middle in timed and timed == zero[-len(timed):]
time.sleep(1)
latest = kinesis.get_shard_iterator(StreamName=stream, ShardId="0", ShardIteratorType="LATEST")["ShardIterator"]
empty = kinesis.get_records(ShardIterator=latest)
assert empty["Records"] == [] and empty["NextShardIterator"] != latest
tail = kinesis.put_record(StreamName=stream, PartitionKey="é", ExplicitHashKey="7", Data=b"")
page = kinesis.get_records(ShardIterator=empty["NextShardIterator"])
assert [(r["PartitionKey"], r["Data"], r["SequenceNumber"]) for r in page["Records"]] == [
    ("é", b"", tail["SequenceNumber"])]
held("iterators of all five types, replay and tail")

# list shards, tags, retention
token = kinesis.list_shards(StreamName=stream, MaxResults=1)
rest = kinesis.list_shards(NextToken=token["NextToken"])
assert [s["ShardId"] for s in token["Shards"] + rest["Shards"]] == ["shardId-000000000000", "shardId-000000000001"]
assert "NextToken" not in rest
kinesis.add_tags_to_stream(StreamName=stream, Tags={"stage": "test", "a": "1"})
kinesis.remove_tags_from_stream(StreamName=stream, TagKeys=["a"])
assert kinesis.list_tags_for_stream(StreamName=stream)["Tags"] == [
    {"Key": "stage", "Value": "test"}, {"Key": "team", "Value": "blue"}]
kinesis.tag_resource(ResourceARN=arn, Tags={"b": "2"})
kinesis.untag_resource(ResourceARN=arn, TagKeys=["stage"])
assert {t["Key"] for t in kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"]} == {"team", "b"}
kinesis.increase_stream_retention_period(StreamName=stream, RetentionPeriodHours=48)
assert kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["RetentionPeriodHours"] == 48
message = failing(kinesis.exceptions.InvalidArgumentException, kinesis.increase_stream_retention_period,
                  StreamName=stream, RetentionPeriodHours=25)
assert "can not be shorter than existing retention period (48 hours)" in message, message
kinesis.decrease_stream_retention_period(StreamName=stream, RetentionPeriodHours=24)
limits = kinesis.describe_limits()
assert limits["OpenShardCount"] >= 2 and limits["ShardLimit"] >= 200, limits
held("list shards, tags, retention, limits")

# errors by class and text
message = failing(kinesis.exceptions.ResourceNotFoundException, kinesis.describe_stream, StreamName="missing")
assert message == "Stream missing under account 000000000000 not found.", message
failing(kinesis.exceptions.InvalidArgumentException, kinesis.get_records, ShardIterator="AAAA")
message = failing(botocore.exceptions.ClientError, kinesis.put_record, StreamName="bad name", PartitionKey="a", Data=b"")
assert message.startswith("1 validation error detected: Value 'bad name' at 'streamName' failed to satisfy"), message
held("errors")

# throttling: too much for one shard is refused, and the SDK's own backoff gets it through
large = b"x" * 1_000_000
plain.put_record(StreamName=stream, PartitionKey="t", ExplicitHashKey="0", Data=large)
throttled = 0
for _ in range(3):
    try:
        plain.put_record(StreamName=stream, PartitionKey="t", ExplicitHashKey="0", Data=large)
    except plain.exceptions.ProvisionedThroughputExceededException as error:
        throttled += 1
        assert "Rate exceeded for shard shardId-000000000000 in stream" in str(error), error
assert throttled >= 1
for _ in range(2):
    assert kinesis.put_record(StreamName=stream, PartitionKey="t", ExplicitHashKey="0", Data=large)["ShardId"]
held("throttling and the SDK's backoff")

kinesis.delete_stream(StreamName=stream)
kinesis.get_waiter("stream_not_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
health = json.load(urllib.request.urlopen(endpoint.replace("https", "http") + "/_millrace/health")) if endpoint.startswith("http:") else {"status": "ready"}
assert health["status"] == "ready"
held("delete")
