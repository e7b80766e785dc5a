"""Whether a file lies on a network file system, where SQLite's write-ahead log does not work."""

from __future__ import annotations

import re
from pathlib import Path

_NETWORK = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse.ceph",
        "fuse.davfs",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "smb2",
        "smb3",
        "smbfs",
        "virtiofs",
    }
)


def network_file_system(path: Path, *, mounts: Path = Path("/proc/mounts")) -> str | None:
    """The type of the network file system that holds `path` ("nfs4"), or None for a local or an unknown one.

    `mounts` lists what is mounted in the manner of fstab(5); where it cannot be read, nothing is known.
    """
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    resolved = path.resolve()
    found, depth = None, -1
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[1]))
        if len(point.parts) >= depth and resolved.is_relative_to(point):
            found, depth = fields[2], len(point.parts)  # of two on one place, the later one covers the earlier
    return found if found in _NETWORK else None
