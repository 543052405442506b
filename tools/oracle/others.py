"""Holds src/files to readers and writers by others: numpy, h5py, Pillow, Assimp (3D files), PCL (.pcd).

Run with a Python that has numpy, h5py and Pillow, on a machine with the commands of Assimp and PCL
(Debian: python3-numpy python3-h5py python3-pil assimp-utils pcl-tools):
    /usr/bin/python3 tools/oracle/others.py              writes test/files/others, and test/files/others.json on all files
    /usr/bin/python3 tools/oracle/others.py FOLDER       prints what the others read in that folder, as JSON
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np
from PIL import Image, ImageOps

FILES = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "files"))
# Files that are there to be refused or hold several things; Pillow ignores the inks of a press, Assimp 5 quantisation.
LEFT_OUT = {"bomb.png", "lzf.h5", "other.h5", "arrays.npz", "rgb_maskcrop.png", "sixteen_alpha.png"}
LEFT_OUT |= {"cmyk.jpg", "interleaved.glb"}


def run(*command):
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# Reading: everything below is the other program's view; no code of this project takes part.


def cloud(points):
    """Counts, bounds, and some points of an array [P, 3 or more]."""
    points = np.asarray(points, np.float64)[:, :3]
    points = points[np.isfinite(points).all(axis=1)]  # without holes
    low, high = points.min(axis=0), points.max(axis=0)
    return {"points": len(points), "low": low, "high": high, "some": points[[0, 1, len(points) // 2, -1]]}


def mesh(path):
    """Triangles, bounds, area, centroid and signed volume, which shows the direction of faces: by Assimp."""
    with tempfile.TemporaryDirectory() as folder:
        result = os.path.join(folder, "mesh.stl")
        run("assimp", "export", path, result, "-tri", "-ptv")
        with open(result) as file:
            corners = np.array([line.split()[1:] for line in file if line.split()[:1] == ["vertex"]], np.float64)
    a, b, c = corners.reshape(-1, 3, 3).transpose(1, 0, 2)
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    used = np.stack([a, b, c])[:, areas > 0].reshape(-1, 3)
    return {
        "triangles": int((areas > 0).sum()),
        "low": used.min(axis=0),
        "high": used.max(axis=0),
        "area": areas.sum(),
        "centroid": (areas[:, None] * (a + b + c) / 3).sum(axis=0) / areas.sum(),
        "volume": (a * np.cross(b, c)).sum() / 6,
    }


def pcd(path):
    with tempfile.TemporaryDirectory() as folder:
        result = os.path.join(folder, "cloud.pcd")
        run("pcl_convert_pcd_ascii_binary", path, result, "0")
        with open(result) as file:
            lines = [line.split() for line in file]
    header = {words[0]: words[1:] for words in lines[:11]}
    columns = [name for name, count in zip(header["FIELDS"], header["COUNT"]) for _ in range(int(count))]
    return cloud(np.array(lines[11:], np.float64)[:, [columns.index(axis) for axis in "xyz"]])


def array(path):
    values = np.load(path)
    values = values[values.files[0]] if path.endswith(".npz") else values
    values = values.reshape(values.shape[-2:])
    return cloud(values.T if len(values) == 3 else values)


def table(path):
    with open(path) as file:
        comma = "," in file.read()
    return cloud(np.genfromtxt(path, delimiter="," if comma else None, comments="#"))


def groups(path):
    with h5py.File(path) as file:
        return {**cloud(file["1/points"][()]), "label": int(file["1"].attrs["label"]), "groups": len(file)}


def picture(path):
    """Some pixels of the picture on white, upright: 8 bits of red, green and blue, row by row."""
    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    step = max(1, max(image.size) // 8)
    pixels = np.asarray(Image.alpha_composite(white, image).convert("RGB"))[::step, ::step]
    return {"width": image.width, "height": image.height, "step": step, "pixels": pixels.tobytes().hex()}


READERS = {ending: picture for ending in (".png", ".jpg", ".webp")}
READERS.update({".npy": array, ".npz": array, ".xyz": table, ".txt": table, ".h5": groups})
if shutil.which("assimp"):
    READERS.update({ending: mesh for ending in (".off", ".obj", ".ply", ".stl", ".glb", ".gltf")})
if shutil.which("pcl_convert_pcd_ascii_binary"):
    READERS[".pcd"] = pcd


def read_all(folder):
    found = {}
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(parent, name)
            read = READERS.get(os.path.splitext(name)[1])
            # Assimp refuses mesh files without faces.
            if not read or name in LEFT_OUT or (read is mesh and "cloud" in name):
                continue
            found[os.path.relpath(path, folder).replace(os.sep, "/")] = read(path)
    return dict(sorted(found.items()))


def plain(value):
    return float(f"{value:.7g}") if isinstance(value, float) else value


def as_json(found):
    def listed(value):
        return [listed(v) for v in value] if isinstance(value, list) else plain(value)

    lines = [
        json.dumps(name) + ": " + json.dumps({k: listed(v.tolist() if hasattr(v, "tolist") else v) for k, v in entry.items()})
        for name, entry in found.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


# Writing: small files as the other programs write them.

# A plate with a notch: its two large faces are concave polygons.
PLATE = """v 0 0 0
v 3 0 0
v 3 1 0
v 1 1 0
v 1 3 0
v 0 3 0
v 0 0 0.25
v 3 0 0.25
v 3 1 0.25
v 1 1 0.25
v 1 3 0.25
v 0 3 0.25
f 3 2 1 6 5 4
f 8 9 10 11 12 7
f 1 2 8 7
f 2 3 9 8
f 3 4 10 9
f 4 5 11 10
f 5 6 12 11
f 6 1 7 12
"""


def write_meshes(folder):
    source = os.path.join(folder, "plate.obj")
    with open(source, "w") as file:
        file.write(PLATE)
    for name, kind in {
        "text.ply": "ply",
        "binary.ply": "plyb",
        "text.stl": "stl",
        "binary.stl": "stlb",
        "normals.obj": "objnomtl",
        "scene.glb": "glb2",
    }.items():
        run("assimp", "export", source, os.path.join(folder, name), f"-f{kind}")
    with tempfile.TemporaryDirectory() as parts:
        run("assimp", "export", source, os.path.join(parts, "scene.gltf"), "-fgltf2")
        with open(os.path.join(parts, "scene.gltf")) as file:
            document = json.load(file)
        with open(os.path.join(parts, document["buffers"][0]["uri"]), "rb") as file:
            data = base64.b64encode(file.read()).decode()
    document["buffers"][0]["uri"] = "data:application/octet-stream;base64," + data
    with open(os.path.join(folder, "inside.gltf"), "w") as file:
        json.dump(document, file)


def write_clouds(folder):
    points = np.stack([np.arange(40) / 8, np.arange(40) ** 2 % 11 / 4 - 1, np.arange(40) / -2], axis=1)
    points[7] = np.nan
    path = lambda name: os.path.join(folder, name)
    np.savetxt(path("cloud.xyz"), points, fmt="%.18e", header="X Y Z")
    np.savetxt(path("cloud.txt"), points, fmt="%.6g", delimiter=",")
    with open(path("source.pcd"), "w") as file:
        file.write(f"VERSION 0.7\nFIELDS intensity z x y\nSIZE 4 4 4 4\nTYPE F F F F\nCOUNT 1 1 1 1\nWIDTH 8\nHEIGHT 5\n")
        file.write("VIEWPOINT 0 0 0 1 0 0 0\nPOINTS 40\nDATA ascii\n")
        file.writelines(f"{i} {z} {x} {y}\n" for i, (x, y, z) in enumerate(points))
    for name, kind in (("text.pcd", "0"), ("binary.pcd", "1"), ("compressed.pcd", "2")):
        run("pcl_convert_pcd_ascii_binary", path("source.pcd"), path(name), kind)
    points[7] = 1
    for kind in ("<f2", "<f4", ">f4", "<f8", ">f8"):
        np.save(path(f"{kind[1:]}{'_big' if kind[0] == '>' else ''}.npy"), points.astype(kind))
    for kind in ("|i1", "<i2", ">i4", "<i8", ">u2", "<u8"):
        np.save(path(f"{kind[1:]}.npy"), np.abs(np.round(points * 4)).astype(kind))
    np.save(path("fortran.npy"), np.asfortranarray(points))
    np.save(path("channels_first.npy"), points.T.copy())
    np.save(path("channels_first_fortran.npy"), np.asfortranarray(points.T))
    np.save(path("batch.npy"), points[None])
    for version in ((2, 0), (3, 0)):
        with open(path(f"version{version[0]}.npy"), "wb") as file:
            np.lib.format.write_array(file, points.astype("f4"), version=version)
    np.savez(path("several.npz"), points=points, labels=np.arange(40), colours=np.zeros((40, 3), np.uint8))
    np.savez_compressed(path("compressed.npz"), points)
    for name, kind, options in (
        ("latest.h5", "<f8", {}),
        ("chunked.h5", "<f4", {"chunks": (16, 2), "compression": "gzip", "shuffle": True, "fletcher32": True}),
        ("big_endian.h5", ">f8", {"chunks": True, "maxshape": (None, 3)}),
        ("integers.h5", "<i2", {"scaleoffset": 0}),
    ):
        with h5py.File(path(name), "w", libver="earliest" if options else "latest") as file:
            for i in range(2):
                group = file.create_group(str(i))
                group.create_dataset("points", data=np.round(points * 8).astype(kind) + i, **options)
                group.attrs["label"] = np.int64(3 + i)


def write_pictures(folder):
    """8 x 8: a ramp of red, a ramp of green, a blue corner."""
    ramp = np.linspace(0, 255, 8).astype(np.uint8)
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = ramp, ramp[:, None]
    pixels[:4, :4, 2] = 255
    image = Image.fromarray(pixels)
    path = lambda name: os.path.join(folder, name)
    for orientation in range(2, 9):
        image.save(path(f"exif{orientation}.png"), exif=tag_of(orientation))
    image.save(path("exif7.jpg"), quality=98, subsampling=0, exif=tag_of(7))
    image.save(path("exif7.webp"), lossless=True, exif=tag_of(7))
    image.save(path("progressive.jpg"), quality=98, subsampling=0, progressive=True)
    image.convert("L").save(path("grey.jpg"), quality=98)
    image.save(path("lossless.webp"), lossless=True)
    image.convert("L").save(path("grey.png"))
    image.convert("L").point(lambda value: value // 17 * 17).quantize(16).save(path("four_bits.png"), bits=4)
    image.save(path("colour_key.png"), transparency=(0, 0, 255))
    indexed = image.quantize(32)
    indexed.save(path("palette_key.png"), transparency=indexed.getpixel((0, 0)))
    alpha = np.dstack([pixels, np.tile(ramp, (8, 1))])
    Image.fromarray(alpha).save(path("alpha.png"))
    Image.fromarray(alpha).save(path("alpha.webp"), lossless=True, exact=True)
    Image.fromarray(alpha[..., 2:]).save(path("grey_alpha.png"))
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save(path("sixteen_bits.png"))


def tag_of(orientation):
    tag = Image.Exif()
    tag[0x0112] = orientation
    return tag


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(as_json(read_all(sys.argv[1])), end="")
    else:
        others = os.path.join(FILES, "others")
        os.makedirs(others, exist_ok=True)
        for write in (write_meshes, write_clouds, write_pictures):
            write(others)
        with open(os.path.join(FILES, "others.json"), "w") as file:
            file.write(as_json(read_all(FILES)))
