"""The way of a peer: asked for a turn at a time.

A request is one line of JSON on standard input, the answer one on standard output. The first request sets the peer up,
each of the others names what to do.
"""

import json
import sys


def serve(begin):
    """Answers until the input ends; `begin` makes the peer."""
    peer = begin(**json.loads(sys.stdin.readline()))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(peer, request.pop("do"))(**request)
        print(json.dumps(answer), flush=True)
