/** A button that opens a list of acts. Arrow keys move, Esc closes, focus returns to the button. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { focusables } from './focus';

export interface MenuItem {
  label: string;
  onSelect: () => void;
  checked?: boolean;
  mark?: ComponentChildren;
  separate?: boolean;
}

interface MenuProps {
  label: string;
  items: MenuItem[];
  children: ComponentChildren;
  align?: 'start' | 'end';
  up?: boolean;
  /** The button shows words: they are its name, after the label. */
  worded?: boolean;
}

export function Menu({ label, items, children, align = 'end', up, worded }: MenuProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open || !box.current) return;
    focusables(box.current)[1]?.focus();
    const outside = (e: Event) => !e.composedPath().includes(box.current!) && setOpen(false);
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);

  const onKey = (e: KeyboardEvent) => {
    if (!open) return;
    const all = focusables(box.current!).slice(1);
    const at = all.indexOf(e.target as HTMLElement);
    const step = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
    if (step) all[(at + step + all.length) % all.length]?.focus();
    else if (e.key === 'Escape') {
      setOpen(false);
      button.current?.focus();
    } else return;
    e.preventDefault();
    e.stopPropagation();
  };

  return (
    <div ref={box} class="k-menu" onKeyDown={onKey}>
      <button
        ref={button}
        type="button"
        class="k-menu-button"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={worded ? undefined : label}
        title={label}
        onClick={() => setOpen(!open)}
      >
        {worded && <span class="k-sr">{label}: </span>}
        {children}
      </button>
      {open && (
        <div class={`k-menu-list k-${align}${up ? ' k-up' : ''}`} role="menu" aria-label={label}>
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role={item.checked === undefined ? 'menuitem' : 'menuitemradio'}
              aria-checked={item.checked}
              class={`k-menu-item${item.separate ? ' k-separate' : ''}`}
              onClick={() => {
                setOpen(false);
                button.current?.focus();
                item.onSelect();
              }}
            >
              {item.mark}
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
