"""Writes small archives for the tests of unpacking: one good one and hostile ones of each kind.

    make_archives.py FOLDER
"""

import io
import os
import sys
import tarfile
import zipfile

folder = sys.argv[1]


def member(name, data=b"words\n", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, io.BytesIO(data)


def tar(name, *members, mode="w:gz"):
    with tarfile.open(os.path.join(folder, name), mode) as archive:
        for info, data in members:
            data.seek(0)
            archive.addfile(info, data if info.isreg() else None)


good = [
    member("./set", b"", type=tarfile.DIRTYPE),
    member("./set/a.wav", b"a" * 70_000, mode=0o4777),
    member("./set/deep/b.wav", b"b" * 10),
    member("./set/list.txt", b"a.wav\n"),
]
tar("good.tar.gz", *good)
tar("good.tar.xz", *good, mode="w:xz")
with zipfile.ZipFile(os.path.join(folder, "good.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
    for info, data in good[1:]:
        archive.writestr(info.name[2:], data.getvalue())

tar("absolute.tar.gz", member("/tmp/shiftwork-absolute.wav"))
tar("dotdot.tar.gz", member("set/a.wav"), member("set/../../out.wav"))
tar("symlink.tar.gz", member("set/link", b"", type=tarfile.SYMTYPE, linkname="/etc"),
    member("set/link/passwd"))
tar("hardlink.tar.gz", member("set/a.wav"),
    member("set/b.wav", b"", type=tarfile.LNKTYPE, linkname="/etc/passwd"))
tar("device.tar.gz", member("set/null", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=3))
tar("pipe.tar.gz", member("set/pipe", b"", type=tarfile.FIFOTYPE))
tar("twice.tar.gz", member("set/a.wav"), member("set/a.wav", b"others\n"))
tar("filefolder.tar.gz", member("set"), member("set/a.wav"))
tar("control.tar.gz", member("set/a\x1b[2J.wav"))
tar("bomb.tar.gz", member("set/zeros.wav", bytes(64 << 20)))
tar("many.tar.gz", *[member(f"set/{index}.wav", b"") for index in range(3000)])
tar("other.tar.gz", member("elsewhere/a.wav"))
with tarfile.open(os.path.join(folder, "empty.tar.gz"), "w:gz"):
    pass
with zipfile.ZipFile(os.path.join(folder, "dotdot.zip"), "w") as archive:
    archive.writestr("set/../../out.wav", b"words\n")
with zipfile.ZipFile(os.path.join(folder, "bomb.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("set/zeros.wav", bytes(64 << 20))
with open(os.path.join(folder, "good.tar.gz"), "rb") as file:
    data = file.read()
with open(os.path.join(folder, "truncated.tar.gz"), "wb") as file:
    file.write(data[: len(data) * 2 // 3])
with open(os.path.join(folder, "good.zip"), "rb") as file:
    data = bytearray(file.read())
data[60] ^= 0x55
with open(os.path.join(folder, "damaged.zip"), "wb") as file:
    file.write(data)
with open(os.path.join(folder, "text.tar.gz"), "wb") as file:
    file.write(b"<html>404: not the archive that you want</html>\n" * 20)
