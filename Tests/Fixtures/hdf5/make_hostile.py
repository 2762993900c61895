"""Writes hostile.h5 beside itself: what a reader must refuse. Needs h5py."""
import os
import h5py, numpy as np

here = os.path.dirname(os.path.abspath(__file__))
with h5py.File(os.path.join(here, "hostile.h5"), "w", track_order=False) as f:
    f["good"] = np.arange(6, dtype=np.int16).reshape(2, 3)
    f["soft"] = h5py.SoftLink("/good")
    f["external"] = h5py.ExternalLink("other.h5", "/good")
    f["text"] = "no number"
    f["complex"] = np.zeros(3, np.complex64)
    f["empty"] = h5py.Empty("f4")
    f.create_dataset("huge", (1 << 20, 1 << 20, 1 << 20), "f4", chunks=(1, 1, 64))
    f.create_dataset("large", (1 << 20, 1 << 7), "f4", chunks=(64, 64))
    f.create_dataset("unallocated", (1000, 1000), "f4")
    space = h5py.h5s.create_simple((4,))
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_external(b"/etc/hostname", 0, 16)
    h5py.h5d.create(f.id, b"elsewhere", h5py.h5t.IEEE_F32LE, space, creation)
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    f.create_virtual_dataset("virtual", layout)
    g = f.create_group("cycle")
    g["self"] = f["cycle"]
    f.attrs["fixed"] = np.array([b"one", b"three"])
    f.attrs["variable"] = ["uno", "due", "tre"]
    f.attrs["latin"] = np.array([b"\xe9t\xe9"])
    f.attrs["number"] = 7
