/** Components that read a signal are rendered again when it changes. Import it before the first render. */
import { options, type Component, type VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { effect, forget, readAs, signal, type Reader, type Signal } from '../signals';

/** What Preact 10 calls its hooks and the component of a node; stable, because every add-on relies on them. */
interface Hooks {
  /** Before a component renders. */
  __r?: (node: Node) => void;
  /** When a component threw. */
  __e?: (...all: unknown[]) => void;
  diffed?: (node: Node) => void;
  unmount?: (node: Node) => void;
}
type Node = VNode & { __c?: Component };

const hooks = options as Hooks;
const readers = new WeakMap<Component, Reader>();

function hook(name: keyof Hooks, ours: (node: Node) => void, late = false): void {
  const old = hooks[name] as ((...all: unknown[]) => void) | undefined;
  hooks[name] = (...all: unknown[]) => {
    if (!late) ours(all[0] as Node);
    old?.(...all);
    if (late) ours(all[0] as Node);
  };
}

hook(
  '__r',
  ({ __c: component }) => {
    if (!component) return;
    let reader = readers.get(component);
    if (reader) forget(reader);
    else readers.set(component, (reader = { sources: new Set(), changed: () => component.forceUpdate() }));
    readAs(reader);
  },
  // preact/hooks runs effects that are due there: what these read is not read by the component
  true,
);
for (const end of ['diffed', '__e'] as const) hook(end, () => readAs(null));
hook('unmount', ({ __c: component }) => {
  const reader = component && readers.get(component);
  if (reader) forget(reader);
});

/** A signal that lives as long as the component. */
export const useSignal = <T>(value: T): Signal<T> => useState(() => signal(value))[0];

/** An effect that lives as long as the component. */
export function useSignalEffect(fn: () => void): void {
  const newest = useRef(fn);
  newest.current = fn;
  useEffect(() => effect(() => newest.current()), []);
}
