#!/usr/bin/env python3
"""Backup programs side by side over one server: OpenSSH's SFTP, or a bucket of a Ceph that runs in memory; on
loopback, or over a slow line.

For every program in turn, on the same tree and the same server:
  backup1   first backup of SRC              backup2   nothing changed
  one       one file of the newest snapshot  check     structure only
  restore   all of it, to an empty folder

Each step is run after `sync`. Prints the median of the wall times and their ratio to the fastest other program.
`--line MBIT,MS` puts a line of that rate and that way there and back between program and server (a delaying
proxy; the rate is kept by it too), and prints how much of the line the first backup used.

usage: targets.py --src DIR --work DIR [--server sftp|s3] [--tools lifeboat,restic,rustic] [--rounds N]
                  [--line 20,80]
Programs come from the environment: LIFEBOAT, RESTIC, RUSTIC (paths), default: by name on PATH.
"""
import argparse, asyncio, collections, datetime, getpass, hashlib, hmac, os, shutil, socket, statistics, subprocess
import sys, threading, time, urllib.request


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Ssh:
    """OpenSSH with a key of its own."""

    def __init__(self, work):
        self.dir, self.port = os.path.join(work, "ssh"), port()
        os.makedirs(self.dir, mode=0o700)
        for name in ("host", "login"):
            subprocess.check_call(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.dir}/{name}"])
        shutil.copy(f"{self.dir}/login.pub", f"{self.dir}/authorized")
        with open(f"{self.dir}/sshd_config", "w") as f:
            f.write(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.dir}/host\n"
                    f"AuthorizedKeysFile {self.dir}/authorized\nPidFile none\nStrictModes no\nUsePAM no\n"
                    "PermitRootLogin yes\nSubsystem sftp internal-sftp\nMaxStartups 100\n")
        os.makedirs("/run/sshd", exist_ok=True)
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", f"{self.dir}/sshd_config"],
                                        stderr=subprocess.PIPE)
        while b"listening" not in (line := self.process.stderr.readline()):
            if not line:
                sys.exit("sshd ended")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def end(self): self.process.kill()


class S3:
    """The gateway of the tests, with a user, and a bucket for every round of every program."""
    ACCESS, SECRET, BUCKET = "bench-key", "bench-secret-of-the-tests", "bench"

    def __init__(self, work):
        self.dir, self.port = os.path.join(work, "rgw"), port()
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/s3/rgw.sh")
        self.process = subprocess.Popen([script, self.dir, str(self.port), str(port())], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b"ready\n":
            sys.exit("the gateway did not start")
        subprocess.check_call(["radosgw-admin", "--conf", f"{self.dir}/ceph.conf", "--name", "client.admin", "user",
                               "create", "--uid=bench", "--display-name=bench", f"--access-key={self.ACCESS}",
                               f"--secret={self.SECRET}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.ask("PUT", f"/{self.BUCKET}")

    def ask(self, method, path):
        """One request, signed by AWS Signature Version 4."""
        at, host = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ"), f"127.0.0.1:{self.port}"
        body = hashlib.sha256(b"").hexdigest()
        signed = "host;x-amz-content-sha256;x-amz-date"
        lines = f"host:{host}\nx-amz-content-sha256:{body}\nx-amz-date:{at}\n"
        asked = hashlib.sha256(f"{method}\n{path}\n\n{lines}\n{signed}\n{body}".encode()).hexdigest()
        scope, key = f"{at[:8]}/us-east-1/s3/aws4_request", f"AWS4{self.SECRET}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{asked}"
        sign = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        headers = {"x-amz-content-sha256": body, "x-amz-date": at, "Authorization":
                   f"AWS4-HMAC-SHA256 Credential={self.ACCESS}/{scope}, SignedHeaders={signed}, Signature={sign}"}
        urllib.request.urlopen(urllib.request.Request(f"http://{host}{path}", method=method, headers=headers)).read()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Line:
    """A line of so many bits a second, and so many ms there and back, to a port."""

    def __init__(self, to, mbit, ms):
        self.to, self.rate, self.delay = to, mbit * 1e6 / 8, ms / 2000
        self.port, self.bytes_up = port(), 0
        self.free_at = {"up": 0.0, "down": 0.0}
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(ready)), daemon=True).start()
        ready.wait()

    async def serve(self, ready):
        server = await asyncio.start_server(self.accept, "127.0.0.1", self.port)
        ready.set()
        await server.serve_forever()

    async def accept(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        await asyncio.gather(self.carry(reader, far_writer, "up"), self.carry(far_reader, writer, "down"))

    async def carry(self, reader, writer, way):
        """Packets leave one after the other at the rate of the line, and arrive `delay` later."""
        queue, loop = asyncio.Queue(64), asyncio.get_running_loop()

        async def deliver():
            while (item := await queue.get()) is not None:
                due, data = item
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                writer.write(data)
                await writer.drain()
            writer.close()

        delivering = asyncio.create_task(deliver())
        try:
            while data := await reader.read(16 * 1024):
                now = loop.time()
                start = max(now, self.free_at[way])
                self.free_at[way] = start + len(data) / self.rate
                if way == "up":
                    self.bytes_up += len(data)
                await queue.put((self.free_at[way] + self.delay, data))
                if (ahead := self.free_at[way] - loop.time()) > 0.05:
                    await asyncio.sleep(ahead - 0.05)
        except (ConnectionError, OSError):
            pass
        await queue.put(None)
        try:
            await delivering
        except (ConnectionError, OSError):
            pass


class Tool:
    def __init__(self, work, server, at):
        self.work, self.server, self.at = work, server, at
        self.user = getpass.getuser()
        self.repo = os.path.join(work, "repo")
        self.home = os.path.join(work, "home")
        os.makedirs(self.home, exist_ok=True)
        self.env = {"HOME": self.home}
        self.is_s3 = isinstance(server, S3)
        if self.is_s3:
            self.prefix = os.path.basename(work) + f"-{time.monotonic_ns()}"
            self.env |= {"AWS_ACCESS_KEY_ID": S3.ACCESS, "AWS_SECRET_ACCESS_KEY": S3.SECRET}
            return
        with open(f"{work}/known", "w") as f:
            f.write(f"[127.0.0.1]:{at} " + " ".join(open(f"{server.dir}/host.pub").read().split()[:2]) + "\n")
        with open(f"{work}/ssh_config", "w") as f:
            f.write(f"Host nas\nHostName 127.0.0.1\nPort {at}\nUser {self.user}\nIdentityFile {server.dir}/login\n"
                    f"UserKnownHostsFile {work}/known\nIdentitiesOnly yes\n")

    def run(self, argv, cwd=None):
        os.sync()
        began = time.monotonic()
        done = subprocess.run(argv, env={**os.environ, **self.env}, cwd=cwd, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
        took = time.monotonic() - began
        if done.returncode:
            sys.exit(f"{argv}: {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}")
        return took


class Lifeboat(Tool):
    def __init__(self, *args):
        super().__init__(*args)
        self.b = os.environ.get("LIFEBOAT", "lifeboat")
        open(f"{self.work}/pass", "w").write("x\n")
        os.chmod(f"{self.work}/pass", 0o600)
        self.env |= {"LIFEBOAT_PASSWORD_FILE": f"{self.work}/pass", "LIFEBOAT_CACHE_DIR": f"{self.work}/cache"}
        if self.is_s3:
            self.env["LIFEBOAT_REPOSITORY"] = f"s3:http://127.0.0.1:{self.at}/{S3.BUCKET}/{self.prefix}"
            return
        self.env |= {"LIFEBOAT_REPOSITORY": f"sftp://{self.user}@127.0.0.1:{self.at}{self.repo}",
                     "LIFEBOAT_SFTP_IDENTITY": f"{self.server.dir}/login",
                     "LIFEBOAT_SFTP_KNOWN_HOSTS": f"{self.work}/known"}

    def init(self): return self.run([self.b, "-q", "init"])
    def backup(self, src): return self.run([self.b, "-q", "backup", "."], cwd=src)
    def check(self): return self.run([self.b, "-q", "check"])
    def one(self, path, dst): return self.run([self.b, "-q", "restore", f"latest:{path}", "--target", dst])
    def restore(self, dst): return self.run([self.b, "-q", "restore", "latest", "--target", dst])


class Restic(Tool):
    def __init__(self, *args):
        super().__init__(*args)
        self.b = os.environ.get("RESTIC", "restic")
        self.env |= {"RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": f"{self.work}/cache"}
        if self.is_s3:
            self.o = ["-r", f"s3:http://127.0.0.1:{self.at}/{S3.BUCKET}/{self.prefix}", "-q"]
            return
        self.o = ["-o", f"sftp.command=ssh -F {self.work}/ssh_config nas -s sftp", "-r", f"sftp:nas:{self.repo}", "-q"]

    def init(self): return self.run([self.b, *self.o, "init"])
    def backup(self, src): return self.run([self.b, *self.o, "backup", "."], cwd=src)
    def check(self): return self.run([self.b, *self.o, "check"])
    def one(self, path, dst):
        return self.run([self.b, *self.o, "restore", "latest", "--include", f"/{path}", "--target", dst])
    def restore(self, dst): return self.run([self.b, *self.o, "restore", "latest", "--target", dst])


class Rustic(Tool):
    def __init__(self, *args):
        super().__init__(*args)
        self.b = os.environ.get("RUSTIC", "rustic")
        if self.is_s3:
            options = (f'[repository]\nrepository = "opendal:s3"\npassword = "x"\n[repository.options]\n'
                       f'endpoint = "http://127.0.0.1:{self.at}"\nbucket = "{S3.BUCKET}"\nroot = "/{self.prefix}"\n'
                       f'region = "us-east-1"\naccess_key_id = "{S3.ACCESS}"\nsecret_access_key = "{S3.SECRET}"\n')
        else:
            os.makedirs(f"{self.home}/.ssh", exist_ok=True)
            os.makedirs(self.repo, exist_ok=True)
            shutil.copy(f"{self.work}/known", f"{self.home}/.ssh/known_hosts")
            options = ('[repository]\nrepository = "opendal:sftp"\npassword = "x"\n[repository.options]\n'
                    f'endpoint = "ssh://127.0.0.1:{self.at}"\nuser = "{self.user}"\nroot = "{self.repo}"\n'
                    f'key = "{self.server.dir}/login"\nknown_hosts_strategy = "Accept"\n')
        with open(f"{self.work}/rustic.toml", "w") as f:
            f.write(options)
        self.env |= {"RUSTIC_CACHE_DIR": f"{self.work}/cache", "RUSTIC_NO_PROGRESS": "true",
                     "RUSTIC_LOG_LEVEL": "error"}
        self.o = ["-P", f"{self.work}/rustic"]

    def init(self): return self.run([self.b, *self.o, "init"])
    def backup(self, src): return self.run([self.b, *self.o, "backup", "."], cwd=src)
    def check(self): return self.run([self.b, *self.o, "check"])
    def one(self, path, dst): return self.run([self.b, *self.o, "restore", f"latest:{path}", dst])
    def restore(self, dst): return self.run([self.b, *self.o, "restore", "latest", dst])


TOOLS = {"lifeboat": Lifeboat, "restic": Restic, "rustic": Rustic}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--src", required=True)
    a.add_argument("--work", required=True)
    a.add_argument("--tools", default="lifeboat,restic,rustic")
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--line")
    a.add_argument("--server", default="sftp", choices=("sftp", "s3"))
    a = a.parse_args()
    src = os.path.realpath(a.src)
    # The file that is in the middle of the tree, by name.
    files = sorted(os.path.relpath(os.path.join(d, f), src) for d, _, fs in os.walk(src) for f in fs)
    middle = files[len(files) // 2]
    shutil.rmtree(a.work, ignore_errors=True)
    os.makedirs(a.work)
    server = {"sftp": Ssh, "s3": S3}[a.server](a.work)
    times, used = collections.defaultdict(list), []
    for _ in range(a.rounds):
        for name in a.tools.split(","):
            work = os.path.join(a.work, name)
            shutil.rmtree(work, ignore_errors=True)
            os.makedirs(work)
            line = Line(server.port, *map(float, a.line.split(","))) if a.line else None
            tool = TOOLS[name](work, server, line.port if line else server.port)
            tool.init()
            before = line.bytes_up if line else 0
            took = tool.backup(src)
            times[name, "backup1"].append(took)
            if line and name == "lifeboat":
                used.append((line.bytes_up - before) / took / line.rate)
            times[name, "backup2"].append(tool.backup(src))
            times[name, "check"].append(tool.check())
            times[name, "one"].append(tool.one(middle, f"{work}/one"))
            times[name, "restore"].append(tool.restore(f"{work}/all"))
            shutil.rmtree(work, ignore_errors=True)
    server.end()
    for step in ("backup1", "backup2", "check", "one", "restore"):
        medians = {name: statistics.median(times[name, step]) for name in a.tools.split(",")}
        rivals = [took for name, took in medians.items() if name != "lifeboat"]
        ratio = f"  {medians['lifeboat'] / min(rivals):.2f}" if rivals and "lifeboat" in medians else ""
        print(f"{step:9}" + "".join(f"{name} {took:.2f} s  " for name, took in medians.items()) + ratio)
    if used:
        print(f"the first backup used {statistics.median(used):.0%} of the line")


main()
