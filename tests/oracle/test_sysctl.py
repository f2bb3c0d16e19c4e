#!/usr/bin/env python3
"""Compares predicted sysctls with what the real programs do.

  test_sysctl.py PREDICT       PREDICT: the program made of predict_sysctl.c

The programs are systemd-sysctl and procps's sysctl of three releases, taken from the root trees in
$SLIPWAY_ROOTS (build/images/roots). Two comparisons over generated drop-ins, from fixed seeds:

  files    over plain files in the place of /proc/sys: which file and which line wins
  kernel   over the real /proc/sys/net/ipv4 of a network namespace: what the kernel takes, and its side effects

Without root or user namespaces, or without the root trees, the test is skipped (exit 77); with SLIPWAY_REQUIRE=1 it
fails instead.
"""

import ctypes
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
SUITES = ("bullseye", "bookworm", "trixie")
CASES = 60
DIRECTORIES = ("etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "lib/sysctl.d")
UNTOUCHED = "untouched"

# Keys of no kernel: plain files take any value, and the prediction has no range for them.
FILE_KEYS = ["kernel/probe_a", "kernel/probe_b", "fs/probe", "vm/probe", "net/probe/conf/all/x",
             "net/probe/conf/all/y", "net/probe/conf/default/x", "net/probe/conf/default/y",
             "net/probe/conf/eth0/x", "net/probe/conf/eth0.5/x", "net/probe/conf/lo/y"]

INTERFACE_KEYS = {"accept_source_route": (0, 1), "accept_redirects": (1, 1), "secure_redirects": (1, 1),
                  "shared_media": (1, 1), "forwarding": (0, 0), "send_redirects": (1, 1), "rp_filter": (0, 0),
                  "log_martians": (0, 0)}
SINGLE_KEYS = {"tcp_syncookies": 1, "ip_forward": 0, "icmp_echo_ignore_broadcasts": 1,
               "icmp_ignore_bogus_error_responses": 1}
# Keys that the releases' own drop-ins set, and what those of systemd and of the platform add to them.
OWN_KEYS = ["fs/protected_hardlinks", "fs/protected_symlinks", "kernel/pid_max", "kernel/core_pattern"]
SHIPPED = {
    "usr/lib/sysctl.d/50-default.conf":
        b"net.ipv4.conf.default.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\n"
        b"net.ipv4.conf.default.accept_source_route = 0\nnet.ipv4.conf.*.accept_source_route = 0\n"
        b"-net.ipv4.conf.all.accept_source_route\n",
    "etc/sysctl.d/60-gce-network-security.conf":
        b"net.ipv4.tcp_syncookies=1\nnet.ipv4.conf.all.accept_redirects=0\nnet.ipv4.conf.all.rp_filter=1\n"
        b"net.ipv4.conf.default.rp_filter=1\nnet.ipv4.conf.all.log_martians=1\n",
}
SCOPES = ("all", "default", "eth0")
KERNEL_KEYS = [f"net/ipv4/conf/{scope}/{name}" for scope in SCOPES for name in INTERFACE_KEYS] + \
              [f"net/ipv4/{name}" for name in SINGLE_KEYS]


def give_up(why):
    required = os.environ.get("SLIPWAY_REQUIRE") == "1"
    print(f"{'FAIL' if required else 'SKIP'}: {why}", flush=True)
    sys.exit(1 if required else 77)


def swap(path):
    """The dotted form of a path: dots and slashes change places."""
    return path.translate(str.maketrans("/.", "./"))


# --- trees: a dictionary from path to content (bytes), link target (str) or directory (None) ---

def encode(tree):
    text = b""
    for path, what in tree.items():
        if what is None:
            text += f"@directory /{path}\n".encode()
        elif isinstance(what, str):
            text += f"@link /{path} {what}\n".encode()
        else:
            text += f"@file /{path} {len(what)}\n".encode() + what + b"\n"
    return b"@case %d\n" % len(text) + text


def put(root, tree):
    for path in (*DIRECTORIES, "etc/sysctl.conf"):
        place = root / path
        if place.is_symlink() or place.is_file():
            place.unlink()
        elif place.is_dir() and not (path == "lib/sysctl.d" and (root / "lib").is_symlink()):
            shutil.rmtree(place)
    for path, what in tree.items():
        place = root / path
        if "-linux-gnu" in path or path == "lib":
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if what is None:
            place.mkdir(exist_ok=True)
        elif isinstance(what, str):
            place.symlink_to(what)
        else:
            place.write_bytes(what)


def spaces(rng):
    return rng.choice(["", "", "", " ", "  ", "\t", " \t"])


def make_line(rng, keys, globs, values):
    """One line: mostly settings, and every odd thing that a person writes."""
    kind = rng.random()
    key = rng.choice(globs) if rng.random() < 0.25 else rng.choice(keys)
    form = rng.random()
    key = key if form < 0.3 else "/" + key if form < 0.35 else key.replace("/", "//", 1) if form < 0.38 else \
        key.replace("/", "/./", 1) if form < 0.4 else swap(key)
    if kind < 0.06:
        return rng.choice(["", "   ", "# a comment", "; another", "  # indented", "#", "x", "no assignment here", "=", "=5",
                           "-", "-=", "- =1", "[section]", "==1", "a=", "\\", "0"])
    if kind < 0.16:
        return f"{spaces(rng)}-{spaces(rng) if rng.random() < 0.1 else ''}{key}{spaces(rng)}"
    dash = rng.choice(["", "", "", "-", "-", "--", "- "]) if rng.random() < 0.4 else ""
    value = rng.choice(values)
    tail = rng.choice(["", "", "", "", " # comment", ";x", " \r", "\v", "\f "])
    return f"{spaces(rng)}{dash}{key}{spaces(rng)}={spaces(rng)}{value}{tail}{spaces(rng)}"


def make_content(rng, keys, globs, values):
    lines = [make_line(rng, keys, globs, values) for _ in range(rng.randint(0, 6))]
    end = rng.choice(["\n", "\n", "\n", "\n", "\r\n", "\n\n"])
    content = end.join(lines) + rng.choice([end, end, ""])
    return content.encode()


def make_tree(rng, keys, globs, values, merged, hostile):
    names = ["10-a.conf", "50-default.conf", "60-gce.conf", "99-sysctl.conf", "99-zzz.conf", "99-a.conf", "a.conf",
             "Z.conf", "9.conf", "README", "x.conf.bak", "b.conf~"] + ([".hidden.conf", ".conf"] if hostile else [])
    tree = {}
    if merged:
        tree["lib"] = "usr/lib"
    for directory in DIRECTORIES:
        if directory == "lib/sysctl.d" and merged or rng.random() < 0.25:
            continue
        tree[directory] = None
        for name in rng.sample(names, rng.randint(0, 4)):
            kind, path = rng.random(), f"{directory}/{name}"
            if kind < 0.75:
                tree[path] = make_content(rng, keys, globs, values)
            elif kind < 0.80:
                tree[path] = b""
            elif kind < 0.86:
                tree[path] = "/dev/null"
            elif kind < 0.91:
                tree[path] = "/nowhere/at/all"
            elif kind < 0.94:
                tree[path] = None
            else:
                tree[path] = "/etc/sysctl.conf"
    if rng.random() < 0.6:
        tree["etc/sysctl.conf"] = make_content(rng, keys, globs, values)
        if rng.random() < 0.5:
            tree["etc/sysctl.d"] = None
            tree["etc/sysctl.d/99-sysctl.conf"] = "../sysctl.conf"
    return tree


# --- the real programs ---

def extract(archive, root):
    """What the programs need to run: themselves and the libraries; and the release's own drop-ins."""
    wanted = ("usr/lib/systemd/", "lib/systemd/", "sbin/sysctl", "usr/sbin/sysctl", "lib64", "usr/lib64",
              "etc/sysctl", "usr/lib/sysctl.d", "lib/sysctl.d")
    links = ("bin", "sbin", "lib", "lib64")
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.removeprefix("./")
            library = "-linux-gnu/" in name and ".so" in name and name.count("/") <= 4
            if (member.issym() and name in links) or name.startswith(wanted) or library:
                member.name = name
                tar.extract(member, root, filter="fully_trusted") if hasattr(tarfile, "data_filter") else \
                    tar.extract(member, root)
    for folder in ("proc", "dev", "etc", "run", "usr/lib"):
        (root / folder).mkdir(parents=True, exist_ok=True)


def program_of(root, name):
    paths = {"systemd": ["/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl"],
             "procps": ["/usr/sbin/sysctl", "/sbin/sysctl"]}[name]
    for path in paths:
        if (root / path[1:]).exists():
            return [path] if name == "systemd" else [path, "--system"]
    sys.exit(f"FAIL: {root} has no {paths[0]}")


def run(root, command):
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    return subprocess.run(["chroot", root, *command], env=environment, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode


def read_first_line(path):
    try:
        return path.read_bytes().split(b"\n")[0].decode("latin-1")
    except OSError as error:
        return f"error {error.errno}"


def real_files(root, name, tree, keys):
    put(root, tree)
    for key in keys:
        place = root / "proc/sys" / key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(UNTOUCHED + "\n")
    run(root, program_of(root, name))
    return {key: read_first_line(root / "proc/sys" / key) for key in keys}


def new_network():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def real_kernel(root, name, tree, keys):
    """A network namespace of its own, with an interface, set to the compiled-in values.

    The interface comes first: conf.default is then copied to it and leaves it open to later ones.
    """
    new_network()
    subprocess.run(["ip", "link", "add", "eth0", "type", "veth", "peer", "name", "peer0"], check=True)
    put(root, tree)
    base = pathlib.Path("/proc/sys/net/ipv4")
    for key, (for_all, initial) in INTERFACE_KEYS.items():
        if key != "forwarding":
            (base / "conf/all" / key).write_text(f"{for_all}\n")
            (base / "conf/default" / key).write_text(f"{initial}\n")
    for key, value in SINGLE_KEYS.items():
        (base / key).write_text(f"{value}\n")
    for key, (for_all, _) in INTERFACE_KEYS.items():
        if key == "accept_redirects":
            (base / "conf/all" / key).write_text(f"{for_all}\n")
    command = program_of(root, name)
    run(root, command)
    if name == "systemd":
        run(root, [*command, "--prefix=/net/ipv4/conf/eth0"])
    result = {key: read_first_line(pathlib.Path("/proc/sys") / key) for key in keys}
    subprocess.run(["ip", "link", "delete", "eth0"], check=True)
    return result


# --- comparison ---

def predicted(predict, name, trees, keys, version):
    answer = subprocess.run([predict, name, version, *[swap(key) for key in keys]],
                            input=b"".join(encode(tree) for tree in trees), stdout=subprocess.PIPE, check=True)
    cases, current = [], {}
    for line in answer.stdout.decode("latin-1").split("\n")[:-1]:
        if line == "@end":
            cases.append(current)
            current = {}
        else:
            key, source, value = line.split("\t", 2)
            current[swap(key)] = (source, value)
    return cases


def compare(label, tree, real, ours, defaults):
    wrong = 0
    for key, value in real.items():
        source, guess = ours[key]
        # procps 3.3 takes "-key" for an assignment of "=" and of what its buffer held before: no number, and
        # so nothing that a real key would take.
        if "bullseye procps files" in label and value.startswith("="):
            continue
        if defaults and source in ("default", "unknown"):
            guess = UNTOUCHED
        if guess != value:
            wrong += 1
            print(f"FAIL: {label}: {key} is {value!r}, predicted {guess!r} ({source})")
    if wrong:
        for path, what in sorted(tree.items()):
            print(f"    {path}: {what!r}")
    return wrong


def add_libraries(root, tree):
    """The prediction tells procps 3 from 4 by their libraries."""
    for path in sorted(root.glob("usr/lib/*-linux-gnu/libproc*")) + sorted(root.glob("lib/*-linux-gnu/libproc*")):
        if not path.parent.is_symlink():
            tree[str(path.relative_to(root))] = b""
    return tree


def generated(rng, root, keys, globs, values, count):
    merged = (root / "lib").is_symlink()
    return [add_libraries(root, make_tree(rng, keys, globs, values, merged, True)) for _ in range(count)]


def own_tree(root):
    """The drop-ins that the release itself has."""
    tree = {"lib": "usr/lib"} if (root / "lib").is_symlink() else {}
    for directory in (*DIRECTORIES, "etc/sysctl.conf"):
        if directory == "lib/sysctl.d" and "lib" in tree:
            continue
        for place in sorted((root / directory).glob("*")) if (root / directory).is_dir() else [root / directory]:
            if place.is_symlink():
                tree[str(place.relative_to(root))] = os.readlink(place)
            elif place.is_file():
                tree[str(place.relative_to(root))] = place.read_bytes()
    return add_libraries(root, tree)


def compare_own(predict, suite, root, name, tree, kernel):
    keys, real = (KERNEL_KEYS, real_kernel) if kernel else (OWN_KEYS, real_files)
    trees = [tree, {**tree, **SHIPPED}]
    ours = predicted(predict, name, trees, keys, os.uname().release)
    return sum(compare(f"{suite} {name} own {number}", each, real(root, name, each, keys), ours[number], not kernel)
               for number, each in enumerate(trees))


def compare_files(predict, suite, root, name):
    globs = ["net/probe/conf/*/x", "net/probe/conf/*/y", "net/probe/conf/*/*", "kernel/probe_?", "*/probe",
             "net/probe/conf/[ae]*/x", "net/*/conf/default/x", "net/probe/conf/e*/x"]
    values = ["0", "1", "2", "two words", "a=b", "-1", "", "x # y", "\"quoted\""]
    trees = generated(random.Random(f"files {suite} {name}"), root, FILE_KEYS, globs, values, CASES)
    ours = predicted(predict, name, trees, FILE_KEYS, "6.1")
    wrong = 0
    for number, tree in enumerate(trees):
        wrong += compare(f"{suite} {name} files {number}", tree, real_files(root, name, tree, FILE_KEYS),
                         ours[number], True)
    return wrong


def compare_kernel(predict, suite, root, name):
    globs = ["net/ipv4/conf/*/rp_filter", "net/ipv4/conf/*/accept_redirects", "net/ipv4/conf/*/forwarding",
             "net/ipv4/conf/e*/log_martians", "net/ipv4/conf/*/*_redirects"]
    values = ["0", "0", "1", "1", "2", "-1", "0x1", "010", "08", "0x", "1 # on", "1#", "yes", "", "99999999999", "2 3", "256",
              "+1", "000000000000000000001", "0000000000000000000001", "2147483648", "-2147483648"]
    weighted = KERNEL_KEYS + ["net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"] * 4
    trees = generated(random.Random(f"kernel {suite} {name}"), root, weighted, globs, values, CASES)
    ours = predicted(predict, name, trees, KERNEL_KEYS, os.uname().release)
    wrong = 0
    for number, tree in enumerate(trees):
        wrong += compare(f"{suite} {name} kernel {number}", tree, real_kernel(root, name, tree, KERNEL_KEYS),
                         ours[number], False)
    return wrong


def inside(predict, work):
    """In a mount namespace of our own (see main): nothing here is seen outside."""
    wrong, runs = 0, 0
    for suite in SUITES:
        root = work / suite
        own = own_tree(root)
        for kernel in (False, True):
            subprocess.run(["mount", "-t", "proc" if kernel else "tmpfs", "none", root / "proc"], check=True)
            for name in ("systemd", "procps"):
                wrong += (compare_kernel if kernel else compare_files)(predict, suite, root, name)
                wrong += compare_own(predict, suite, root, name, own, kernel)
                runs += CASES + 2
            subprocess.run(["umount", root / "proc"], check=True)
    print(f"{runs} sets of drop-ins compared, {wrong} values differ")
    return 1 if wrong else 0


def main():
    predict = sys.argv[1]
    if len(sys.argv) > 2:
        return inside(predict, pathlib.Path(sys.argv[2]))
    roots = pathlib.Path(os.environ.get("SLIPWAY_ROOTS", ROOT / "build/images/roots"))
    missing = [str(roots / f"{suite}.tar") for suite in SUITES if not (roots / f"{suite}.tar").exists()]
    if missing:
        give_up(f"no {missing[0]}: run script/test-images")
    isolate = ["unshare", "--mount", "--net", "--pid", "--fork"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    probe = "mount -t proc proc /proc && ip link add eth0 type veth peer name peer0"
    probed = subprocess.run([*isolate, "sh", "-c", probe], stderr=subprocess.PIPE, text=True, check=False)
    if probed.returncode != 0:
        give_up(f"no namespaces with a network interface here: {probed.stderr.strip()}")
    with tempfile.TemporaryDirectory(prefix="slipway-sysctl-") as folder:
        work = pathlib.Path(folder)
        for suite in SUITES:
            (work / suite).mkdir()
            extract(roots / f"{suite}.tar", work / suite)
        command = [*isolate, "--mount-proc", sys.executable, __file__, predict, folder]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
