/** Components and signals: who is rendered again. The document is as much of one as Preact needs to put text somewhere. */
import { h, options, render, type ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readAs, signal, type Signal } from '../../src/signals';
import { useSignal, useSignalEffect } from '../../src/ui/signals';

class FakeNode {
  childNodes: FakeNode[] = [];
  parentNode: FakeNode | null = null;
  readonly namespaceURI = 'http://www.w3.org/1999/xhtml';
  constructor(
    readonly nodeType: number,
    public data = '',
  ) {}
  get firstChild(): FakeNode | null {
    return this.childNodes[0] ?? null;
  }
  get nextSibling(): FakeNode | null {
    const all = this.parentNode?.childNodes ?? [];
    return all[all.indexOf(this) + 1] ?? null;
  }
  insertBefore(node: FakeNode, before: FakeNode | null): void {
    node.parentNode?.removeChild(node);
    this.childNodes.splice(before ? this.childNodes.indexOf(before) : this.childNodes.length, 0, node);
    node.parentNode = this;
  }
  removeChild(node: FakeNode): void {
    this.childNodes.splice(this.childNodes.indexOf(node), 1);
    node.parentNode = null;
  }
  remove(): void {
    this.parentNode?.removeChild(this);
  }
  setAttribute(): void {}
  removeAttribute(): void {}
  get text(): string {
    return this.data + this.childNodes.map((c) => c.text).join('');
  }
}

let root: FakeNode;
let rendered: string[];
/** What Preact means to do in a later task (render what changed) or in a frame (run effects). */
const due: (() => void)[] = [];
const settle = (): void => {
  for (let next = due.shift(); next; next = due.shift()) next();
};
const show = (what: ComponentChildren): void => render(what, root as unknown as HTMLElement);

beforeAll(() => {
  Object.assign(options, {
    debounceRendering: (fn: () => void) => due.push(fn),
    requestAnimationFrame: (fn: () => void) => due.push(fn),
  });
  vi.stubGlobal('document', {
    createElement: () => new FakeNode(1),
    createElementNS: () => new FakeNode(1),
    createTextNode: (data: string) => new FakeNode(3, data),
  });
});
afterAll(() => {
  Object.assign(options, { debounceRendering: undefined, requestAnimationFrame: undefined });
  vi.unstubAllGlobals();
});
beforeEach(() => {
  root = new FakeNode(1);
  rendered = [];
  due.length = 0;
});

describe('a component', () => {
  it('is rendered again when what it read has changed, once for several changes', () => {
    const [a, b] = [signal(1), signal(10)];
    const Sum = () => {
      rendered.push('sum');
      return h('p', null, `${a.value + b.value}`);
    };
    show(h(Sum, null));
    expect(root.text).toBe('11');
    a.value = 2;
    b.value = 20;
    settle();
    expect(root.text).toBe('22');
    expect(rendered).toEqual(['sum', 'sum']);
  });

  it('is not rendered again for what its children or its parent read', () => {
    const [outer, inner] = [signal('o'), signal('i')];
    const Child = ({ s, children }: { s: Signal<string>; children?: ComponentChildren }) => {
      rendered.push(s.peek());
      return h('p', null, s.value, children);
    };
    const leaf = h(Child, { s: inner });
    show(h(Child, { s: outer }, leaf));
    rendered.length = 0;
    inner.value = 'I';
    settle();
    expect(rendered).toEqual(['I']);
    outer.value = 'O';
    settle();
    // the same child element: it stays as it is
    expect(rendered).toEqual(['I', 'O']);
    expect(root.text).toBe('OI');
  });

  it('hears only of what its last rendering read, and of nothing once it is gone', () => {
    const [which, a, b] = [signal(true), signal('a'), signal('b')];
    const Either = () => {
      rendered.push('either');
      return h('p', null, which.value ? a.value : b.value);
    };
    show(h(Either, null));
    which.value = false;
    settle();
    expect(root.text).toBe('b');
    rendered.length = 0;
    a.value = 'A';
    settle();
    expect(rendered).toEqual([]);
    show(null);
    b.value = 'B';
    which.value = true;
    settle();
    expect(rendered).toEqual([]);
    expect(root.text).toBe('');
  });

  it('does not hear of what effects read, its own or those due when it renders', () => {
    const [quiet, tick] = [signal(0), signal(0)];
    const Watcher = () => {
      rendered.push('watcher');
      useEffect(() => void quiet.value);
      return null;
    };
    const Ticker = () => {
      rendered.push('ticker');
      return h('p', null, `${tick.value}`);
    };
    show([h(Watcher, null), h(Ticker, null)]);
    // before its frame comes, the effect of the one is run by the rendering of the other
    show([h(Watcher, null), h(Ticker, null)]);
    settle();
    rendered.length = 0;
    quiet.value = 1;
    settle();
    expect(rendered).toEqual([]);
  });

  it('that throws leaves no reader behind', () => {
    const s = signal(0);
    const Bad = () => {
      rendered.push(`bad ${s.value}`);
      throw new Error('bad');
    };
    expect(() => show(h(Bad, null))).toThrow('bad');
    expect(rendered).toEqual(['bad 0']);
    expect(readAs(null)).toBeNull();
  });

  it('has signals and effects of its own', () => {
    const outside = signal('x');
    const seen: string[] = [];
    let own!: Signal<number>;
    const Owner = ({ name }: { name: string }) => {
      own = useSignal(1);
      useSignalEffect(() => void seen.push(`${name} ${own.value} ${outside.value}`));
      return h('p', null, `${own.value}`);
    };
    show(h(Owner, { name: 'a' }));
    settle();
    expect(seen).toEqual(['a 1 x']);
    own.value = 2;
    settle();
    expect([root.text, ...seen]).toEqual(['2', 'a 1 x', 'a 2 x']);
    show(h(Owner, { name: 'b' }));
    outside.value = 'y';
    expect(seen.at(-1)).toBe('b 2 y');
    show(null);
    outside.value = 'z';
    settle();
    expect(seen).toHaveLength(3);
  });
});
