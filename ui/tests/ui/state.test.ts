/** The state of a console: each has its own. */
import { describe, expect, it, vi } from 'vitest';
import { createConsoleState } from '../../src/console/state';

describe('two consoles in one page', () => {
  it('share nothing but the settings of the browser', () => {
    const [a, b] = [createConsoleState(), createConsoleState()];
    a.select('c');
    a.tab.value = 'queue';
    a.setDraft('c', 'reply', 'hello');
    a.dialog.value = 'close';
    expect([b.selected.value, b.tab.value, b.draftOf('c', 'reply'), b.dialog.value]).toEqual([null, 'mine', '', null]);
  });

  it('run acts of the same name, and each says its own errors', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const [a, b] = [createConsoleState(), createConsoleState()];
    let fail = (_: Error): void => undefined;
    const under = a.acts.once('take c', () => new Promise((_, no) => (fail = no)));
    expect([a.acts.isBusy('take c'), b.acts.isBusy('take c')]).toEqual([true, false]);
    expect(await a.acts.once('take c', async () => undefined)).toBe(false);
    expect(await b.acts.once('take c', async () => undefined)).toBe(true);
    fail(new Error('no'));
    expect(await under).toBe(false);
    expect([a.acts.isBusy('take c'), a.toasts.shown.value.length, b.toasts.shown.value.length]).toEqual([false, 1, 0]);
    said.mockRestore();
  });
});
