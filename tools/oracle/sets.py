"""Writes test/sets: a small tree in the layout of every data set that src/data/sets reads, with known content.

Run with a Python that has numpy, h5py and Pillow (Debian: python3-numpy python3-h5py python3-pil):
    /usr/bin/python3 tools/oracle/sets.py
"""

import os
import shutil

import h5py
import numpy as np
from PIL import Image

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "sets")


def place(*names):
    path = os.path.join(FOLDER, *names)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def text(content, *names):
    with open(place(*names), "w", newline="") as file:
        file.write(content)


def cloud(number, points=40):
    """Points on a bent line, another one for each number; exact in float32."""
    i = np.arange(points)
    return np.stack([i / 8, (i * i * (number + 1)) % 11 / 4 - 1, -i / 2 + number], axis=1).astype(np.float32)


def picture(number, size=12):
    """Grey, 0..255: a bright square on black, at a different place in each picture."""
    pixels = np.zeros((size, size), np.uint8)
    pixels[number % (size - 4) : number % (size - 4) + 4, 2:8] = 255 - number
    return pixels


def box(width, depth, height):
    corners = [[x, y, z] for z in (0, height) for y in (0, depth) for x in (0, width)]
    faces = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
    return corners, faces


def off(corners, faces, header="OFF\n"):
    rows = [" ".join(f"{value:g}" for value in corner) for corner in corners]
    rows += [" ".join(str(value) for value in [len(face), *face]) for face in faces]
    return f"{header}{len(corners)} {len(faces)} 0\n" + "\n".join(rows) + "\n"


def mnist_hdf5():
    """Groups as in the published files, with pictures of their own and without."""
    for split, count in [("train", 6), ("test", 3)]:
        with h5py.File(place("mnist_hdf5", f"{split}_point_clouds.h5"), "w", libver="latest") as file:
            for i in range(count):
                group = file.create_group(str(i))
                # Copies differ: padded in 0..1, or as in MNIST.
                img = (picture(i, 30) / 255).astype(np.float32) if split == "train" else picture(i, 28)
                group.create_dataset("img", data=img, compression="gzip")
                group.create_dataset("points", data=cloud(i))
                group.attrs["label"] = i % 10
        # The same without pictures, which then come from MNIST's own files.
        with h5py.File(place("mnist_hdf5_plain", f"{split}_point_clouds.h5"), "w", libver="latest") as file:
            for i in range(count):
                group = file.create_group(str(i))
                group.create_dataset("points", data=cloud(i))
                group.attrs["label"] = i % 10
        name = "train" if split == "train" else "t10k"
        pixels = np.stack([picture(i, 28) for i in range(count)])
        header = b"".join(number.to_bytes(4, "big") for number in [2051, count, 28, 28])
        with open(place("mnist_hdf5_plain", f"{name}-images-idx3-ubyte"), "wb") as file:
            file.write(header + pixels.tobytes())


def mnist_lists():
    """As released: the lists of pictures and clouds are in different orders, with the folders above in front."""
    for split, count in [("train", 6), ("test", 3)]:
        images, clouds = [], []
        for i in range(count):
            label, number = i % 3, f"{i + 1:06d}"
            image = f"3dmnist/{split}/rgb_imgs/{label}_RGBImg_{split}_{number}.png"
            points = f"3dmnist/{split}/point_cloud/{label}_PointCloud_{split}_{number}.npy"
            Image.fromarray(np.repeat(picture(i)[:, :, None], 3, axis=2)).save(place("mnist_lists", image))
            np.save(place("mnist_lists", points), cloud(i).astype(np.float64))
            images.append(f"./dataset/{image} {label}\n")
            clouds.insert(0, f"./dataset/{points} {label}\n")
        text("".join(images), "mnist_lists", f"mnist3d_RGBImgs_{split}_list.txt")
        text("".join(clouds), "mnist_lists", f"mnist3d_PointCloud_{split}_list.txt")


def modelnet():
    for name, width in [("box", 1), ("long_plank", 6)]:
        for i in range(1, 6):
            split = "train" if i <= 3 else "test"
            corners, faces = box(width, 1 + i / 4, 1)
            # One with a glued header, one turned inside out, one with an unused vertex and a face without area.
            if i == 2:
                faces = [face[::-1] for face in faces]
            if i == 3:
                corners, faces = [*corners, [900, 900, 900]], [*faces, [0, 0, 1]]
            text(off(corners, faces, "OFF" if i == 1 else "OFF\n"), "modelnet", name, split, f"{name}_{i:04d}.off")
    text("not a mesh", "modelnet", "README.txt")


def voxels():
    """Two classes of boxes, packed to bits as numpy.packbits does; the second training grid is nearly empty."""
    grids, labels = [], []
    for i in range(9):
        grid = np.zeros((30, 30, 30), np.uint8)
        grid[4 : 8 + 2 * i, 5:20, 3 : 10 if i % 2 else 25] = 1
        if i == 1:
            grid = np.zeros_like(grid)
            grid[3, 3, 3:9] = 1
        grids.append(np.packbits(grid.reshape(-1)))
        labels.append(i % 2)
    grids, labels = np.stack(grids), np.array(labels, np.uint8)
    arrays = {"X_train": grids[:6], "y_train": labels[:6], "X_test": grids[6:], "y_test": labels[6:]}
    np.savez_compressed(place("voxels", "boxes.npz"), **arrays)
    # The same grids with ShapeNet's numbers of classes as int64 columns, in a file whose name ends in capitals.
    synsets = np.array([2691156, 3001627])[labels][:, None]
    arrays.update(y_train=synsets[:6], y_test=synsets[6:], X_val=grids[:1])
    with open(place("voxels_gaps", "synsets.NPZ"), "wb") as file:
        np.savez_compressed(file, **arrays)


def pcd(points, rgb):
    rows = "\n".join(" ".join(f"{value:g}" for value in point) + f" {rgb}" for point in points)
    return (
        "# .PCD v.7 - Point Cloud Data file format\nVERSION .7\nFIELDS x y z rgb\nSIZE 4 4 4 4\nTYPE F F F F\n"
        f"COUNT 1 1 1 1\nWIDTH {len(points)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(points)}\nDATA ascii\n{rows}\n"
    )


def rgbd():
    """CLASS/CLASS_INSTANCE/CLASS_INSTANCE_VIDEO_FRAME*: pictures and clouds in trees of their own, as they are published."""
    number = 0
    for name, instances in [("apple", 3), ("food_bag", 2), ("cap", 1)]:
        for instance in range(1, instances + 1):
            for frame in (1, 6, 11):
                number += 1
                stem = f"{name}_{instance}_1_{frame}"
                folder = [name, f"{name}_{instance}"]
                colours = np.full((10, 14, 3), [10 * number, 200 - 8 * number, 90], np.uint8)
                mask = np.zeros((10, 14), np.uint8)
                mask[2:8, 3:11] = 255
                Image.fromarray(colours).save(place("rgbd", "eval", *folder, f"{stem}_crop.png"))
                Image.fromarray(mask).save(place("rgbd", "eval", *folder, f"{stem}_maskcrop.png"))
                text("1 1\n", "rgbd", "eval", *folder, f"{stem}_loc.txt")
                text(pcd(cloud(number, 60), "4.2108e+06"), "rgbd", "pcd", *folder, f"{stem}.pcd")
    text(pcd(cloud(0), "0"), "rgbd", "pcd", "apple", "apple_1", "apple_1_1_2.pcd")


def folder():
    """Every kind of picture with every kind of 3D file that needs no library to write; two classes."""
    kinds = [(".png", ".off"), (".jpg", ".obj"), (".webp", ".ply"), (".png", ".xyz"), (".PNG", ".npy")]
    for name, width in [("box", 1), ("plank", 5)]:
        for i, (image, shape) in enumerate(kinds):
            stem = ["folder", name, f"{name}_{i}"]
            colours = np.repeat(picture(i + width, 20)[:, :, None], 3, axis=2)
            Image.fromarray(colours).save(place(*stem) + image, **({"lossless": True} if image == ".webp" else {}))
            corners, faces = box(width, 1 + i / 4, 1)
            points = cloud(i + width)
            lines = "\n".join(" ".join(f"{value:g}" for value in point) for point in points) + "\n"
            if shape == ".off":
                text(off(corners, faces), *stem[:-1], stem[-1] + shape)
            elif shape == ".obj":
                rows = [f"v {x:g} {y:g} {z:g}" for x, y, z in corners]
                rows += ["f " + " ".join(str(corner + 1) for corner in face) for face in faces]
                text("\n".join(rows) + "\n", *stem[:-1], stem[-1] + shape)
            elif shape == ".ply":
                header = f"ply\nformat ascii 1.0\nelement vertex {len(points)}\n"
                header += "".join(f"property float {axis}\n" for axis in "xyz") + "end_header\n"
                text(header + lines, *stem[:-1], stem[-1] + shape)
            elif shape == ".xyz":
                text(lines, *stem[:-1], stem[-1] + shape)
            else:
                np.save(place(*stem) + shape, points)
    text("about these", "folder", "README.txt")


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    for write in [mnist_hdf5, mnist_lists, modelnet, voxels, rgbd, folder]:
        write()
