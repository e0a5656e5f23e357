#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A file system as object stores and far disks are, on top of a directory: network_disk.py DIRECTORY MOUNT_POINT [FAULT…].

Always: directories cannot be synced, there are no hard links, a rename is slow, one that never replaces is unknown, and one of a
file copies: until it is done, others see half of it. FAULT:
  stale=NAME    the first read of each file of that name ends with ESTALE
  failing=A,B   the first write to a file of name A, and of B, in a checkpoint and out of one, ends with EIO
  silent        what is new is listed only a second later, though it can be opened
Ends when it is unmounted."""
import errno
import os
import sys
import threading
import time

import fusepy

SLOW = 0.05  # seconds
UNSEEN = 1.0


def fault(error):
    raise fusepy.FuseOSError(error)


class NetworkDisk(fusepy.Operations):
    def __init__(self, root, faults):
        self._root = root
        self._faults = dict(f.partition("=")[::2] for f in faults)
        self._lock = threading.Lock()
        self._stale = set()  # that have been read
        self._failed = set()
        self._made = {}

    def _at(self, path):
        return self._root + path

    def _new(self, path):
        with self._lock:
            self._made[path] = time.monotonic()

    # Calls that are the same there.
    def getattr(self, path, fh=None):
        stat = os.lstat(self._at(path))
        return {name: getattr(stat, name) for name in ("st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_atime",
                                                       "st_mtime", "st_ctime", "st_blocks")}

    def access(self, path, mode):
        if not os.access(self._at(path), mode):
            fault(errno.ENOENT if not os.path.lexists(self._at(path)) else errno.EACCES)

    def mkdir(self, path, mode):
        os.mkdir(self._at(path), mode)
        self._new(path)

    def rmdir(self, path):
        os.rmdir(self._at(path))

    def unlink(self, path):
        os.unlink(self._at(path))

    def open(self, path, flags):
        return os.open(self._at(path), flags & ~(os.O_CREAT | os.O_EXCL))

    def create(self, path, mode, fi=None):
        self._new(path)
        return os.open(self._at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def truncate(self, path, length, fh=None):
        os.truncate(self._at(path), length)

    def flush(self, path, fh):
        return 0

    def release(self, path, fh):
        os.close(fh)
        return 0

    def fsync(self, path, datasync, fh):
        os.fsync(fh)
        return 0

    def statfs(self, path):
        stat = os.statvfs(self._at(path))
        return {name: getattr(stat, name) for name in ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_frsize")}

    # Calls that are not.
    def readdir(self, path, fh):
        names = [".", "..", *os.listdir(self._at(path))]
        if "silent" not in self._faults:
            return names
        with self._lock:
            seen = time.monotonic() - UNSEEN
            return [n for n in names if self._made.get(f"{path.rstrip('/')}/{n}", 0) < seen]

    def read(self, path, size, offset, fh):
        if os.path.basename(path) == self._faults.get("stale"):
            with self._lock:
                if path not in self._stale:
                    self._stale.add(path)
                    fault(errno.ESTALE)
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        # A temporary name begins with the file's own.
        which = os.path.basename(path).partition(".tmp.")[0], "checkpoint" in path
        if which[0] in self._faults.get("failing", "").split(","):
            with self._lock:
                if which not in self._failed:
                    self._failed.add(which)
                    fault(errno.EIO)
        return os.pwrite(fh, data, offset)

    def rename(self, old, new):
        self._new(new)
        if os.path.isdir(self._at(old)):
            os.rename(self._at(old), self._at(new))
            return
        with open(self._at(old), "rb") as source, open(self._at(new), "wb") as target:
            octets = source.read()
            target.write(octets[:len(octets) // 2])
            target.flush()
            threading.Event().wait(SLOW)
            target.write(octets[len(octets) // 2:])
        os.unlink(self._at(old))

    def fsyncdir(self, path, datasync, fh):
        fault(errno.EOPNOTSUPP)

    def link(self, target, source):
        fault(errno.EOPNOTSUPP)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    # What is read is asked for each time: pages that are kept would hide the faults.
    fusepy.FUSE(NetworkDisk(sys.argv[1], sys.argv[3:]), sys.argv[2], foreground=True, big_writes=True, direct_io=True)
