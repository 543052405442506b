/**
 * Collects positions and triangles while a file is read. Memory grows with the data read, never with the counts in a
 * header, so a file with false counts costs no memory.
 */
import { badFile } from './errors.ts';
import type { Geometry } from './geometry.ts';

/** A list of numbers that doubles its capacity when full. */
class Growing<A extends Float32Array | Uint32Array> {
  length = 0;

  constructor(
    private array: A,
    private readonly make: (length: number) => A,
  ) {}

  push3(a: number, b: number, c: number): void {
    if (this.length + 3 > this.array.length) {
      const larger = this.make(2 * this.array.length);
      larger.set(this.array);
      this.array = larger;
    }
    this.array[this.length++] = a;
    this.array[this.length++] = b;
    this.array[this.length++] = c;
  }

  finish(): A {
    return this.length === this.array.length ? this.array : (this.array.slice(0, this.length) as A);
  }
}

export class MeshBuilder {
  private readonly positions = new Growing(new Float32Array(96), (length) => new Float32Array(length));
  private readonly triangles = new Growing(new Uint32Array(96), (length) => new Uint32Array(length));
  private faces = 0;
  private corners = 0;
  private first = 0;
  private previous = 0;
  private largest = -1;

  constructor(readonly name: string) {}

  get vertices(): number {
    return this.positions.length / 3;
  }

  vertex(x: number, y: number, z: number): void {
    this.positions.push3(x, y, z);
  }

  /** Starts a face; calls of `corner` follow. */
  face(): void {
    this.faces++;
    this.corners = 0;
  }

  /** Adds a corner. From the third on, each makes a triangle with the first and the previous corner: a fan. */
  corner(index: number): void {
    if (!Number.isInteger(index) || index < 0) throw badFile(this.name, `a face uses vertex ${index}`);
    if (index > this.largest) this.largest = index;
    if (this.corners === 0) this.first = index;
    else if (this.corners > 1) this.triangles.push3(this.first, this.previous, index);
    this.previous = index;
    this.corners++;
  }

  /** @throws RomoError `file` on an empty mesh, a coordinate that is not a finite float32, an index out of range */
  finish(): Geometry {
    const positions = this.positions.finish();
    checkPositions(positions, this.name);
    const count = positions.length / 3;
    if (this.largest >= count) {
      throw badFile(this.name, `a face uses vertex ${this.largest} (counted from 0), but the file has ${count}`);
    }
    if (this.faces === 0) return { positions, triangles: null };
    if (this.triangles.length === 0) {
      throw badFile(
        this.name,
        `none of its ${this.faces} faces has three corners`,
        'Export the object with its faces.',
      );
    }
    return { positions, triangles: this.triangles.finish() };
  }
}

/** @throws RomoError `file` if the list is empty or a value is not finite */
export function checkPositions(positions: Float32Array, name: string): void {
  if (positions.length === 0) throw badFile(name, 'has no vertices', 'Export the object again, with its points.');
  for (let i = 0; i < positions.length; i++) {
    if (Number.isFinite(positions[i])) continue;
    throw badFile(
      name,
      `coordinate ${'xyz'[i % 3]} of vertex ${Math.floor(i / 3)} (counted from 0) is not a finite 32-bit number`,
      'Remove such vertices, or export the object again.',
    );
  }
}
