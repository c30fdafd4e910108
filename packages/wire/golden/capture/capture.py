# Writes the bodies that botocore sends, as they are: botocore-<operation>.json into the folder that is
# given. Run as README.md says.
import datetime
import http.server
import pathlib
import sys
import threading

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

folder = pathlib.Path(sys.argv[1])


class Capture(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        operation = self.headers["X-Amz-Target"].split(".")[1]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        (folder / f"botocore-{operation}.json").write_bytes(body)
        self.send_response(400)
        self.send_header("Content-Type", self.headers["Content-Type"])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Capture)
threading.Thread(target=server.serve_forever, daemon=True).start()
kinesis = botocore.session.get_session().create_client(
    "kinesis",
    endpoint_url=f"http://127.0.0.1:{server.server_port}",
    region_name="us-east-1",
    aws_access_key_id="key",
    aws_secret_access_key="secret",
    config=Config(retries={"total_max_attempts": 1}),
)


def send(call, **members):
    try:
        call(**members)
    except ClientError:
        pass  # The server above only listens.


moment = datetime.datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=datetime.timezone.utc)
send(kinesis.put_record, StreamName="orders", PartitionKey="k", Data=b"")
send(
    kinesis.put_records,
    StreamName="orders",
    Records=[
        {"PartitionKey": "ключ", "Data": b"one"},
        {"PartitionKey": "b", "ExplicitHashKey": "170141183460469231731687303715884105728", "Data": bytes(300)},
    ],
)
send(
    kinesis.get_shard_iterator,
    StreamName="orders",
    ShardId="shardId-000000000000",
    ShardIteratorType="AT_TIMESTAMP",
    Timestamp=moment,
)
send(kinesis.create_stream, StreamName="orders", ShardCount=1000, Tags={"team": "a b"})
server.shutdown()
