#!/usr/bin/env python3
"""Writes the first inputs of each fuzz target: seeds.py DIRECTORY makes DIRECTORY/TARGET/*.

They come from the golden cases of the tests; for HTTP and Redis' protocol some are added here.
"""
import base64
import hashlib
import json
import pathlib
import sys

root = pathlib.Path(__file__).resolve().parent.parent
output = pathlib.Path(sys.argv[1])


def vectors(target, name):
    return json.loads((root / "Tests" / target / "Vectors" / f"{name}.json").read_text())


def seed(target, data):
    directory = output / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / hashlib.sha1(data).hexdigest()).write_bytes(data)


def data(frame):
    """The bytes of {"text": …} or {"binary": hex}."""
    return frame["text"].encode() if "text" in frame else bytes.fromhex(frame["binary"])


def packets():
    file = vectors("SocketIOCoreTests", "socketio-v5-packets")
    for case in file["cases"] + file["invalid"]:
        frames = [data(frame) for frame in case["frames"]]
        seed("packets", b"\0" + b"\xff".join(frames))
        for frame in case["frames"]:
            text = frame.get("text", "")
            start = min((text.find(c) for c in '[{"' if c in text), default=-1)
            if start >= 0:
                seed("json", text[start:].encode())
    for text in ["null", "-0", "1e308", "1e400", '"\\ud83d\\ude00"', '"\\ud800"', "[[[[]]]]", '{"a":{"a":1},"a":2}', " 1 ", "12345678901234567890"]:
        seed("json", text.encode())


def engine():
    file = vectors("EngineIOCoreTests", "engineio-v4-packets")
    frames = [case["encoded"] for case in file["cases"]] + [case["input"] for case in file["decode"]]
    for frame in frames:
        bytes_ = data(frame)
        if "text" in frame:
            seed("payload", bytes_)
        if len(bytes_) < 2000:
            for options in (0, 3):
                seed("websocket", bytes([options, 1]) + websocket(1 if "text" in frame else 2, bytes_, options & 1 == 0))
    for case in vectors("EngineIOCoreTests", "engineio-v4-payloads").items():
        for one in case[1] if isinstance(case[1], list) else []:
            seed("payload", one["payload"].encode())
    pieces = websocket(1, b"4he", True, final=False) + websocket(9, b"p", True) + websocket(0, b"llo", True)
    seed("websocket", b"\0\7" + pieces)
    seed("websocket", b"\6\7" + pieces + websocket(8, b"\x03\xe8bye", True))
    seed("websocket", b"\3\7" + websocket(2, bytes(70_00), False) + websocket(10, b"", False))


def old():
    """Protocol 3 of Engine.IO; packets in MessagePack."""

    def walk(value):
        if isinstance(value, dict):
            if isinstance(value.get("payload"), str):
                yield 0, value["payload"].encode()
            for key in ("$bin", "binary", "frame"):
                if isinstance(value.get(key), str):
                    try:
                        yield 1, bytes.fromhex(value[key])
                    except ValueError:
                        pass
            for one in value.values():
                yield from walk(one)
        elif isinstance(value, list):
            for one in value:
                yield from walk(one)

    for options, data_ in walk(vectors("EngineIOCoreTests", "engineio-v3-payloads")):
        seed("payload3", bytes([options]) + data_)
    for text in ["4:4abc", "6:4\u00e9\u20ac\U0001f600x", "10:b4AAECAwQF1:2", "0:1:6", "99999999999:4"]:
        seed("payload3", b"\0" + text.encode())
    seed("payload3", b"\2d=" + b"4%3A4abc")
    seed("payload3", b"\1" + bytes([0, 4, 255]) + b"4abc" + bytes([1, 1, 0, 255]) + b"\x04\1\2\3\4\5\6\7\x08")
    for _, data_ in walk(vectors("MessagePackTests", "socketio-msgpack")):
        seed("msgpack", data_)


def websocket(opcode, payload, masked, final=True):
    length = len(payload)
    head = bytes([opcode | (128 if final else 0)])
    mask = 128 if masked else 0
    if length < 126:
        head += bytes([mask | length])
    elif length < 65536:
        head += bytes([mask | 126]) + length.to_bytes(2, "big")
    else:
        head += bytes([mask | 127]) + length.to_bytes(8, "big")
    if not masked:
        return head + payload
    key = b"\x11\x22\x33\x44"
    return head + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))


def http():
    for case in vectors("EngineIOTests", "engineio-http")["v4"]:
        for step in case["steps"]:
            request = step.get("request")
            if not request:
                continue
            body = data(request["body"]) if isinstance(request.get("body"), dict) else b""
            lines = [f"{request['method']} {request['path']} HTTP/1.1", "Host: localhost:3000"]
            lines += [f"{name}: {value}" for name, value in (request.get("headers") or {}).items()]
            if body:
                lines.append(f"Content-Length: {len(body)}")
            seed("http", b"\3" + "\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    post = "POST /p?a=b%20c&d HTTP/1.1\r\nHost: a\r\n"
    for text in [
        post + "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n1;x\r\na\r\n0\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\n5;n=v;m=\"q\"\r\nabcde\r\n0;last\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n\r\nGET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n",
        "PUT /x HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc",
        "GET / HTTP/1.1\r\nHost: x\r\nForwarded: for=\"[2001:db8::1]:80\", for=10.0.0.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4, ::1,10.0.0.1\r\nExpect: 100-continue\r\n\r\n",
        post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
        post + "Transfer-Encoding : chunked\r\n\r\n",
        post + "Content-Length: +5\r\n\r\n",
    ]:
        seed("http", b"\5" + text.encode())


def messagepack():
    for case in vectors("MessagePackTests", "msgpack-primitives")["cases"]:
        for name in ("notepack2", "notepack3", "msgpackjs"):
            if isinstance(case.get(name), str):
                encoded = bytes.fromhex(case[name])
                if len(encoded) < 4096:
                    seed("messagepack", encoded)
    for text in ['{"a":[1,2.5,"x",null,true,{"_placeholder":true,"num":0}]}', '"é😀"', "[-1,-129,70000,1e300]"]:
        seed("messagepack", text.encode())


def bulk(text):
    encoded = text if isinstance(text, bytes) else text.encode()
    return b"$%d\r\n%s\r\n" % (len(encoded), encoded)


def cluster():
    for name in ("redis-adapter", "redis-streams"):
        for group in vectors("SocketIORedisTests", name)["groups"]:
            for case in group["cases"]:
                for command in case.get("commands", []):
                    if command.get("payload"):
                        payload = bytes.fromhex(command["payload"])
                        for reader in range(5):
                            seed("cluster", bytes([reader]) + payload)
                    arguments = command.get("args", [])
                    seed("resp", b"\3*%d\r\n" % len(arguments) + b"".join(bulk(str(a)) for a in arguments))
                    if command["command"] == "SET" and len(arguments) > 1:
                        seed("cluster", b"\6" + base64.b64decode(arguments[1] + "==="))
                for entry in case.get("entries", []):
                    fields = [text for pair in entry["fields"] for text in pair]
                    reply = b"*2\r\n" + bulk(entry["id"]) + b"*%d\r\n" % len(fields) + b"".join(map(bulk, fields))
                    seed("cluster", b"\5" + reply)
                    seed("resp", b"\2" + reply)
    seed("cluster", b"\7" + b'{"a":[1,{"b":null}],"c":"\\u00e9"}')
    for text in [
        "+OK\r\n-ERR no\r\n:42\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n",
        "%2\r\n+a\r\n:1\r\n+b\r\n#t\r\n_\r\n,1.5\r\n,inf\r\n(123456789012345678901234567890\r\n",
        "~2\r\n+a\r\n+b\r\n=7\r\ntxt:abc\r\n!3\r\nERR\r\n|1\r\n+k\r\n+v\r\n:1\r\n",
        ">3\r\n+message\r\n+ch\r\n$2\r\nhi\r\n*2\r\n*1\r\n:1\r\n*1\r\n$1\r\nx\r\n",
    ]:
        seed("resp", b"\5" + text.encode())


packets()
engine()
http()
messagepack()
cluster()
old()
for directory in sorted(output.iterdir()):
    print(f"{directory.name}: {len(list(directory.iterdir()))} seeds")
