#!/usr/bin/env python3
"""Plays QEMU for the director of a boot: speaks QMP and writes to ttyS0 on the descriptors that it was given.

Its own name is that of a play below, for it runs as a copy; its arguments are the command line of a machine.
"""

import json
import os
import re
import signal
import socket
import sys
import time

PLAY = os.path.basename(sys.argv[0])
LOGIN = "[    0.000000] Linux version 6.1.0\r\nWelcome to Debian GNU/Linux 12!\r\n\r\nhost login: "


class Machine:
    def __init__(self, words):
        line = " ".join(words)
        self.qmp = socket.socket(fileno=int(re.search(r"socket,id=qmp,fd=(\d+)", line)[1]))
        port = re.search(r"file,id=s0,path=/dev/fdset/(\d+)", line)[1]
        self.console = int(re.search(rf"fd=(\d+),set={port}\b", line)[1])
        self.ports = {name: socket.socket(fileno=int(re.search(rf"socket,id={name},fd=(\d+)", line)[1]))
                      for name in ("s1", "s2", "s3")}
        self.driven = False
        self.written = 0
        self.more = ["set-action"] if "restart" in PLAY else []
        self.received = b""
        # The disk: what it has done, and what it does between two looks at it.
        self.looks, self.operations, self.bytes, self.each = 0, 7, 28672, (0, 0)

    def send(self, message):
        self.qmp.sendall(json.dumps(message).encode() + b"\r\n")

    def event(self, name, **data):
        self.send({"timestamp": {"seconds": 1, "microseconds": 0}, "event": name, "data": data})

    def greet(self):
        self.send({"QMP": {"version": {"qemu": {"major": 10, "minor": 0, "micro": 2}}, "capabilities": []}})
        self.serve(commands=2)

    def say(self, text):
        os.write(self.console, text.encode())

    def answer(self, command):
        if command == "query-commands":
            return [{"name": name} for name in ("x-query-virtio-status", "query-blockstats", "quit", *self.more)]
        if command == "x-query-virtio-status":
            features = ["VIRTIO_SCSI_F_HOTPLUG: x"] if self.driven else []
            return {"guest-features": {"dev-features": features, "transports": []}}
        if command == "query-blockstats":
            self.looks += 1
            self.operations += self.each[0]
            self.bytes += self.each[1]
            return [{"device": "disk0", "stats": {"rd_operations": self.operations, "rd_bytes": self.bytes,
                                                  "wr_operations": self.written, "wr_bytes": 4096 * self.written}}]
        if command == "query-status":
            return {"status": "io-error", "running": False}
        return {}

    def serve(self, commands=1 << 30, seconds=1e9, until=None):
        """Answers what is asked; ends when it is told to quit, or the other end is gone."""
        end = time.monotonic() + seconds
        while commands > 0:
            line, found, rest = self.received.partition(b"\n")
            if not found:
                self.qmp.settimeout(max(end - time.monotonic(), 0.01))
                try:
                    more = self.qmp.recv(65536)
                except TimeoutError:
                    return
                if not more:
                    sys.exit(0)
                self.received += more
                continue
            self.received = rest
            question = json.loads(line)
            self.send({"return": self.answer(question["execute"]), "id": question.get("id")})
            commands -= 1
            if question["execute"] == "system_reset":
                self.event("RESET", guest=False, reason="host-qmp-system-reset")
            if question["execute"] == until:
                return
            if question["execute"] == "quit":
                sys.exit(0)


def login(machine):
    machine.say(LOGIN)
    machine.serve()


def panic_later(machine):
    """Behind its login, when the proofs have begun."""
    machine.say("[FAILED] Failed to mount /data.\r\n" + LOGIN)
    machine.serve(until="x-query-virtio-status")
    machine.say("[    9.000000] Kernel panic - not syncing: Fatal exception\r\n")
    machine.serve()


def panic(machine):
    machine.say("[    1.000000] Kernel panic - not syncing: Attempted to kill init!\r\n")
    machine.serve()


def panic_and_reset(machine):
    machine.say("[    1.000000] Kernel panic - not syncing: Fatal exception\r\n")
    machine.event("SHUTDOWN", guest=True, reason="guest-reset")


def reset(machine):
    machine.say("Loading initial ramdisk ...\r\n")
    machine.event("SHUTDOWN", guest=True, reason="guest-reset")


def restart(machine, times=1):
    for _ in range(times):
        machine.say("[    0.000000] Linux version 6.1.0\r\n[FAILED] Failed to mount /data.\r\n"
                    "[    9.000000] reboot: Restarting system\r\n")
        machine.event("SHUTDOWN", guest=True, reason="guest-reset")
        machine.event("STOP")
        machine.serve(until="cont", seconds=10)
    machine.say(LOGIN)
    machine.serve()


def restart_twice(machine):
    restart(machine, times=2)


def panic_restart(machine):
    panic_and_reset(machine)
    machine.event("STOP")
    machine.serve()


def power_off(machine):
    machine.say("[    9.000000] reboot: Power down\r\n")
    machine.event("SHUTDOWN", guest=True, reason="guest-shutdown")


def flood(machine):
    """Events and letters of several bytes, without measure."""
    for _ in range(1000):
        machine.event("ACPI_DEVICE_OST", info={"slot": "0"})
    machine.say("x" + "\u00e9" * 200 + "\r\n")
    machine.event("SHUTDOWN", guest=True, reason="guest-shutdown")


def stop(machine):
    machine.event("STOP")
    machine.serve()


def killed(machine):
    machine.say("Booting\r\n")
    os.kill(os.getpid(), signal.SIGSEGV)


def dies(machine):
    print("qemu: it cannot go on\x1b[2J", file=sys.stderr, flush=True)
    sys.exit(3)


def hang(machine):
    machine.say("[    0.000000] Linux version 6.1.0\r\n[    1.000000] something\r\n")
    machine.driven = True
    machine.serve()


def boot_code(machine):
    machine.say("SeaBIOS (version 1.16.3)\r\nBooting from Hard Disk...\r\n")
    machine.serve()


def unbound(machine):
    machine.say("[    0.000000] Linux version 6.1.0\r\n")
    machine.serve()


def silent(machine):
    machine.say("Loading initial ramdisk ...\r\n")
    machine.driven = True
    machine.serve()


def interrupt(machine):
    machine.say("Booting\r\n")
    machine.serve()


def endless(machine):
    """The same again and again, but for numbers; a journal keeps it."""
    machine.say("[    0.000000] Linux version 6.1.0\r\n")
    machine.driven = True
    number = 0
    while True:
        machine.say(f"[***  ] A start job is running ({number}s / no limit)\r\n" * 20)
        machine.serve(seconds=0.05)
        number += 1
        machine.written += number % 4 == 0


JOB = "[***   ] (1 of 2) A start job is running for Wait for a Net (of ours) ({}s / no limit)\r\n" \
      "[ ***  ] (2 of 2) Job dev-sdz.device/start running ({}s / 6s): waits\r\n"


def waits(machine, each, looks=1 << 30):
    """systemd waits, while the disk does so much."""
    machine.say("[    0.000000] Linux version 6.1.0\r\n[  OK  ] Started the journal.\r\n")
    machine.driven = True
    machine.each = each
    number = 0
    while machine.looks < looks:
        machine.say(JOB.format(number, number))
        machine.serve(seconds=0.1)
        number += 1
    machine.say("\r\nhost login: ")
    machine.serve()


def job(machine):
    """A little is written all the time, as logs are."""
    waits(machine, (1, 4096))


def work(machine):
    """A file system is checked, say: for twice as long as one that repeats itself may take, and then all is well."""
    waits(machine, (100, 4 << 20), looks=10)


def endless_work(machine):
    """More than any check of a disk of one MiB would read."""
    waits(machine, (1000, 1 << 30))


def tells(machine, *ports, then=LOGIN):
    machine.say("[    0.000000] Linux version 6.1.0\r\n")
    machine.ports["s1"].sendall(b"slipway-inside-ready\r\n")
    machine.ports["s1"].recv(1)
    machine.ports["s1"].sendall(b"slipway-inside-begin 3\r\ntarslipway-inside-end\r\n")
    for port in ports:
        machine.ports[port].sendall(b"slipway-inside-port\r\n")
    machine.say(then)
    machine.serve()


def tells_on_ttyS2(machine):  # noqa: N802
    tells(machine, "s2")


def tells_on_both(machine):
    tells(machine, "s2", "s3")


def tells_and_panics(machine):
    tells(machine, then="[    9.000000] Kernel panic - not syncing: Fatal exception\r\n")


def main():
    if PLAY == "no_greeting":
        sys.exit("qemu: -device nonsense: no such thing")
    machine = Machine(sys.argv[1:])
    machine.greet()
    globals()[PLAY](machine)


main()
