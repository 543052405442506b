"""Writes test/files: small files of every format that src/files reads, with known content.

Run with a Python that has numpy, h5py and Pillow (Debian: python3-numpy python3-h5py python3-pil):
    /usr/bin/python3 tools/oracle/files.py
"""

import json
import os
import struct
import zipfile
import zlib

import h5py
import numpy as np
from PIL import Image

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "files")

# A unit square in z = 0, as a quad, and a triangle leaning over it; vertex 5 is unused.
POSITIONS = np.array(
    [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 0.5, 1.25], [-7.5, 2e-3, 3]], dtype=np.float64
)
FACES = [[0, 1, 2, 3], [0, 1, 4]]
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3], [0, 1, 4]])
# A cloud of 40 points, not random: each coordinate is exact in float32 and in short decimals.
CLOUD = np.array([[i / 8, (i * i) % 11 / 4 - 1, -i / 2] for i in range(40)])


def write(name, content):
    mode = "wb" if isinstance(content, bytes) else "w"
    with open(os.path.join(FOLDER, name), mode, **({} if mode == "wb" else {"newline": ""})) as file:
        file.write(content)


def number(value):
    return f"{value:g}"


def row(values):
    return " ".join(number(value) for value in values)


def off():
    vertices = "\n".join(row(p) for p in POSITIONS)
    write("plain.off", f"OFF\n6 2 0\n{vertices}\n4 0 1 2 3\n3 0 1 4\n")
    write("glued.off", f"OFF6 2 0\n{vertices}\n4 0 1 2 3\n3 0 1 4\n")
    write(
        "comments.off",
        f"# made by hand\r\n\r\nOFF\r\n\r\n# counts\r\n6 2 0 # edges unknown\r\n\r\n"
        + vertices.replace("\n", "\r\n")
        + "\r\n\r\n4 0 1 2 3 255 0 0 # red\r\n3  0\t1 4 0.5 0.5 0.5 1\r\n\r\n",
    )
    rows = "\n".join(f"{row(p)} 0 0 1 255 128 0 255" for p in POSITIONS)
    write("colours.off", f"CNOFF\n6 2 0\n{rows}\n4 0 1 2 3\n3 0 1 4\n")


def obj():
    vertices = "\n".join(f"v {row(p)}" for p in POSITIONS)
    write(
        "mesh.obj",
        "# cube corner\nmtllib none.mtl\no thing\n" + vertices + "\nvt 0 0\nvn 0 0 1\nusemtl red\ns off\n"
        "f 1/1/1 2/1/1 3//1 \\\n 4/1\ng roof\nf -6 -5 -2\n",
    )
    write("cloud.obj", "".join(f"v {row(p)} 0.5 0.5 0.5\n" for p in CLOUD))


def ply_header(kind, vertex, face=True):
    lines = ["ply", f"format {kind} 1.0", "comment by hand", f"element vertex {len(vertex)}"]
    lines += [f"property {p}" for p in ("double x", "float y", "float z", "uchar red")]
    if face:
        lines += ["element face 2", "property uchar material", "property list uchar int vertex_indices"]
    return "\n".join(lines + ["end_header", ""])


def ply():
    text = "".join(f"{row(p)} 255\n" for p in POSITIONS)
    write("ascii.ply", ply_header("ascii", POSITIONS) + text + "9 4 0 1 2 3\n9 3 0 1 4\n")
    for name, kind, order in (("little", "binary_little_endian", "<"), ("big", "binary_big_endian", ">")):
        body = b"".join(struct.pack(order + "dffB", *p, 255) for p in POSITIONS)
        body += b"".join(struct.pack(f"{order}BB{len(f)}i", 9, len(f), *f) for f in FACES)
        write(f"{name}.ply", ply_header(kind, POSITIONS).encode() + body)
    body = b"".join(struct.pack("<dffB", *p, 255) for p in CLOUD)
    write("cloud.ply", ply_header("binary_little_endian", CLOUD, face=False).encode() + body)


def stl():
    facets = ""
    body = b""
    for triangle in TRIANGLES:
        corners = POSITIONS[triangle]
        facets += " facet normal nan 0 1\n  outer loop\n"
        facets += "".join(f"   vertex {p[0]:e} {p[1]:e} {p[2]:e}\n" for p in corners) + "  endloop\n endfacet\n"
        body += struct.pack("<12fH", 0, 0, 1, *corners.ravel(), 0)
    write("ascii.stl", f"solid a thing\n{facets}endsolid a thing\n")
    write("binary.stl", b"solid, yet binary".ljust(80) + struct.pack("<I", len(TRIANGLES)) + body)


def lzf(data):
    """LZF with literals, and back references for runs: enough to test every branch of a decoder."""
    out = b""
    position = 0
    literal = b""

    def flush():
        nonlocal out, literal
        while literal:
            part, literal = literal[:32], literal[32:]
            out += bytes([len(part) - 1]) + part

    while position < len(data):
        best, distance = 0, 0
        for back in range(1, min(position, 200) + 1):
            length = 0
            while length < 264 and position + length < len(data) and data[position + length - back] == data[position + length]:
                length += 1
            if length > best:
                best, distance = length, back
        if best >= 3:
            flush()
            length, offset = best - 2, distance - 1
            if length < 7:
                out += bytes([(length << 5) | (offset >> 8), offset & 255])
            else:
                out += bytes([(7 << 5) | (offset >> 8), length - 7, offset & 255])
            position += best
        else:
            literal += data[position : position + 1]
            position += 1
    flush()
    return out


def pcd_header(kind, count):
    return (
        "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS rgb x y z\nSIZE 4 4 4 8\nTYPE U F F F\n"
        f"COUNT 1 1 1 1\nWIDTH {count}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {count}\nDATA {kind}\n"
    )


def pcd():
    text = "".join(f"{4294967295 - i} {row(p)}\n" for i, p in enumerate(CLOUD))
    write("ascii.pcd", pcd_header("ascii", 41) + text + "7 nan nan nan\n")
    body = b"".join(struct.pack("<Iffd", 7, *p) for p in CLOUD)
    write("binary.pcd", pcd_header("binary", 40).encode() + body)
    columns = np.full(40, 7, "<u4").tobytes() + b"".join(
        CLOUD[:, axis].astype(kind).tobytes() for axis, kind in enumerate(("<f4", "<f4", "<f8"))
    )
    packed = lzf(columns)
    write(
        "compressed.pcd",
        pcd_header("binary_compressed", 40).encode() + struct.pack("<II", len(packed), len(columns)) + packed,
    )


def arrays():
    path = os.path.join(FOLDER, "")
    np.save(path + "f4.npy", CLOUD.astype("<f4"))
    np.save(path + "f8_big_fortran.npy", np.asfortranarray(np.hstack([CLOUD, CLOUD[:, :1]]).astype(">f8")))
    np.save(path + "f2.npy", CLOUD.astype("<f2"))
    bits = (np.arange(4 * 27).reshape(4, 27) % 5 == 0).astype(np.uint8)
    with zipfile.ZipFile(path + "arrays.npz", "w") as archive:
        for name, array in {
            "X_train": np.packbits(bits, axis=1),
            "y_train": np.array([3, 1, -4, 2**40], np.int64),
            "points": CLOUD.astype("<f4"),
            "flags": np.array([True, False]),
            "scalar": np.array(7, np.int16),
        }.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                np.save(member, array)
    np.savez_compressed(path + "compressed.npz", pc=CLOUD.astype("<f4"))
    write("cloud.xyz", "# x y z and colour\n" + "".join(f"{row(p)} 1 2 3\n" for p in CLOUD))
    write("commas.txt", "".join(f"{p[0]:.6f},{p[1]:.6f},{p[2]:.6f},0,0,1\n" for p in CLOUD))


def glb(name, document, binary, cut=None):
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if binary:
        chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    write(name, struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)


def gltf():
    positions = POSITIONS.astype("<f4").tobytes()
    indices = TRIANGLES.astype("<u2").tobytes()
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0, 2]}],
        "nodes": [
            {"translation": [10, 0, 0], "rotation": [0, 0, 2**-0.5, 2**-0.5], "scale": [2, 2, 2], "children": [1]},
            {"mesh": 0},
            {"mesh": 1, "matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 5, 1]},
            {"mesh": 0, "name": "not in the scene"},
        ],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]},
            {"primitives": [{"attributes": {"POSITION": 0}, "mode": 5}]},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 6, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 9, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": len(positions)},
            {"buffer": 0, "byteOffset": len(positions), "byteLength": len(indices)},
        ],
        "buffers": [{"byteLength": len(positions) + len(indices)}],
    }
    glb("scene.glb", document, positions + indices)
    # The same square twice: interleaved with normals, and quantised to 16 bits; indices in bytes.
    interleaved = b"".join(struct.pack("<6f", *p, 0, 0, 1) for p in POSITIONS)
    quantised = b"".join(struct.pack("<3hxx", *(round(c * 1000) for c in p)) for p in POSITIONS)
    small = bytes(TRIANGLES.astype("u1").ravel())
    sizes = [len(interleaved), len(quantised), len(small)]
    document = {
        "asset": {"version": "2.0"},
        "extensionsUsed": ["KHR_mesh_quantization"],
        "extensionsRequired": ["KHR_mesh_quantization"],
        "scenes": [{"nodes": [0, 1]}],
        "nodes": [{"mesh": 0}, {"mesh": 1, "scale": [0.001, 0.001, 0.001]}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 0}, "indices": 2}]},
            {"primitives": [{"attributes": {"POSITION": 1}, "indices": 2, "mode": 4}]},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 6, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5122, "count": 6, "type": "VEC3"},
            {"bufferView": 2, "componentType": 5121, "count": 9, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": sizes[0], "byteStride": 24},
            {"buffer": 0, "byteOffset": sizes[0], "byteLength": sizes[1], "byteStride": 8},
            {"buffer": 0, "byteOffset": sizes[0] + sizes[1], "byteLength": sizes[2]},
        ],
        "buffers": [{"byteLength": sum(sizes)}],
    }
    glb("interleaved.glb", document, interleaved + quantised + small)


def hdf5():
    for name, options in (("clouds.h5", {}), ("clouds_packed.h5", {"compression": "gzip", "shuffle": True})):
        with h5py.File(os.path.join(FOLDER, name), "w") as file:
            for i in range(3):
                group = file.create_group(str(i))
                image = np.zeros((30, 30))
                image[i, 2 * i] = 0.5
                points = CLOUD[: 20 + i] + i
                group.create_dataset("img", data=image, **options)
                group.create_dataset("points", data=points if i else points.astype("f4"), **options)
                group.create_dataset("normals", data=np.tile([0.0, 0, 1], (20 + i, 1)), **options)
                group.attrs["label"] = 5 - i
    with h5py.File(os.path.join(FOLDER, "other.h5"), "w") as file:
        file.create_dataset("X_train", data=np.zeros((2, 8)))


def picture():
    """40 wide, 20 high: left half red, right half blue, the top left quarter of it white."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = [255, 0, 0]
    pixels[:, 20:] = [0, 0, 255]
    pixels[:10, :20] = 255
    return pixels


def images():
    path = os.path.join(FOLDER, "")
    rgb = Image.fromarray(picture())
    rgb.save(path + "rgb.png")
    rgb.save(path + "rgb.jpg", quality=95, subsampling=0)
    rgb.save(path + "rgb.webp", lossless=True)
    rgb.convert("L").save(path + "grey.png")
    rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=4).save(path + "palette.png")
    rgb.convert("1", dither=Image.Dither.NONE).save(path + "one_bit.png")
    rgb.convert("CMYK").save(path + "cmyk.jpg", quality=95)
    rotated = Image.fromarray(np.rot90(picture()).copy())  # rotated to the left; the tag says to rotate it right for display
    tag = Image.Exif()
    tag[0x0112] = 6
    rotated.save(path + "exif.jpg", quality=95, subsampling=0, exif=tag)
    alpha = np.dstack([picture(), np.full((20, 40), 255, np.uint8)])
    alpha[10:, :, 3] = 0
    alpha[:10, 20:, 3] = 128
    Image.fromarray(alpha).save(path + "alpha.png")
    ramp = (np.arange(16 * 16).reshape(16, 16) * 257).astype(np.uint16)
    Image.fromarray(ramp).save(path + "sixteen.png")
    # 16 bits of grey and of alpha, which Pillow cannot write: black, left half transparent, right half opaque.
    rows = b"".join(b"\0" + struct.pack(">4H", 0, 0, 0, 65535) for _ in range(2))
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 4, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    write(
        "sixteen_alpha.png",
        b"\x89PNG\r\n\x1a\n"
        + b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts),
    )
    Image.fromarray(np.full((1, 1, 3), [0, 255, 0], np.uint8)).save(path + "one_pixel.png")
    mask = np.zeros((20, 40), bool)
    mask[:, 10:30] = True
    Image.fromarray(mask).save(path + "rgb_maskcrop.png")
    # 400 million pixels in 50 kB.
    bomb = Image.new("1", (20000, 20000))
    bomb.save(path + "bomb.png", optimize=True)


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    for make in (off, obj, ply, stl, pcd, arrays, gltf, hdf5, images):
        make()
