/** Our own signals: who runs again, when, and how often. */
import { describe, expect, it } from 'vitest';
import { computed, effect, forget, readAs, signal, type Reader } from '../src/signals';

describe('signals', () => {
  it('an effect runs at once and after every change, not after setting the same', () => {
    const a = signal(1);
    const seen: number[] = [];
    effect(() => void seen.push(a.value));
    a.value = 2;
    a.value = 2;
    a.value = 3;
    expect(seen).toEqual([1, 2, 3]);
  });

  it('only what was read in the last run counts', () => {
    const which = signal(true);
    const a = signal('a');
    const b = signal('b');
    const seen: string[] = [];
    effect(() => void seen.push(which.value ? a.value : b.value));
    b.value = 'B';
    which.value = false;
    a.value = 'A';
    b.value = 'β';
    expect(seen).toEqual(['a', 'B', 'β']);
  });

  it('peek is no reading, and the reading inside subscribe does not count either', () => {
    const a = signal(1);
    const b = signal(10);
    const seen: number[] = [];
    effect(() => void seen.push(a.value + b.peek()));
    const stop = a.subscribe((v) => void seen.push(v + b.value));
    b.value = 20;
    expect(seen).toEqual([11, 11]);
    a.value = 2;
    expect(seen).toEqual([11, 11, 22, 22]);
    stop();
    a.value = 3;
    expect(seen).toEqual([11, 11, 22, 22, 23]);
  });

  it('a stopped effect is told nothing, even if it was already waiting', () => {
    const a = signal(0);
    const seen: string[] = [];
    let stopSecond = (): void => undefined;
    effect(() => {
      seen.push(`first ${a.value}`);
      if (a.value) stopSecond();
    });
    stopSecond = effect(() => void seen.push(`second ${a.value}`));
    a.value = 1;
    a.value = 2;
    expect(seen).toEqual(['first 0', 'second 0', 'first 1', 'first 2']);
  });

  it('what effects set is told after them, and reaches those that run already', () => {
    const a = signal(0);
    const b = signal(0);
    const seen: string[] = [];
    effect(() => {
      seen.push(`set ${a.value}`);
      b.value = a.value * 10;
      seen.push('done');
    });
    effect(() => void seen.push(`b ${b.value}`));
    a.value = 1;
    expect(seen).toEqual(['set 0', 'done', 'b 0', 'set 1', 'done', 'b 10']);
  });

  it('an effect that sets what it reads runs until it rests', () => {
    const a = signal(0);
    let runs = 0;
    effect(() => {
      runs++;
      if (a.value < 3) a.value++;
    });
    expect([a.peek(), runs]).toEqual([3, 4]);
  });

  it('a computation follows what it reads and keeps quiet when its result stays', () => {
    const list = signal<number[]>([]);
    const many = computed(() => list.value.length > 1);
    const seen: boolean[] = [];
    effect(() => void seen.push(many.value));
    list.value = [1];
    list.value = [1, 2];
    list.value = [1, 2, 3];
    expect(seen).toEqual([false, true]);
  });

  it('a computation over signals inside a signal', () => {
    const inner = signal(signal(1));
    const sum = computed(() => inner.value.value + 1);
    const first = inner.peek();
    inner.value = signal(5);
    expect(sum.value).toBe(6);
    first.value = 100;
    expect(sum.value).toBe(6);
    inner.peek().value = 7;
    expect(sum.value).toBe(8);
  });

  it('an effect that throws leaves the others and later changes as they were', () => {
    const a = signal(0);
    const seen: number[] = [];
    effect(() => {
      if (a.value === 1) throw new Error('once');
    });
    effect(() => void seen.push(a.value));
    expect(() => (a.value = 1)).toThrow('once');
    expect(seen).toEqual([0, 1]);
    a.value = 2;
    expect(seen.at(-1)).toBe(2);
    const b = signal(0);
    effect(() => void seen.push(b.value + 100));
    b.value = 1;
    expect(seen.at(-1)).toBe(101);
  });

  it('a reader is told once for changes that come together, until it is forgotten', () => {
    const a = signal(1);
    let told = 0;
    const me: Reader = { sources: new Set(), changed: () => void told++ };
    const before = readAs(me);
    expect([a.value, a.value]).toEqual([1, 1]);
    expect(readAs(before)).toBe(me);
    expect(a.value).toBe(1);
    a.value = 2;
    expect(told).toBe(1);
    forget(me);
    a.value = 3;
    expect(told).toBe(1);
  });
});
