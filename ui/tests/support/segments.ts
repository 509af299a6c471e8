/** An index kept in memory, as IndexedDB would have it. */
import type { Change, ConvRow, SegmentStore } from '../../src/search/index';

export class MemorySegments implements SegmentStore {
  readonly parts = new Map<number, { index: Uint8Array; texts: Uint8Array }>();
  readonly convs = new Map<string, ConvRow>();
  load() {
    const segments = [...this.parts].map(([n, p]) => [n, p.index] as [number, Uint8Array]);
    return Promise.resolve({ segments, convs: [...this.convs] });
  }
  texts(n: number) {
    return Promise.resolve(this.parts.get(n)!.texts);
  }
  write({ segments, convs }: Change) {
    for (const [n, p] of segments) p ? this.parts.set(n, p) : this.parts.delete(n);
    for (const [c, r] of convs) r ? this.convs.set(c, r) : this.convs.delete(c);
    return Promise.resolve();
  }
}
