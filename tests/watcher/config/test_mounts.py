"""On which file system a path lies."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from watcher.config.mounts import mounts_here, network_mount

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /mnt/share nfs4 rw 0 0
/dev/sdb1 /mnt/share/local xfs rw 0 0
//server/x /mnt/my\\040share cifs rw 0 0
server:/old /data nfs rw 0 0
/dev/sdc1 /data ext4 rw 0 0
nonsense
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/watcher", None),
        ("/mnt/share", "nfs4"),
        ("/mnt/share/a/b", "nfs4"),
        ("/mnt/shared", None),
        ("/mnt/share/local/a", None),
        ("/mnt/my share/a", "cifs"),
        ("/data/a", None),
    ],
)
def test_the_deepest_and_latest_mount_decides(path: str, kind: str | None) -> None:
    assert network_mount(PurePosixPath(path), MOUNTS) == kind


def test_without_a_list_of_mounts_nothing_is_said() -> None:
    assert network_mount(PurePosixPath("/data"), "") is None


def test_the_list_of_this_machine_is_read_without_complaint() -> None:
    assert network_mount(PurePosixPath("/proc"), mounts_here()) is None
