/**
 * Collects positions and faces while a file is read. Memory grows with the data read, never with the counts in a
 * header, so a file with false counts costs no memory.
 */
import { badFile } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { notFinite, tooLarge, withoutHoles } from './holes.ts';
import { triangulate } from './polygons.ts';
import type { Remarks } from './remarks.ts';

/** A list of numbers that doubles its capacity when full. */
class Growing<A extends Float64Array | Uint32Array> {
  length = 0;

  constructor(
    private array: A,
    private readonly make: (length: number) => A,
  ) {}

  push(value: number): void {
    if (this.length === this.array.length) {
      const larger = this.make(2 * this.array.length);
      larger.set(this.array);
      this.array = larger;
    }
    this.array[this.length++] = value;
  }

  finish(): A {
    return this.length === this.array.length ? this.array : (this.array.slice(0, this.length) as A);
  }
}

const wholes = () => new Growing(new Uint32Array(96), (length) => new Uint32Array(length));

export class MeshBuilder {
  private readonly positions = new Growing(new Float64Array(96), (length) => new Float64Array(length));
  /** of all faces, one after another; they may name vertices that follow later in the file */
  private readonly corners = wholes();
  /** index of each face's first corner */
  private readonly faces = wholes();
  private largest = -1;

  constructor(readonly name: string) {}

  get vertices(): number {
    return this.positions.length / 3;
  }

  vertex(x: number, y: number, z: number): void {
    this.positions.push(x);
    this.positions.push(y);
    this.positions.push(z);
  }

  /** Starts a face; calls of `corner` follow. */
  face(): void {
    this.faces.push(this.corners.length);
  }

  corner(index: number): void {
    if (!Number.isInteger(index) || index < 0) throw badFile(this.name, `a face uses vertex ${index}`);
    if (index > this.largest) this.largest = index;
    this.corners.push(index);
  }

  /**
   * Cuts polygons into triangles, see polygons.ts. Leaves out the holes of a cloud, and vertices of a mesh that are not
   * finite and not used.
   * @throws RomoError `file` on an empty mesh, a coordinate that is not a finite float32, an index out of range
   */
  finish(remarks: Remarks = {}): Geometry {
    const { name } = this;
    const positions = this.positions.finish();
    const count = positions.length / 3;
    if (this.largest >= count && count > 0) {
      throw badFile(name, `a face uses vertex ${this.largest} (counted from 0), but the file has ${count}`);
    }
    if (this.faces.length === 0 || count === 0) return cloudOf(positions, name, remarks);
    const corners = this.corners.finish();
    const large = tooLarge(positions);
    if (large >= 0) throw notFinite(large, name);
    for (const vertex of corners) {
      for (let at = 3 * vertex; at < 3 * vertex + 3; at++)
        if (!Number.isFinite(positions[at])) throw notFinite(at, name);
    }
    const triangles = this.triangles(positions, corners);
    if (triangles.length === 0) {
      const what = `none of its ${this.faces.length} faces has three corners`;
      throw badFile(name, what, 'Export the object with its faces.');
    }
    return withoutUnknown(positions, triangles, remarks);
  }

  /** [T, 3], vertex indices, in the order of the faces */
  private triangles(positions: Float64Array, corners: Uint32Array): Uint32Array {
    const faces = this.faces.finish();
    const sizes = Uint32Array.from(faces, (first, i) => (faces[i + 1] ?? corners.length) - first);
    const most = sizes.reduce((sum, size) => sum + Math.max(0, size - 2), 0);
    const triangles = new Uint32Array(3 * most);
    let end = 0;
    const add = (a: number, b: number, c: number) => {
      triangles[end++] = a;
      triangles[end++] = b;
      triangles[end++] = c;
    };
    faces.forEach((first, i) => {
      if (sizes[i] >= 3) triangulate(positions, corners.subarray(first, first + sizes[i]), this.name, add);
    });
    return end === triangles.length ? triangles : triangles.slice(0, end);
  }
}

/** A cloud without its holes. @throws RomoError `file` as withoutHoles */
export function cloudOf(positions: Float64Array, name: string, remarks: Remarks = {}): Geometry {
  const { positions: kept, holes } = withoutHoles(positions, name);
  return { positions: kept, triangles: null, remarks: holes > 0 ? { ...remarks, holes } : remarks };
}

/** Leaves out vertices that are not finite, which no triangle uses. */
function withoutUnknown(positions: Float64Array, triangles: Uint32Array, remarks: Remarks): Geometry {
  if (positions.every(Number.isFinite)) return { positions, triangles, remarks };
  const kept: number[] = [];
  const numbers = new Uint32Array(positions.length / 3);
  for (let vertex = 0; vertex < numbers.length; vertex++) {
    numbers[vertex] = kept.length / 3;
    const point = positions.subarray(3 * vertex, 3 * vertex + 3);
    if (point.every(Number.isFinite)) kept.push(point[0], point[1], point[2]);
  }
  const holes = numbers.length - kept.length / 3;
  return {
    positions: Float64Array.from(kept),
    triangles: triangles.map((vertex) => numbers[vertex]),
    remarks: { ...remarks, holes },
  };
}
