# Prints sigv4.json: requests as botocore signs them, at a fixed moment. Run with botocore installed:
#   python3 packages/wire/golden/sigv4.py > packages/wire/golden/sigv4.json
import datetime
import json
from urllib.parse import urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

MOMENT = datetime.datetime(2026, 3, 1, 12, 34, 56, tzinfo=datetime.timezone.utc)
botocore.auth.get_current_datetime = lambda remove_tzinfo=True: MOMENT.replace(tzinfo=None) if remove_tzinfo else MOMENT

KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
JSON = {"Content-Type": "application/x-amz-json-1.1"}
TARGET = {"X-Amz-Target": "Kinesis_20131202.PutRecord"}
BODY = b'{"StreamName":"orders","Data":"aGVsbG8=","PartitionKey":"k"}'


def case(name, url="http://127.0.0.1:4566/", method="POST", headers=None, body=BODY, token=None,
         auth=botocore.auth.SigV4Auth, region="eu-west-1", service="kinesis", **options):
    request = AWSRequest(method=method, url=url, headers={**JSON, **TARGET, **(headers or {})}, data=body)
    auth(Credentials(*KEY, token), service, region, **options).add_auth(request)
    prepared = request.prepare()
    split = urlsplit(prepared.url)
    return {
        "name": name,
        "method": prepared.method,
        "target": (split.path or "/") + ("?" + split.query if split.query else ""),
        "headers": {"host": split.netloc.removesuffix(":80"), **{k.lower(): v if isinstance(v, str) else v.decode() for k, v in prepared.headers.items()}},
        "body": (prepared.body or b"").decode("latin1"),
    }


print(json.dumps({
    "origin": "botocore " + __import__("botocore").__version__,
    "accessKeyId": KEY[0], "secret": KEY[1], "date": MOMENT.strftime("%Y%m%dT%H%M%SZ"), "region": "eu-west-1", "service": "kinesis",
    "requests": [
        case("as the SDK sends it"),
        case("an empty body", body=b""),
        case("bytes for a body", headers={"Content-Type": "application/x-amz-cbor-1.1"}, body=bytes(range(256))),
        case("a session", token="FwoGZXIvYXdzEBYaDH+/=="),
        case("blanks in values", headers={"X-Amz-Meta": "  a   b  c ", "X-Amz-Other": "one,  two"}),
        case("a path with blanks, dots and slashes", url="http://127.0.0.1:4566/a%20b/./c//d/../e*(f)~/"),
        case("a query", url="http://127.0.0.1:4566/?b=2&a=1&a=0&c&d=x%20y%2Fz&%C3%A9=%C3%BC"),
        case("a port that is the scheme's own", url="http://kinesis.example.com:80/"),
        case("signed in the query", auth=botocore.auth.SigV4QueryAuth, expires=900),
        case("signed in the query, with a session", auth=botocore.auth.SigV4QueryAuth, expires=60, token="a/b+c="),
        case("signed in the query beside another one", auth=botocore.auth.SigV4QueryAuth, url="http://127.0.0.1:4566/x?q=1%202"),
    ],
}, indent=1))
