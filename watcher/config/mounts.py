"""Which file system a path lies on: SQLite's write-ahead log does not work on those of the network."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

_NETWORK = frozenset(
    {
        "nfs",
        "nfs3",
        "nfs4",
        "cifs",
        "smb2",
        "smb3",
        "smbfs",
        "ncpfs",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "gpfs",
    }
    | {"beegfs", "coda", "davfs", "ocfs2", "orangefs", "virtiofs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph"}
    | {"fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.davfs"}
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def network_mount(path: PurePosixPath, mounts: str) -> str | None:
    """The type of the network file system that an absolute path lies on, given the text of /proc/mounts; or None."""
    best, kind = PurePosixPath("/"), ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = PurePosixPath(_OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[1]))
        # Of two mounts on one point the later hides the earlier.
        if path.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, fields[2]
    return kind if kind in _NETWORK else None


def mounts_here() -> str:
    """The text of /proc/mounts; empty where there is none."""
    try:
        return Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
