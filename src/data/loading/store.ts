/** A cache of the most recently used values, up to a number of bytes. */
export class Store<V> {
  // A Map keeps the order of insertion, so the first entry is the least recently used.
  private readonly entries = new Map<string, { readonly value: V; readonly bytes: number }>();
  private held = 0;

  constructor(private readonly mostBytes: number) {}

  get(key: string): V | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V, bytes: number): void {
    this.held += bytes - (this.entries.get(key)?.bytes ?? 0);
    this.entries.delete(key);
    this.entries.set(key, { value, bytes });
    for (const [oldest, entry] of this.entries) {
      if (this.held <= this.mostBytes) break;
      this.entries.delete(oldest);
      this.held -= entry.bytes;
    }
  }

  get bytes(): number {
    return this.held;
  }
}
