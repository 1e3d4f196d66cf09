"""A worker in Python, without a library: `lucihub record` takes a run over and stores what this prints.

    python3 worker.py --device lucidac-1       # the next run of a device; waits for one
    python3 worker.py RUN --writer WRITER      # goes on with a run, after a crash
"""
import json, struct, subprocess, sys, threading, time

RATE, CHUNK = 10_000, 500  # samples per second and channel; samples per frame

hub = subprocess.Popen(["lucihub", "record", "--worker", "python", *sys.argv[1:]],
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
taken = json.loads(hub.stdout.readline() or "{}").get("taken") or sys.exit(hub.wait())
cancelled = threading.Event()

def listen():
    for answer in map(json.loads, hub.stdout):
        if "cancel" in answer:
            cancelled.set()

def say(frame, raw=b""):
    hub.stdin.write(json.dumps(frame).encode() + b"\n" + raw)
    hub.stdin.flush()

def measure(channel, indices):  # what a device would have sent
    return [(n % 1000) / 1000 - 0.5 if channel == 0 else 1 / (n + 1) for n in indices]

threading.Thread(target=listen, daemon=True).start()
try:
    say({"state": "inprogress"})
    say({"describe": {"channels": [{"name": "saw"}, {"name": "decay"}], "rate_hz": RATE}})
    total = taken["head"].get("op_time_ns", 10**9) * RATE // 10**9
    ahead = (taken["next"]["samples"] + [0, 0])[:2]  # what is stored already
    say({"log": f"recording {total} samples from {ahead}", "level": "info", "source": "worker.py"})
    while min(ahead) < total and not cancelled.is_set():
        for channel, first in enumerate(ahead):
            values = measure(channel, range(first, min(first + CHUNK, total)))
            raw = struct.pack(f"<{len(values)}d", *values)
            say({"samples": {"channel": channel, "first": first, "bytes": len(raw)}}, raw)
            ahead[channel] += len(values)
        time.sleep(CHUNK / RATE)
    say({"finish": "cancelled", "reason": "asked for"} if cancelled.is_set() else {"finish": "succeeded"})
    hub.stdin.close()
except BrokenPipeError:
    pass  # it has said why on standard error
sys.exit(hub.wait())
