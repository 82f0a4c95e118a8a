"""Write a file completely or not at all, and say early where none can be written."""

import errno
import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from ..checks import as_path
from ..errors import StylelibError, shown

_NO_FOLDER = "There is no folder {folder}. Create it first, or choose another."
_FORBIDDEN = "{path} may not be written. Choose another folder, or change its permissions."
_FULL = "There is no space left for {path}. Free some space, or choose another disk."
_SENTENCES = {
    errno.ENOENT: _NO_FOLDER,
    errno.ENOTDIR: _NO_FOLDER,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "The system allows no file as large as {path}. Choose a smaller size.",
    errno.EROFS: "The disk of {path} can be read but not written. Choose another folder.",
    errno.ENAMETOOLONG: "The name {name} is too long for a file. Choose a shorter one.",
    errno.ELOOP: "{path} is a link that leads back to itself. Choose another name.",
}
_OTHER = "{path} could not be written ({reason}). Choose another place."


def cannot_write(path: Path, error: OSError) -> StylelibError:
    """The error, in a sentence, that a file can't be written."""
    sentence = _SENTENCES.get(error.errno or 0, _OTHER)
    reason = error.strerror or str(error)
    words = {"path": path, "folder": path.parent, "name": shown(str(path)), "reason": reason}
    return StylelibError(sentence.format_map(words))


def cannot_read(name: str, error: OSError) -> StylelibError:
    """The error, in a sentence, that a file can't be read."""
    if isinstance(error, PermissionError):
        return StylelibError(f"{name} may not be read. Change its permissions.")
    if error.errno == errno.ENAMETOOLONG:
        return StylelibError(f"The name {shown(name)} is too long for a file. Check it.")
    reason = error.strerror or str(error)
    return StylelibError(f"{name} could not be read ({reason}). Copy it, and open the copy.")


def check_place(path: str | os.PathLike[str], endings: Sequence[str], new: bool = False) -> Path:
    """Make sure, before the work starts, that a file can be saved there.

    It has to have one of the `endings`, for example ``".png"``, and a folder that exists and can be
    written to. If there is such a file, it must be an ordinary one that is not write-protected,
    unless it stays, because the new file will get a `new` name.
    """
    path = as_path(path)
    try:
        usable = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise StylelibError(
            f"{shown(str(path))} can't be the name of a file. Use letters and digits."
        )
    if path.suffix.lower() not in endings:
        raise StylelibError(f"{shown(path.name)} must end in {' or '.join(endings)}.")
    if not path.is_absolute():
        _check_working_folder()
    target = _target(path)
    try:
        there = _status(target)
    except OSError as error:
        raise cannot_write(path, error) from error
    replaced = None if new else there
    if replaced is not None and stat.S_ISDIR(replaced.st_mode):
        raise StylelibError(f"{path} is a folder. Name a file in it.")
    if replaced is not None and not stat.S_ISREG(replaced.st_mode):
        raise StylelibError(f"{path} is not an ordinary file. Choose another name.")
    if not os.path.isdir(target.parent):
        raise StylelibError(_NO_FOLDER.format(folder=target.parent))
    try:  # permissions alone don't say: the disk may be read-only, or this may be Windows
        TemporaryFile(dir=target.parent).close()
    except OSError as error:
        raise cannot_write(path, error) from error
    # An administrator may write to any file, but hardly means to write to a protected one. An empty
    # file holds nothing; it may reserve the name.
    protected = replaced and not (replaced.st_mode & 0o222 and os.access(target, os.W_OK))
    if protected and replaced and replaced.st_size:
        raise StylelibError(
            f"{path} is write-protected. Choose another name, or change its permissions."
        )
    return path


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file completely or not at all: an older one stays until the new one is done.

    A link stays, and what it leads to is written. Who may read and write an older file may do so
    with the new one; without an older file, the system's settings decide (the umask).
    """
    target = _target(path)
    # In the same folder: only there is replacing the old file atomic.
    temporary = target.with_name(f".stylelib-{secrets.token_hex(8)}")
    try:
        old = _status(target)
        mode = 0o666 if old is None else 0o600
        with open(temporary, "xb", opener=lambda name, how: os.open(name, how, mode)) as file:
            if old is not None:
                _copy_rights(old, temporary)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _check_working_folder() -> None:
    try:
        os.getcwd()
    except OSError as error:
        raise StylelibError(
            "The folder that you are in was deleted. Go to another one, and try again."
        ) from error


def _target(path: Path) -> Path:
    """The path, or where it leads to if it is a symbolic link."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


def _status(target: Path) -> os.stat_result | None:
    """What the system says about a file, or None if there is none."""
    try:
        return os.stat(target)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _copy_rights(old: os.stat_result, new: Path) -> None:
    """Give the new file the owner, group and permissions of the old one, as far as possible."""
    mode = stat.S_IMODE(old.st_mode)
    with suppress(OSError):  # some disks know no permissions
        if hasattr(os, "chown"):
            for user, group in ((-1, old.st_gid), (old.st_uid, -1)):
                with suppress(OSError):
                    os.chown(new, user, group)
            if os.stat(new).st_gid != old.st_gid:
                mode &= ~0o070  # they were another group's
        os.chmod(new, mode)
